import { createFeedbackClient } from '@sluice/client/feedback-client';
import type { FeedbackClient } from '@sluice/client/feedback-client';
import { eventually } from '@sluice/testkit/eventually';
import type pg from 'pg';
import { expect } from 'vitest';

const itemsOfCall = 50;

/** Labels predictions as soon as they are answered, whoever is killed meanwhile: what nobody answered is sent again. */
export class Labeller {
  /** What feedback said of each prediction: `JOINED`, `WAITING` or `DUPLICATE`. */
  readonly said = new Map<string, string>();
  readonly #client: FeedbackClient;
  readonly #answered: readonly string[];
  readonly #source: string;
  readonly #over: Promise<void>;
  #ending = false;

  /** @param answered ids of predictions; grows meanwhile */
  constructor(address: string, source: string, answered: readonly string[]) {
    this.#client = createFeedbackClient(address, { retryForMs: 0, timeoutMs: 5_000 });
    this.#source = source;
    this.#answered = answered;
    this.#over = this.#run();
    // Whoever ends it hears of a failure.
    this.#over.catch(() => undefined);
  }

  /** Labels what is left. Fails with the reason of a label that was refused. */
  async end(): Promise<void> {
    this.#ending = true;
    await this.#over.finally(() => this.#client.close());
  }

  async #run(): Promise<void> {
    for (let next = 0; ;) {
      await eventually(() => expect(this.#ending || next < this.#answered.length).toBe(true), 60_000);
      const ids = this.#answered.slice(next, next + itemsOfCall);
      if (ids.length === 0) return;
      await eventually(async () => this.#label(ids.filter((id) => !this.said.has(id))), 60_000, 50);
      next += ids.length;
    }
  }

  async #label(ids: readonly string[]): Promise<void> {
    const labels = ids.map((predictionId) => ({ predictionId, source: this.#source, value: { name: '3' } }));
    const { answers } = await this.#client.labels.recordLabels({ labels });
    for (const [index, { result }] of answers.entries())
      if (result !== 'ITEM_RESULT_REFUSED') this.said.set(ids[index]!, result.replace('ITEM_RESULT_', ''));
    expect(answers.filter(({ result }) => result === 'ITEM_RESULT_REFUSED')).toEqual([]);
  }
}

/** Fails unless each of these predictions has one label of the source, held once against its answer, and none waits. */
export async function expectJoinedOnce(database: pg.Client, source: string, ids: readonly string[]): Promise<void> {
  const wanted = [...ids].sort();
  for (const table of ['label', 'outcome']) {
    const { rows } = await database.query<{ prediction_id: string }>(
      `select prediction_id from feedback.${table} where source = $1 order by prediction_id`,
      [source],
    );
    expect([table, rows.map(({ prediction_id }) => prediction_id)]).toEqual([table, wanted]);
  }
  const waiting = await database.query('select key from feedback.label_waiting where source = $1', [source]);
  expect(waiting.rowCount).toBe(0);
}
