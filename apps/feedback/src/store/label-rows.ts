import type { PoolClient } from 'pg';
import type { FeedbackRow, LabelRow, OutcomeRow } from '../labels/ports.ts';
import { timeText } from '../labels/times.ts';

/** A column of rows that are sent as arrays: its type, and its value of a row. */
type Column<R> = readonly [name: string, type: string, read: (row: R) => unknown];

/** One parameter for each column, however many rows there are. */
function insertSql<R>(table: string, columns: readonly Column<R>[], order: string, returning: string): string {
  const names = columns.map(([name]) => name).join(', ');
  const arrays = columns.map(([, type], index) => `$${index + 1}::${type}[]`).join(', ');
  // In the order of the key, so that two batches with the same rows wait for each other and not in a circle.
  return `INSERT INTO feedback.${table} (${names}) SELECT ${names} FROM unnest(${arrays}) WITH ORDINALITY AS given (${names}, place)
    ORDER BY ${order}, place ON CONFLICT DO NOTHING ${returning}`;
}

const valuesOf = <R>(columns: readonly Column<R>[], rows: readonly R[]): unknown[] =>
  columns.map(([, , read]) => rows.map(read));

const labelColumns: readonly Column<LabelRow>[] = [
  ['class', 'text', (row) => row.class],
  ['prediction_id', 'uuid', (row) => row.predictionId],
  ['label_id', 'uuid', (row) => row.labelId],
  ['labelled_at', 'timestamptz', ({ item }) => timeText(item.atMicros)],
  ['recorded_at', 'timestamptz', (row) => row.recordedAt],
  ['number', 'float8', (row) => row.number],
  ['row', 'int4', (row) => row.row],
  ['name', 'text', (row) => row.name],
  ['model', 'text', (row) => row.model],
  ['source', 'text', ({ item }) => item.source],
  ['actor', 'text', ({ item }) => item.actor],
  ['request_id', 'text', ({ item }) => item.requestId],
  ['digest', 'bytea', (row) => row.digest],
];
const labelKey = 'class, prediction_id, row, source, digest';
const labelSql = insertSql('label', labelColumns, labelKey, 'RETURNING label_id');

export async function addLabels(client: PoolClient, rows: readonly LabelRow[]): Promise<ReadonlySet<string>> {
  const added = await client.query<{ label_id: string }>(labelSql, valuesOf(labelColumns, rows));
  return new Set(added.rows.map(({ label_id: id }) => id));
}

const outcomeColumns: readonly Column<OutcomeRow>[] = [
  ['class', 'text', ({ answer }) => answer.class],
  ['prediction_id', 'uuid', ({ answer }) => answer.predictionId],
  ['label_id', 'uuid', ({ label }) => label.labelId],
  ['received_at', 'timestamptz', ({ answer }) => answer.receivedAt],
  ['labelled_at', 'timestamptz', ({ label }) => label.labelledAt],
  ['label_recorded_at', 'timestamptz', ({ label }) => label.recordedAt],
  ['version', 'int8', ({ answer }) => answer.version],
  ['keep_probability', 'float8', ({ answer }) => answer.keepProbability],
  ['truth_number', 'float8', ({ label }) => label.number],
  ['predicted_number', 'float8', ({ score }) => score?.predictedNumber ?? null],
  ['truth_probability', 'float8', ({ score }) => score?.truthProbability ?? null],
  ['row', 'int4', ({ label }) => label.row],
  ['attempt', 'int2', ({ answer }) => answer.attempt],
  ['state', 'text', ({ state }) => state],
  ['arm', 'text', ({ answer }) => answer.arm],
  ['role', 'text', ({ answer }) => answer.role],
  ['model', 'text', ({ answer }) => answer.model],
  ['release_id', 'text', ({ answer }) => answer.releaseId],
  ['source', 'text', ({ label }) => label.source],
  ['truth_name', 'text', ({ label }) => label.name],
  ['predicted_name', 'text', ({ score }) => score?.predictedName ?? null],
];
const outcomeSql = insertSql('outcome', outcomeColumns, 'class, prediction_id, arm, attempt, label_id', '');

/** Returns how many were new. */
export async function addOutcomes(client: PoolClient, rows: readonly OutcomeRow[]): Promise<number> {
  return (await client.query(outcomeSql, valuesOf(outcomeColumns, rows))).rowCount ?? 0;
}

const feedbackColumns: readonly Column<FeedbackRow>[] = [
  ['class', 'text', (row) => row.class],
  ['prediction_id', 'uuid', (row) => row.predictionId],
  ['feedback_id', 'uuid', (row) => row.feedbackId],
  ['given_at', 'timestamptz', ({ item }) => timeText(item.atMicros)],
  ['recorded_at', 'timestamptz', (row) => row.recordedAt],
  ['number', 'float8', ({ item: { values } }) => (values[0] && 'number' in values[0] ? values[0].number : null)],
  ['payload_key_id', 'uuid', (row) => row.payloadKeyId ?? null],
  ['row', 'int4', ({ item }) => item.row],
  ['kind', 'text', ({ item }) => item.kind],
  ['name', 'text', ({ item: { values } }) => (values[0] && 'name' in values[0] ? values[0].name : null)],
  ['model', 'text', (row) => row.model],
  ['source', 'text', ({ item }) => item.source],
  ['actor', 'text', ({ item }) => item.actor],
  ['request_id', 'text', ({ item }) => item.requestId],
  ['payload_state', 'text', (row) => row.payloadState],
  ['digest', 'bytea', (row) => row.digest],
  ['payload', 'bytea', (row) => bytesOf(row.payload)],
];
const feedbackKey = 'class, prediction_id, kind, source, row, digest';
const feedbackSql = insertSql('feedback_item', feedbackColumns, feedbackKey, 'RETURNING feedback_id');

export async function addFeedback(client: PoolClient, rows: readonly FeedbackRow[]): Promise<ReadonlySet<string>> {
  const added = await client.query<{ feedback_id: string }>(feedbackSql, valuesOf(feedbackColumns, rows));
  return new Set(added.rows.map(({ feedback_id: id }) => id));
}

/** As the driver takes them. */
export const bytesOf = (bytes: Uint8Array | undefined): Buffer | null =>
  bytes === undefined ? null : Buffer.from(bytes);
