import { expect } from 'vitest';
import { eventually } from '@sluice/testkit/eventually';
import type { TestPostgres } from '@sluice/testkit/postgres';
import { blockOf, idAt } from './evidence.ts';
import type { Given } from './evidence.ts';
import type { Replica } from './harness.ts';
import { deliver, Site } from './harness.ts';
import { TaskRegistry } from './task-registry.ts';

export const name = (text: string) => ({ value: { name: text } });
export const number = (value: number) => ({ value: { number: value } });
export const captured = (response: Uint8Array): Given => ({ response: [response], responseState: 'captured' });

interface Answer {
  readonly result: string;
  readonly status: string;
  readonly reason: string;
}

/** Answers in words. */
export const words = (answers: readonly Answer[]): string[] =>
  answers.map(({ result, status, reason }) =>
    result === 'ITEM_RESULT_REFUSED' ? `${status} ${reason}` : result.replace('ITEM_RESULT_', '').toLowerCase(),
  );

let spools = 0;

/** A replica that takes labels, with a database of its own and a registry that knows some versions. */
export class Labelling {
  readonly site: Site;
  readonly registry: TaskRegistry;
  readonly replica: Replica;

  static async open(postgres: TestPostgres, settings: Readonly<Record<string, string>> = {}): Promise<Labelling> {
    const registry = await TaskRegistry.open();
    const site = await Site.open(postgres);
    return new Labelling(site, registry, await site.start({ SLUICE_REGISTRY: registry.address, ...settings }));
  }

  constructor(site: Site, registry: TaskRegistry, replica: Replica) {
    this.site = site;
    this.registry = registry;
    this.replica = replica;
  }

  /** Stores records and says their ids. */
  async stored(...given: readonly Given[]): Promise<string[]> {
    const records = given.map((each) => ({ rows: 1, ...each, predictionId: each.predictionId ?? idAt(Date.now()) }));
    await deliver(this.replica.address, [blockOf(...records)], `labels-${spools++}`);
    return records.map(({ predictionId }) => predictionId);
  }

  /** Records labels of one source, `people` unless they say so, and gives the answers in words. */
  async record(...labels: readonly object[]): Promise<string[]> {
    const request = { labels: labels.map((label) => ({ source: 'people', ...label })) };
    return words((await this.replica.labels.recordLabels(request)).answers);
  }

  async outcomes(id: string): Promise<Record<string, unknown>[]> {
    return this.site.query(
      `SELECT arm, attempt::int, row, state, truth_name AS truth, predicted_name AS predicted,
         truth_number::float AS "truthNumber", predicted_number::float AS "predictedNumber",
         round(truth_probability::numeric, 3)::float AS probability
       FROM feedback.outcome WHERE prediction_id = $1 ORDER BY arm, attempt, row, truth_name, truth_number`,
      [id],
    );
  }

  /** Waits until there are so many rows of these predictions in a table. */
  async rows(table: string, ids: readonly string[], count: number): Promise<void> {
    await this.until(async () => expect((await this.site.count(ids, table)).rows).toBe(count));
  }

  async until(probe: () => Promise<void>): Promise<void> {
    await eventually(probe, 30_000);
  }

  async close(): Promise<void> {
    await this.site.close();
    await this.registry.close();
  }
}
