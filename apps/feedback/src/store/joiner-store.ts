import type { PoolClient, QueryResultRow } from 'pg';
import { unavailable } from '@sluice/domain/errors';
import { fromDatabase } from '@sluice/persistence/sqlstate';
import type { DataSource } from 'typeorm';
import type {
  Horizon,
  JoinerStore,
  MissingOutcome,
  WaitingCounts,
  WaitingItem,
  Waits,
} from '../labels/joiner-ports.ts';
import type { RequestName } from '../labels/ports.ts';
import { timelineSql } from './cluster.ts';
import type { Prepared } from './connection.ts';
import { onConnection, statement } from './connection.ts';
import { KeptConnection } from './kept-connection.ts';
import { isOneOf, runsOf } from './label-lookups.ts';
import { locks } from './locks.ts';
import type { StoredWaiting } from './waiting-rows.ts';
import { boundedSql, itemOf } from './waiting-rows.ts';

const classes = `('short', 'standard', 'long')`;
/** Of one request id: more are found when these are joined or refused. */
const waitingOfRequest = 1_000;

const isOutOfTime =
  'EXISTS (SELECT FROM feedback.evidence_skewed AS apart WHERE apart.prediction_id = kept.prediction_id)';

interface HorizonRow {
  readonly xmin: string;
  readonly xmax: string;
  readonly position: string;
  readonly is_same: boolean;
  readonly now: string;
  /** Null of a standby. */
  readonly timeline: number | null;
}

interface MissingRow {
  readonly prediction_id: string;
  readonly class: string;
  readonly arm: string;
  readonly attempt: number;
  readonly label_id: string;
  readonly row: number;
  readonly name: string | null;
  readonly number: number | null;
  readonly source: string;
  readonly labelled_at: string | null;
  readonly recorded_at: string;
}

const inRange = 'recorded_xid >= $1::xid8 AND recorded_xid < $2::xid8';

/**
 * What evidence there is by its transactions. Any day may have some, so all of them are looked at, and to plan that for the days of
 * years takes far longer than to do it: each statement is planned once.
 */
const ofTransactions = {
  any: { name: 'join-any', text: `SELECT 1 FROM feedback.evidence WHERE ${inRange} LIMIT 1` },
  chunkEnd: {
    name: 'join-chunk-end',
    text: `SELECT recorded_xid::text AS xid FROM feedback.evidence WHERE ${inRange} ORDER BY recorded_xid OFFSET $3 LIMIT 1`,
  },
  predictions: {
    name: 'join-predictions',
    text: `SELECT string_agg(DISTINCT prediction_id::text, ',') AS ids FROM feedback.evidence WHERE ${inRange}`,
  },
  labelled: {
    name: 'join-labelled',
    text: `SELECT string_agg(DISTINCT prediction_id::text, ',') AS ids FROM feedback.evidence AS e WHERE ${inRange}
      AND EXISTS (SELECT FROM feedback.label AS l WHERE l.class IN ${classes} AND l.prediction_id = e.prediction_id
        -- Asked of each record: all labels that there are would take longer.
        OFFSET 0)`,
  },
  requests: {
    name: 'join-requests',
    text: `SELECT DISTINCT model, request_id FROM feedback.evidence WHERE ${inRange} AND request_id <> ''`,
  },
} satisfies Readonly<Record<string, Prepared>>;

/** What the joiner asks of Postgres. */
export class PostgresJoiner implements JoinerStore {
  readonly #dataSource: DataSource;
  readonly #kept: KeptConnection;
  /** While the lock is held, the connection that has it. */
  #locked: PoolClient | undefined;
  /** Transactions that were seen to have no evidence, on a connection. */
  #none: { readonly client: PoolClient; readonly from: bigint; readonly to: bigint } | undefined;

  constructor(dataSource: DataSource) {
    this.#dataSource = dataSource;
    this.#kept = new KeptConnection(dataSource);
  }

  async exclusively(fn: () => Promise<void>): Promise<boolean> {
    const client = await this.#own(async (own) => {
      const { rows } = await own.query<{ won: boolean }>('SELECT pg_try_advisory_lock($1) AS won', [locks.joiner]);
      return rows[0]!.won ? own : undefined;
    });
    if (client === undefined) return false;
    this.#locked = client;
    try {
      await fn();
    } finally {
      this.#locked = undefined;
      // A connection that keeps the lock must not be kept.
      await client.query('SELECT pg_advisory_unlock($1)', [locks.joiner]).catch(async () => this.#kept.end(client));
    }
    return true;
  }

  close(): Promise<void> {
    return this.#kept.close();
  }

  /** Transactions of another cluster mean nothing in this one: after a restore all evidence is looked at again. */
  async horizon(): Promise<Horizon> {
    const { rows } = await this.#own((client) =>
      client.query<HorizonRow>(`SELECT ${timelineSql} AS timeline, pg_snapshot_xmin(now.snapshot)::text AS xmin, pg_snapshot_xmax(now.snapshot)::text AS xmax,
         evidence_xid::text AS position, clock_timestamp()::text AS now,
         kept.system_identifier = cluster.system_identifier AND evidence_xid <= pg_snapshot_xmax(now.snapshot) AS is_same
       FROM feedback.join_position AS kept, pg_control_system() AS cluster, pg_current_snapshot() AS now (snapshot)`),
    );
    const [row] = rows;
    const { xmin, xmax, position, now, timeline } = row!;
    if (timeline === null) throw unavailable('the database can only be read');
    if (!row!.is_same)
      await this.#query(
        `UPDATE feedback.join_position SET evidence_xid = '0',
           system_identifier = (SELECT system_identifier FROM pg_control_system())`,
      );
    const isNew = !row!.is_same;
    if (isNew) this.#none = undefined;
    const at = { xmin: BigInt(xmin), xmax: BigInt(xmax), position: isNew ? 0n : BigInt(position) };
    return { ...at, now, isNew, timeline };
  }

  async hasEvidence(from: bigint, to: bigint): Promise<boolean> {
    return this.#own(async (client) => {
      const none = this.#none?.client === client && this.#none.from <= from ? this.#none : undefined;
      const since = none && none.to > from ? none.to : from;
      if (since >= to) return false;
      const { rows } = await client.query({ ...ofTransactions.any, values: [String(since), String(to)] });
      if (rows.length > 0) return true;
      this.#none = { client, from: none && none.to >= from ? none.from : from, to };
      return false;
    });
  }

  /** Of a transaction that is written: a crash gives out numbers again that left no trace. */
  async takeNumber(): Promise<bigint> {
    const [row] = await this.#surely<{ xid: string }>(
      'UPDATE feedback.join_position SET evidence_xid = evidence_xid RETURNING pg_current_xact_id()::text AS xid',
    );
    return BigInt(row!.xid);
  }

  async chunkEnd(from: bigint, to: bigint, records: number): Promise<bigint> {
    const [row] = await this.#in<{ xid: string }>(ofTransactions.chunkEnd, from, to, records);
    if (!row) return to;
    const xid = BigInt(row.xid);
    if (xid > from) return xid;
    return xid + 1n;
  }

  async waits(): Promise<Waits> {
    const [row] = await this.#query<Waits>(
      `SELECT EXISTS (SELECT FROM feedback.label_waiting WHERE state = 'waiting' AND prediction_id IS NOT NULL) AS "forPredictions",
         EXISTS (SELECT FROM feedback.label_waiting WHERE state = 'waiting' AND prediction_id IS NULL) AS "forRequests"`,
    );
    return row!;
  }

  async predictionsIn(from: bigint, to: bigint): Promise<readonly string[]> {
    return idsOf(await this.#in<IdsRow>(ofTransactions.predictions, from, to));
  }

  async labelledIn(from: bigint, to: bigint): Promise<readonly string[]> {
    return idsOf(await this.#in<IdsRow>(ofTransactions.labelled, from, to));
  }

  async requestsIn(from: bigint, to: bigint): Promise<readonly RequestName[]> {
    const rows = await this.#in<{ model: string; request_id: string }>(ofTransactions.requests, from, to);
    return rows.map(({ model, request_id: requestId }) => ({ model, requestId }));
  }

  async waitingForPredictions(ids: readonly string[], after: number, limit: number): Promise<WaitingItem[]> {
    const rows = await this.#query<StoredWaiting>(
      boundedSql(
        `SELECT * FROM feedback.label_waiting
         WHERE state = 'waiting' AND prediction_id IS NOT NULL AND prediction_id = ANY ($1::uuid[]) AND waiting_id > $2
         ORDER BY waiting_id LIMIT $3`,
      ),
      [ids, after, limit],
    );
    return rows.map(waitingOf);
  }

  async waitingForRequests(names: readonly RequestName[], after: number, limit: number): Promise<WaitingItem[]> {
    const rows = await this.#query<StoredWaiting>(
      boundedSql(
        `SELECT own.* FROM unnest($1::text[], $2::text[]) AS come (model, request_id)
         CROSS JOIN LATERAL (
           SELECT * FROM feedback.label_waiting AS kept
           WHERE kept.state = 'waiting' AND kept.prediction_id IS NULL AND kept.model = come.model
             AND kept.request_id = come.request_id AND kept.waiting_id > $3
           ORDER BY kept.waiting_id LIMIT ${waitingOfRequest}
         ) AS own
         ORDER BY own.waiting_id LIMIT $4`,
      ),
      [names.map(({ model }) => model), names.map(({ requestId }) => requestId), after, limit],
    );
    return rows.map(waitingOf);
  }

  async missingOutcomes(ids: readonly string[], limit: number): Promise<MissingOutcome[]> {
    const found: MissingOutcome[] = [];
    for (const run of runsOf(ids))
      if (found.length < limit) found.push(...(await this.#missingOf(run, limit - found.length)));
    return found;
  }

  /** @param ids ascending, of days that follow each other */
  async #missingOf(ids: readonly string[], limit: number): Promise<MissingOutcome[]> {
    const rows = await this.#query<MissingRow>(
      `SELECT e.prediction_id, e.class, e.arm, e.attempt, l.label_id, l.row, l.name, l.number, l.source,
         l.labelled_at::text, l.recorded_at::text
       FROM feedback.label AS l
         JOIN feedback.evidence AS e ON e.prediction_id = l.prediction_id AND e.status = 0 AND e.class IN ${classes}
           AND ${isOneOf('e.prediction_id')}
       WHERE l.class IN ${classes} AND ${isOneOf('l.prediction_id')}
         AND NOT EXISTS (SELECT FROM feedback.outcome AS o
           WHERE o.class = e.class AND o.prediction_id = e.prediction_id AND o.arm = e.arm AND o.attempt = e.attempt
             AND o.label_id = l.label_id AND o.prediction_id BETWEEN $2 AND $3
           -- Not made a join: of a prediction with thousands of labels it would look at each outcome for each of them.
           OFFSET 0)
       LIMIT $4`,
      [ids, ids[0], ids.at(-1), limit],
    );
    return rows.map((row) => ({
      ...{ predictionId: row.prediction_id, class: row.class, arm: row.arm, attempt: row.attempt },
      label: {
        ...{ labelId: row.label_id, row: row.row, name: row.name, number: row.number, source: row.source },
        ...{ labelledAt: row.labelled_at, recordedAt: row.recorded_at },
      },
    }));
  }

  async advance(to: bigint): Promise<void> {
    await this.#surely('UPDATE feedback.join_position SET evidence_xid = $1::xid8', [String(to)]);
  }

  async endExpired(before: string, limit: number): Promise<number> {
    const rows = await this.#query(
      `UPDATE feedback.label_waiting AS kept SET state = 'unmatched', ended_at = now(), payload = NULL,
         cause = CASE WHEN ${isOutOfTime} THEN 'failed-precondition' ELSE 'not-found' END,
         reason = CASE WHEN prediction_id IS NULL THEN 'request_id: no prediction of this model with it came in time'
           WHEN ${isOutOfTime} THEN 'prediction_id: its records are kept apart, since its time is of no day that is kept: it takes no labels'
           ELSE 'prediction_id: no prediction with it came in time' END
       WHERE key IN (SELECT key FROM feedback.label_waiting WHERE state = 'waiting' AND expires_at < $1::timestamptz
         ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED) RETURNING key`,
      [before, limit],
    );
    return rows.length;
  }

  async forgetEnded(days: number, limit: number): Promise<number> {
    const rows = await this.#query(
      `DELETE FROM feedback.label_waiting WHERE key IN (SELECT key FROM feedback.label_waiting
         WHERE state <> 'waiting' AND ended_at < now() - make_interval(days => $1) ORDER BY ended_at LIMIT $2) RETURNING key`,
      [days, limit],
    );
    return rows.length;
  }

  async counts(): Promise<WaitingCounts> {
    const [row] = await this.#query<WaitingCounts>(
      `SELECT count(*) FILTER (WHERE state = 'waiting') AS waiting, count(*) FILTER (WHERE state <> 'waiting') AS ended
       FROM feedback.label_waiting`,
    );
    return row!;
  }

  async #in<R extends QueryResultRow>(prepared: Prepared, from: bigint, to: bigint, ...more: number[]): Promise<R[]> {
    const values = [String(from), String(to), ...more];
    return this.#own(async (client) => (await client.query<R>({ ...prepared, values })).rows);
  }

  /** Runs `fn` on the connection that is kept. @throws SluiceError unavailable when that which has the lock is gone */
  #own<T>(fn: (client: PoolClient) => Promise<T>): Promise<T> {
    return this.#kept.use((client) => {
      if (this.#locked !== undefined && this.#locked !== client)
        throw unavailable('the connection to the database broke in the middle of a round');
      return fn(client);
    });
  }

  /** One statement whose work is on disk when it returns. */
  async #surely<R extends QueryResultRow>(sql: string, parameters: unknown[] = []): Promise<R[]> {
    try {
      return await onConnection(this.#dataSource, async (client) => (await client.query<R>(sql, parameters)).rows);
    } catch (error) {
      throw fromDatabase(error);
    }
  }

  #query<R = unknown>(sql: string, parameters: unknown[] = []): Promise<R[]> {
    return statement<R>(this.#dataSource, sql, parameters);
  }
}

interface IdsRow {
  /** Null where there are none. */
  readonly ids: string | null;
}

/** One text: a row for each id takes longer to read than to find. */
const idsOf = ([row]: readonly IdsRow[]): readonly string[] => row?.ids?.split(',') ?? [];

const waitingOf = (row: StoredWaiting): WaitingItem => ({ id: row.waiting_id, key: row.key, item: itemOf(row) });
