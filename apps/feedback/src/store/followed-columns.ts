import type { FollowedTable } from '../follow/position.ts';
import type { FollowedRow } from '../follow/row.ts';

/** One table as it is followed. */
export interface FollowedColumns {
  /** Of its primary key, each with its type and with the text of it that a cursor has. */
  readonly key: readonly { readonly column: string; readonly type: string; readonly text: string }[];
  /** Expressions by the name that their values get. */
  readonly values: Readonly<Record<string, string>>;
  readonly rowOf: (names: readonly string[], values: Readonly<Record<string, unknown>>) => FollowedRow;
}

/** Microseconds are whole numbers here; timestamps of JavaScript have no more than milliseconds. */
const micros = (column: string): string => `(extract(epoch FROM ${column}) * 1000000)::bigint`;

const same = (...columns: readonly string[]): Record<string, string> =>
  Object.fromEntries(columns.map((column) => [camel(column), `"${column}"`]));

const camel = (column: string): string => column.replaceAll(/_(\w)/g, (_, letter: string) => letter.toUpperCase());

const plain = (column: string, type: string) => ({ column: `"${column}"`, type, text: `"${column}"::text` });
const id = [plain('class', 'text'), plain('prediction_id', 'uuid')];

/** What is null is not known, and is left out. */
const rowOf =
  (kind: FollowedRow['kind']): FollowedColumns['rowOf'] =>
  (names, values) => {
    const row: Record<string, unknown> = { kind };
    for (const name of names) if (values[name] !== null) row[name] = values[name];
    return row as unknown as FollowedRow;
  };

const evidence = (skewed: boolean): FollowedColumns => ({
  key: [...id, plain('arm', 'text'), plain('attempt', 'smallint')],
  values: {
    ...same('prediction_id', 'model', 'arm', 'attempt', 'version', 'version_digest', 'version_known', 'release_id'),
    ...same(
      'seed_id',
      'policy_version',
      'served_arm',
      'propensity',
      'keep_probability',
      'reason',
      'answered',
      'status',
    ),
    ...same('fallback_status', 'sent_micros', 'ended_micros', 'queue_micros', 'run_micros', 'total_micros'),
    ...same('batch_rows', 'cost_micros', 'rows', 'request_id', 'caller', 'trace_id', 'rule', 'runtime', 'unit_hash'),
    ...same('input_hash', 'request_state', 'response_state'),
    ...{ retentionClass: 'class', role: `coalesce(role, '')`, skewed: String(skewed) },
    ...{ receivedMicros: micros('received_at'), ingestedMicros: micros('ingested_at') },
  },
  rowOf: rowOf('evidence'),
});

/** The tables that are followed: their keys, and what of them is sent. Payloads and subjects are not. */
export const followedColumns: Readonly<Record<FollowedTable, FollowedColumns>> = {
  evidence: evidence(false),
  evidence_skewed: evidence(true),
  label: {
    key: [
      ...id,
      ...[plain('row', 'integer'), plain('source', 'text')],
      { column: 'digest', type: 'bytea', text: `encode(digest, 'hex')` },
    ],
    values: {
      ...same('prediction_id', 'model', 'label_id', 'row', 'name', 'number', 'source', 'actor', 'request_id'),
      retentionClass: 'class',
      ...{ labelledMicros: micros('labelled_at'), recordedMicros: micros('recorded_at') },
    },
    rowOf: rowOf('label'),
  },
  outcome: {
    key: [...id, plain('arm', 'text'), plain('attempt', 'smallint'), plain('label_id', 'uuid')],
    values: {
      ...same(
        'prediction_id',
        'model',
        'label_id',
        'arm',
        'attempt',
        'row',
        'version',
        'release_id',
        'source',
        'state',
      ),
      ...same('keep_probability', 'truth_name', 'predicted_name', 'truth_number', 'predicted_number'),
      ...same('truth_probability'),
      ...{ retentionClass: 'class', role: `coalesce(role, '')` },
      ...{ receivedMicros: micros('received_at'), labelledMicros: micros('labelled_at') },
      labelRecordedMicros: micros('label_recorded_at'),
    },
    rowOf: rowOf('outcome'),
  },
};
