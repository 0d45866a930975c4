import type { PoolClient } from 'pg';
import { retentionClasses } from '@sluice/domain/release';
import { dayMs } from '../evidence/days.ts';
import type { RequestName, StoredAnswer } from '../labels/ports.ts';
import { limits } from '../labels/limits.ts';

/** Responses of up to this size come with their record; larger ones are read one by one. */
const inlineBytes = 16_384;

interface AnswerRow {
  readonly class: string;
  readonly prediction_id: string;
  readonly arm: string;
  readonly attempt: number;
  readonly status: number;
  readonly answered: boolean;
  readonly rows: number;
  readonly received_at: string;
  readonly keep_probability: number;
  readonly role: string | null;
  readonly model: string;
  readonly version: number;
  readonly version_digest: string;
  readonly release_id: string;
  readonly subject: string;
  readonly recorded_xid: string;
  readonly response_state: string;
  readonly payload_key_id: string | null;
  readonly response: Buffer | null;
}

const answerColumns = `class, prediction_id, arm, attempt, status, answered, rows, received_at::text, keep_probability, role, model,
  version, version_digest, release_id, subject, recorded_xid::text, response_state, payload_key_id,
  CASE WHEN octet_length(response) <= ${inlineBytes} THEN response END AS response`;

/**
 * A statement of each class, joined by UNION ALL: with the class and the bounds of the ids as they are, the planner leaves out all days
 * between which none of the ids can be.
 */
export const ofEachClass = (statement: (name: string) => string): string =>
  retentionClasses.map((name) => `(${statement(name)})`).join(' UNION ALL ');

/**
 * An id that is one of those in `$1` and, to say which days, between `$2` and `$3`. The planner must not see the list: it would hold each
 * id against each day, which for a thousand of them takes longer than everything else.
 */
export const isOneOf = (column: string): string =>
  `${column} = ANY ((SELECT $1::uuid[])::uuid[]) AND ${column} BETWEEN $2 AND $3`;

/** Ids in ascending order, in runs of days that follow each other: `isOneOf` looks at each day between the bounds. */
export function runsOf(ids: readonly string[]): string[][] {
  const runs: string[][] = [];
  let last = -Infinity;
  for (const id of [...ids].sort()) {
    // What is of another version of UUID is in no day; where it lies in the order is all that counts.
    const ms = Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16);
    if (ms - last > dayMs) runs.push([]);
    runs.at(-1)!.push(id);
    last = ms;
  }
  return runs;
}

export const answersSql = ofEachClass(
  (name) => `SELECT ${answerColumns} FROM feedback.evidence WHERE class = '${name}' AND ${isOneOf('prediction_id')}`,
);

export async function answersOf(client: PoolClient, ids: readonly string[]): Promise<StoredAnswer[]> {
  const found: StoredAnswer[] = [];
  for (const run of runsOf(ids)) {
    const { rows } = await client.query<AnswerRow>(answersSql, [run, run[0], run.at(-1)]);
    for (const row of rows) found.push(answerOf(row));
  }
  return found;
}

/** Those of the predictions that have labels. */
export async function labelledOf(client: Pick<PoolClient, 'query'>, ids: readonly string[]): Promise<string[]> {
  const found = new Set<string>();
  for (const run of runsOf(ids)) {
    const { rows } = await client.query<{ prediction_id: string }>(labelledSql, [run, run[0], run.at(-1)]);
    for (const { prediction_id: id } of rows) found.add(id);
  }
  return [...found];
}

const labelledSql = ofEachClass(
  (name) => `SELECT DISTINCT prediction_id FROM feedback.label WHERE class = '${name}' AND ${isOneOf('prediction_id')}`,
);

// One literal: rows are many.
const answerOf = (row: AnswerRow): StoredAnswer => ({
  class: row.class,
  predictionId: row.prediction_id,
  arm: row.arm,
  attempt: row.attempt,
  status: row.status,
  answered: row.answered,
  rows: row.rows,
  receivedAt: row.received_at,
  keepProbability: row.keep_probability,
  role: row.role,
  model: row.model,
  version: row.version,
  versionDigest: row.version_digest,
  releaseId: row.release_id,
  subject: row.subject,
  recordedXid: row.recorded_xid,
  responseState: row.response_state,
  payloadKeyId: row.payload_key_id ?? undefined,
  response: row.response ?? undefined,
});

export async function responseOf(client: PoolClient, answer: StoredAnswer): Promise<Uint8Array | undefined> {
  const { rows } = await client.query<{ response: Buffer | null }>(
    `SELECT response FROM feedback.evidence WHERE class = $1 AND prediction_id = $2 AND arm = $3 AND attempt = $4`,
    [answer.class, answer.predictionId, answer.arm, answer.attempt],
  );
  return rows[0]?.response ?? undefined;
}

export async function skewedOf(client: PoolClient, ids: readonly string[]): Promise<ReadonlySet<string>> {
  const { rows } = await client.query<{ prediction_id: string }>(
    'SELECT DISTINCT prediction_id FROM feedback.evidence_skewed WHERE prediction_id = ANY ($1::uuid[])',
    [ids],
  );
  return new Set(rows.map(({ prediction_id: id }) => id));
}

/**
 * Predictions by (model, request id). The bound on the id leaves the days of its time; an index of each day has the rest. A prediction
 * has as many records as it has arms and attempts, so they are made one before they are counted.
 */
export async function predictionsOf(
  client: PoolClient,
  names: readonly RequestName[],
  days: number,
): Promise<(readonly string[])[]> {
  const { rows: bounds } = await client.query<{ least: string; since: string }>(
    `SELECT feedback.day_bound(((now() AT TIME ZONE 'UTC') - make_interval(days => $1))::date) AS least,
       (now() - make_interval(days => $1))::text AS since`,
    [days],
  );
  const { least, since } = bounds[0]!;
  const { rows } = await client.query<{ place: number; prediction_id: string }>(
    `SELECT asked.place, found.prediction_id
       FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS asked (model, request_id, place)
       CROSS JOIN LATERAL (
         SELECT DISTINCT e.prediction_id FROM feedback.evidence AS e
         WHERE e.model = asked.model AND e.request_id = asked.request_id AND e.request_id <> ''
           AND e.received_at >= $4::timestamptz AND e.prediction_id >= $3
         ORDER BY e.prediction_id LIMIT ${limits.listedIds + 1}
       ) AS found`,
    [names.map(({ model }) => model), names.map(({ requestId }) => requestId), least, since],
  );
  const found: string[][] = names.map(() => []);
  for (const { place, prediction_id: id } of rows) found[place - 1]!.push(id);
  return found;
}
