import type { PoolClient } from 'pg';
import type { Item, ItemKind, Refusal, Truth } from '../labels/item.ts';
import { isName } from '../labels/item.ts';
import { limits } from '../labels/limits.ts';
import type { WaitingRow } from '../labels/ports.ts';
import { timeText } from '../labels/times.ts';
import { bytesOf } from './label-rows.ts';

/**
 * Arrays of names and numbers have an entry for each value, null in one of them. They travel as JSON: Postgres has no arrays of arrays
 * of different lengths.
 */
const addSql = `INSERT INTO feedback.label_waiting AS kept
    (recorded_at, key, kind, prediction_id, model, request_id, source, actor, row, per_row, labelled_at, names, numbers, payload, expires_at)
  -- Of two labels of one row the last one counts, also where both came at once: a microsecond tells them apart.
  SELECT now() + (place - 1) * interval '1 microsecond', key, kind, prediction_id, model, request_id, source, actor, row, per_row, labelled_at,
    ARRAY(SELECT value FROM jsonb_array_elements_text(names) WITH ORDINALITY AS each (value, place) ORDER BY place),
    ARRAY(SELECT value::float8 FROM jsonb_array_elements_text(numbers) WITH ORDINALITY AS each (value, place) ORDER BY place),
    payload, expires_at
  FROM unnest($1::bytea[], $2::text[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[], $8::int4[], $9::bool[],
    $10::timestamptz[], $11::jsonb[], $12::jsonb[], $13::bytea[], $14::timestamptz[]) WITH ORDINALITY
    AS given (key, kind, prediction_id, model, request_id, source, actor, row, per_row, labelled_at, names, numbers, payload, expires_at, place)
  ORDER BY key
  -- One that was given up waits anew.
  ON CONFLICT (key) DO UPDATE SET state = 'waiting', expires_at = excluded.expires_at, recorded_at = excluded.recorded_at, ended_at = NULL,
    cause = '', reason = '', actor = excluded.actor, payload = excluded.payload WHERE kept.state <> 'waiting'
  RETURNING key`;

export async function addWaiting(client: PoolClient, rows: readonly WaitingRow[]): Promise<ReadonlySet<string>> {
  const of = (read: (item: Item) => unknown): unknown[] => rows.map(({ item }) => read(item));
  const { rows: added } = await client.query<{ key: Buffer }>(addSql, [
    rows.map(({ key }) => key),
    of(({ kind }) => kind),
    of(({ predictionId }) => (predictionId === '' ? null : predictionId)),
    ...[
      of(({ model }) => model),
      of(({ requestId }) => requestId),
      of(({ source }) => source),
      of(({ actor }) => actor),
    ],
    ...[of(({ row }) => row), of(({ perRow }) => perRow), of(({ atMicros }) => timeText(atMicros))],
    of(({ values }) => JSON.stringify(values.map((truth) => (isName(truth) ? truth.name : null)))),
    of(({ values }) => JSON.stringify(values.map((truth) => (isName(truth) ? null : truth.number)))),
    rows.map(({ payload }) => bytesOf(payload)),
    rows.map(({ expiresMs }) => new Date(expiresMs).toISOString()),
  ]);
  return new Set(added.map(({ key }) => key.toString('hex')));
}

export async function removeWaiting(client: PoolClient, keys: readonly Buffer[]): Promise<void> {
  await client.query('DELETE FROM feedback.label_waiting WHERE key = ANY ($1::bytea[])', [keys]);
}

export async function refuseWaiting(
  client: PoolClient,
  rows: readonly { readonly key: Buffer; readonly refusal: Refusal }[],
): Promise<void> {
  await client.query(
    `UPDATE feedback.label_waiting AS kept SET state = 'refused', ended_at = now(), cause = given.cause, reason = given.reason,
         payload = NULL
       FROM unnest($1::bytea[], $2::text[], $3::text[]) AS given (key, cause, reason) WHERE kept.key = given.key`,
    [rows.map(({ key }) => key), rows.map(({ refusal }) => refusal.kind), rows.map(({ refusal }) => refusal.reason)],
  );
}

/** A row of the table, as `waitingColumns` reads it. */
export interface StoredWaiting {
  readonly waiting_id: number;
  readonly key: Buffer;
  readonly kind: ItemKind;
  readonly prediction_id: string | null;
  readonly model: string;
  readonly request_id: string;
  readonly source: string;
  readonly actor: string;
  readonly row: number;
  readonly per_row: boolean;
  readonly at_micros: number | null;
  readonly names: readonly (string | null)[];
  readonly numbers: readonly (number | null)[];
  readonly payload: Buffer | null;
  readonly recorded_at: string;
}

export const waitingColumns = `waiting_id, key, kind, prediction_id, model, request_id, source, actor, row, per_row,
  (extract(epoch FROM labelled_at) * 1000000)::bigint AS at_micros, names, numbers, payload, recorded_at::text`;

/**
 * The first of some rows of the table, by their ids: no more than have about as many values as a batch may have, and one at least.
 *
 * @param rows a statement for `rows`, in the order of `waiting_id`, with a limit
 */
export const boundedSql = (rows: string, columns = waitingColumns): string => `
  SELECT ${columns}, scanned FROM (
    SELECT found.*, count(*) OVER () AS scanned, sum(cardinality(names)) OVER (ORDER BY waiting_id) - cardinality(names) AS values_before
    FROM (${rows}) AS found
  ) AS counted WHERE values_before < ${limits.values} ORDER BY waiting_id`;

export const itemOf = (row: StoredWaiting): Item => ({
  ...{ kind: row.kind, predictionId: row.prediction_id ?? '', model: row.model, requestId: row.request_id },
  ...{ source: row.source, actor: row.actor, row: row.row, perRow: row.per_row },
  atMicros: row.at_micros ?? undefined,
  values: row.names.map((name, index): Truth => (name === null ? { number: row.numbers[index]! } : { name })),
  payload: row.payload ?? undefined,
  recordedAt: row.recorded_at,
});
