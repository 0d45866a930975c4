import type { RetentionClass } from '@sluice/domain/release';
import { retentionClasses } from '@sluice/domain/release';
import type { ExportPlace, ExportQuery } from '../exports/export.ts';
import { leastId } from '../predictions/time-range.ts';
import type { LabelPolicy } from '../versions/registry-version.ts';
import type { Values } from './values.ts';

/** Files have their records in this order; what lies where they are out of time comes last of one id, arm and attempt. */
export const exportOrder = 'prediction_id, arm, attempt, skewed, class';

const columns = `class, prediction_id, arm, attempt, received_at, model, version, version_digest, role, answered, status, rows,
  keep_probability, subject, request_state, response_state, octet_length(request) AS request_bytes,
  octet_length(response) AS response_bytes`;

/**
 * The next records of a range at its horizon, whether they fit or not, up to a bound. Each class and the table of those out of time
 * give theirs in the order of an index, and no more of them than are wanted.
 */
export function windowSql(
  { range, horizon }: ExportQuery,
  after: ExportPlace | undefined,
  most: number,
  bound: Values,
): string {
  const keys = [
    `prediction_id >= ${bound.add(after?.predictionId ?? leastId(range.fromMs))}::uuid`,
    `prediction_id < ${bound.add(leastId(range.toMs))}::uuid AND recorded_xid < ${bound.add(horizon.xid)}::xid8`,
  ];
  const place = after && [bound.add(after.predictionId), bound.add(after.arm), bound.add(after.attempt)].join(', ');
  const limit = bound.add(most);
  const part = (table: string, own: string, behind: string): string =>
    `(SELECT ${columns}, ${table === 'evidence_skewed'} AS skewed FROM feedback.${table}
      WHERE ${[own, ...keys, behind].join(' AND ')} ORDER BY prediction_id, arm, attempt, class LIMIT ${limit})`;
  const ofClass = (name: RetentionClass): string => {
    const operator = after && !after.skewed && name > after.retentionClass ? '>=' : '>';
    return place === undefined ? 'true' : `(prediction_id, arm, attempt) ${operator} (${place})`;
  };
  const skewed = (): string => {
    if (!after) return 'true';
    const behind = `(prediction_id, arm, attempt) >= (${place})`;
    return after.skewed
      ? `(prediction_id, arm, attempt, class) > (${place}, ${bound.add(after.retentionClass)})`
      : behind;
  };
  const parts = [
    ...retentionClasses.map((name) => part('evidence', `class = '${name}'`, ofClass(name))),
    // What has a time but none of version 7 is of no time.
    part('evidence_skewed', 'uuid_extract_version(prediction_id) = 7', skewed()),
  ];
  return `SELECT * FROM (${parts.join(' UNION ALL ')}) AS parts ORDER BY ${exportOrder} LIMIT ${limit}`;
}

/** Which of the records that were looked at fit. */
export function fits(query: ExportQuery, bound: Values): string {
  const { model, versions, arm, role, status, label, range, horizon } = query;
  const all = [`model = ${bound.add(model)}`];
  if (versions.length > 0) all.push(`version = ANY (${bound.add(versions)}::bigint[])`);
  if (arm !== undefined) all.push(`arm = ${bound.add(arm)}`);
  if (role !== undefined) all.push(`role = ${bound.add(role)}`);
  if (status !== 'any') all.push(`status ${status === 'ok' ? '=' : '<>'} 0`);
  if (label === 'any') return all.join(' AND ');
  const labels = `FROM feedback.label WHERE label.class = looked.class AND label.prediction_id = looked.prediction_id
    AND label.prediction_id >= ${bound.add(leastId(range.fromMs))}::uuid AND label.prediction_id < ${bound.add(leastId(range.toMs))}::uuid
    AND label.recorded_xid < ${bound.add(horizon.xid)}::xid8`;
  // Some row has a truth, or some row has none.
  all.push(
    label === 'labelled'
      ? `EXISTS (SELECT ${labels})`
      : `(SELECT count(DISTINCT label.row) ${labels} AND label.row < greatest(looked.rows, 1)) < greatest(looked.rows, 1)`,
  );
  return all.join(' AND ');
}

const micros = (column: string): string => `(extract(epoch FROM ${column}) * 1000000)::bigint`;

/** The label that counts of each row, as statistics resolve them: see `resolve-labels.ts`. */
export function truthsSql(
  { horizon }: ExportQuery,
  { trustedSources }: LabelPolicy,
  keys: { readonly classes: readonly string[]; readonly ids: readonly string[] },
  rows: { readonly from: number; readonly to: number },
  bound: Values,
): string {
  const ids = bound.add(keys.ids);
  const rank = `coalesce(array_position(${bound.add(trustedSources)}::text[], source), 2147483647)`;
  return `
    SELECT DISTINCT ON (class, prediction_id, row) class, prediction_id, row, name, number, source,
      ${micros('labelled_at')} AS labelled_micros, ${micros('recorded_at')} AS recorded_micros
    FROM feedback.label
    WHERE class = ANY (${bound.add([...new Set(keys.classes)])}::text[])
      AND prediction_id >= ${bound.add(keys.ids[0])}::uuid AND prediction_id <= ${bound.add(keys.ids.at(-1))}::uuid
      AND (class, prediction_id) IN (SELECT * FROM unnest(${bound.add(keys.classes)}::text[], ${ids}::uuid[]))
      AND row >= ${bound.add(rows.from)} AND row < ${bound.add(rows.to)} AND recorded_xid < ${bound.add(horizon.xid)}::xid8
    ORDER BY class, prediction_id, row, ${rank}, recorded_at DESC, labelled_at DESC NULLS LAST, label_id DESC`;
}
