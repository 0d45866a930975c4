import type { PoolClient } from 'pg';
import { fromDatabase, sqlstateOf } from '@sluice/persistence/sqlstate';
import type { DataSource } from 'typeorm';
import type {
  FeedbackRow,
  LabelRow,
  LabelStore,
  LabelTransaction,
  OutcomeRow,
  RequestName,
  StoredAnswer,
  WaitingRow,
} from '../labels/ports.ts';
import { onConnection } from './connection.ts';
import { isMissingDay } from './evidence-writer.ts';
import { answersOf, predictionsOf, responseOf, skewedOf } from './label-lookups.ts';
import { addFeedback, addFirstOutcomes, addLabels, addOutcomes } from './label-rows.ts';
import { addWaiting, refuseWaiting, removeWaiting } from './waiting-rows.ts';

const mostAttempts = 5;
/** Serialization failure, deadlock, unique violation. */
const again: ReadonlySet<string> = new Set(['40001', '40P01', '23505']);

export interface LabelStoreOptions {
  readonly dataSource: DataSource;
  /** How many days back a request id is looked for. */
  readonly requestDays: number;
  /** Throws `unavailable` while the database is known to be away. */
  readonly available: () => void;
}

/** Labels, outcomes and feedback in Postgres. */
export class PostgresLabels implements LabelStore {
  readonly #options: LabelStoreOptions;

  constructor(options: LabelStoreOptions) {
    this.#options = options;
  }

  async transaction<T>(fn: (tx: LabelTransaction) => Promise<T>): Promise<T> {
    const { dataSource, requestDays, available } = this.#options;
    available();
    for (let [attempt, isCareful] = [1, false]; ; attempt++)
      try {
        return await onConnection(dataSource, async (client) => {
          // Before anything is read: what the joiner has passed is either seen here, or sees this. See `joiner.ts`.
          const { rows } = await client.query<{ now: string }>('SELECT pg_current_xact_id(), now()::text AS now');
          return fn(transactionOn(client, rows[0]!.now, requestDays, isCareful));
        });
      } catch (error) {
        const code = sqlstateOf(error) ?? '';
        // A day that was dropped under it takes its records along: they are not found the next time.
        if (attempt >= mostAttempts || !(again.has(code) || isMissingDay(code, error))) throw fromDatabase(error);
        // Somebody recorded the same label just now.
        isCareful ||= code === '23505';
      }
  }
}

function transactionOn(client: PoolClient, now: string, requestDays: number, isCareful: boolean): LabelTransaction {
  return {
    now,
    predictionsOf: (names: readonly RequestName[]) => predictionsOf(client, names, requestDays),
    answersOf: (ids: readonly string[]) => answersOf(client, ids),
    skewed: (ids: readonly string[]) => skewedOf(client, ids),
    response: (answer: StoredAnswer) => responseOf(client, answer),
    addLabels: (rows: readonly LabelRow[]) => addLabels(client, rows, isCareful),
    addFirstOutcomes: (rows: readonly OutcomeRow[]) => addFirstOutcomes(client, rows),
    addOutcomes: (rows: readonly OutcomeRow[]) => addOutcomes(client, rows),
    addFeedback: (rows: readonly FeedbackRow[]) => addFeedback(client, rows),
    addWaiting: (rows: readonly WaitingRow[]) => addWaiting(client, rows),
    removeWaiting: (keys: readonly Buffer[]) => removeWaiting(client, keys),
    refuseWaiting: (rows) => refuseWaiting(client, rows),
  };
}
