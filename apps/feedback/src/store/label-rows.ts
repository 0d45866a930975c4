import type { PoolClient } from 'pg';
import type { FeedbackRow, LabelRow, OutcomeRow } from '../labels/ports.ts';
import { timeText } from '../labels/times.ts';
import { labelledOf, ofEachClass } from './label-lookups.ts';
import type { Column } from './row-columns.ts';
import { RowColumns } from './row-columns.ts';

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
const labels = new RowColumns('label', labelColumns, 'class, prediction_id, row, source, digest', 'label_id');

const labelKey = (predictionId: string, row: number, source: string, digest: Buffer): string =>
  `${predictionId} ${row} ${digest.toString('latin1')} ${source}`;

/**
 * Adds those that are not there. Few are, as a rule: they are looked for, and the others copied; `unique_violation` then says that
 * somebody added one just now.
 *
 * @param isCareful to leave that to the database, row by row
 */
export async function addLabels(
  client: PoolClient,
  rows: readonly LabelRow[],
  isCareful: boolean,
): Promise<ReadonlySet<string>> {
  const known = await knownLabels(client, rows);
  const fresh: LabelRow[] = [];
  for (const row of rows) {
    const key = labelKey(row.predictionId, row.row, row.item.source, row.digest);
    if (known.has(key)) continue;
    known.add(key);
    fresh.push(row);
  }
  if (isCareful) return new Set(await labels.insert(client, fresh));
  if (fresh.length > 0) await labels.copy(client, fresh);
  return new Set(fresh.map(({ labelId }) => labelId));
}

/** Keys of those that are there, in whichever class: a prediction may have records in several. */
async function knownLabels(client: PoolClient, rows: readonly LabelRow[]): Promise<Set<string>> {
  const labelled = new Set(await labelledOf(client, [...new Set(rows.map(({ predictionId }) => predictionId))]));
  const asked = rows.filter(({ predictionId }) => labelled.has(predictionId));
  if (asked.length === 0) return new Set();
  const { rows: found } = await client.query<{ prediction_id: string; row: number; source: string; digest: Buffer }>(
    ofEachClass(
      (name) =>
        `SELECT asked.prediction_id, asked.row, asked.source, asked.digest
           FROM unnest($1::uuid[], $2::int4[], $3::text[], $4::bytea[]) AS asked (prediction_id, row, source, digest)
           CROSS JOIN LATERAL (SELECT FROM feedback.label AS l WHERE l.class = '${name}' AND l.prediction_id = asked.prediction_id
             AND l.row = asked.row AND l.source = asked.source AND l.digest = asked.digest LIMIT 1) AS there`,
    ),
    [
      asked.map(({ predictionId }) => predictionId),
      asked.map(({ row }) => row),
      asked.map(({ item }) => item.source),
      asked.map(({ digest }) => digest),
    ],
  );
  return new Set(found.map((each) => labelKey(each.prediction_id, each.row, each.source, each.digest)));
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
const outcomes = new RowColumns('outcome', outcomeColumns, 'class, prediction_id, arm, attempt, label_id', 'label_id');

/** Outcomes of labels that this transaction added: nobody else knows of them. */
export const addFirstOutcomes = (client: PoolClient, rows: readonly OutcomeRow[]): Promise<void> =>
  outcomes.copy(client, rows);

/** Returns how many were new. */
export const addOutcomes = async (client: PoolClient, rows: readonly OutcomeRow[]): Promise<number> =>
  (await outcomes.insert(client, rows)).length;

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
const feedback = new RowColumns(
  'feedback_item',
  feedbackColumns,
  'class, prediction_id, kind, source, row, digest',
  'feedback_id',
);

export const addFeedback = async (client: PoolClient, rows: readonly FeedbackRow[]): Promise<ReadonlySet<string>> =>
  new Set(await feedback.insert(client, rows));

/** As the driver takes them. */
export const bytesOf = (bytes: Uint8Array | undefined): Buffer | null =>
  bytes === undefined ? null : Buffer.from(bytes);
