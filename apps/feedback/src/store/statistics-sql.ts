import { retentionClasses } from '@sluice/domain/release';
import type { QualityQuery, StatisticsQuery } from '../predictions/statistics.ts';
import { leastId } from '../predictions/time-range.ts';
import type { Values } from './values.ts';

export const bucketMs = { hour: 3_600_000, day: 86_400_000 } as const;

/** Parts of a whole number's logarithm: two values of one part differ by 1.6 percent at most, and its middle from each by 0.8. */
const partsPerE = 64;

/** The part that a value from 0 on falls into. */
const partOf = (value: string): string => `floor(ln(1 + ${value}) * ${partsPerE})::int`;

/** The middle of a part. */
export const middleOf = (part: number): number => Math.exp((part + 0.5) / partsPerE) - 1;

/** What rows are grouped by, as expressions over a table of records. @param arm what its arm is called then */
function keysOf({ bucket, byArm }: StatisticsQuery, arm = 'arm'): string {
  const at = 'extract(epoch FROM uuid_extract_timestamp(prediction_id))::double precision * 1000';
  return [
    `${bucket === 'none' ? '0' : `floor(${at} / ${bucketMs[bucket]})`}::bigint AS bucket, version`,
    byArm ? `arm AS ${arm}, coalesce(role, '') AS role` : `'' AS ${arm}, '' AS role`,
  ].join(', ');
}

/** Which records of a table count. */
function conditions({ model, versions, arm, range }: StatisticsQuery, bound: Values): string {
  const all = [
    `prediction_id >= ${bound.add(leastId(range.fromMs))} AND prediction_id < ${bound.add(leastId(range.toMs))}`,
    `model = ${bound.add(model)}`,
  ];
  if (versions.length > 0) all.push(`version = ANY (${bound.add(versions)}::bigint[])`);
  if (arm !== undefined) all.push(`arm = ${bound.add(arm)}`);
  return all.join(' AND ');
}

const group = 'bucket, version, arm, role';
const weight = '1 / keep_probability';
const variance = '(1 - keep_probability) / (keep_probability * keep_probability)';

/** A count with its estimate and the estimate's variance, over the rows that fit a condition. */
const counts = (name: string, condition: string): string =>
  `count(*) FILTER (WHERE ${condition}) AS ${name},
   coalesce(sum(${weight}) FILTER (WHERE ${condition}), 0) AS ${name}_weight,
   coalesce(sum(${variance}) FILTER (WHERE ${condition}), 0) AS ${name}_variance`;

/** Rows that an attempt was made for: one where nobody counted them. */
const rows = 'greatest(rows, 1) / keep_probability';

/**
 * Attempts by group and status. They are counted by parts of their latency first, in memory that does not grow with their number, and quantiles
 * are read from these counts.
 *
 * @param mostGroups so many groups come whole, and of more at least one row
 */
export function trafficSql(query: StatisticsQuery, bound: Values, mostGroups: number): string {
  const where = conditions(query, bound);
  const columns =
    'prediction_id, version, arm, role, status, answered, ended_micros, cost_micros, rows, keep_probability, received_at';
  const oldEnough = oldEnoughSql(query, bound);
  return `
  WITH parts AS MATERIALIZED (
    SELECT ${keysOf(query)}, status, ${partOf('ended_micros')} AS part,
      ${counts('attempts', 'true')}, ${counts('answered', 'answered')},
      coalesce(sum(cost_micros / keep_probability), 0) AS cost,
      coalesce(sum(${rows}) FILTER (WHERE cost_micros IS NOT NULL), 0) AS cost_rows,
      coalesce(sum(${rows}) FILTER (WHERE status = 0), 0) AS rows,
      coalesce(sum(${rows}) FILTER (WHERE status = 0 AND ${oldEnough}), 0) AS rows_old_enough
    FROM (
      SELECT ${columns} FROM feedback.evidence WHERE ${where}
      -- Days have ids of version 7 alone; what has a time but none of these is of no time.
      UNION ALL SELECT ${columns} FROM feedback.evidence_skewed WHERE uuid_extract_version(prediction_id) = 7 AND ${where}
    ) AS records
    GROUP BY 1, 2, 3, 4, 5, 6
  ), summed AS (
    SELECT *, sum(attempts_weight) OVER (PARTITION BY ${group}, status ORDER BY part) AS up_to,
      sum(attempts_weight) OVER (PARTITION BY ${group}, status) AS total
    FROM parts
  )
  SELECT ${group}, status,
    ${['attempts', 'answered'].map(sums).join(', ')},
    sum(cost) AS cost, sum(cost_rows) AS cost_rows, sum(rows) AS rows, sum(rows_old_enough) AS rows_old_enough,
    ${quantiles([50, 90, 99])}
  FROM summed GROUP BY ${group}, status ORDER BY ${group}, status LIMIT ${bound.add(mostGroups * 17 + 1)}`;
}

const sums = (name: string): string =>
  `sum(${name})::bigint AS ${name}, sum(${name}_weight) AS ${name}_weight, sum(${name}_variance) AS ${name}_variance`;

/** The least part up to which so much of the weight lies. */
const quantiles = (percents: readonly number[]): string =>
  percents.map((each) => `min(part) FILTER (WHERE up_to >= total * ${each} / 100) AS p${each}`).join(', ');

const oldEnoughSql = ({ labelAgeMs, nowMs }: StatisticsQuery, bound: Values): string =>
  labelAgeMs === undefined ? 'true' : `received_at <= ${bound.add(new Date(nowMs - labelAgeMs))}::timestamptz`;

const age = 'extract(epoch FROM coalesce(labelled_at, label_recorded_at) - received_at)::double precision';

/** A number as far as sums of it are numbers: whoever says that the truth is 1e308 must not keep everybody from the statistics. */
const within = (value: string): string => `greatest(least(${value}, 1e290), -1e290)`;

/** Least probability of a true class: a logarithm of 0 would be all there is of a mean. */
const leastProbability = '1e-15';

/**
 * The label that counts of each row of each answer, class by class: in the order of the key of its table, or sorted first, on disk where that is much.
 */
function resolvedSql(query: QualityQuery, bound: Values): string {
  const where = [conditions(query, bound), oldEnoughSql(query, bound)];
  if (query.labelAgeMs !== undefined) where.push(`${age} <= ${bound.add(query.labelAgeMs / 1000)}`);
  const rank = `coalesce(array_position(${bound.add(query.policy.trustedSources)}::text[], source), 2147483647)`;
  const part = (name: string): string => `(
    SELECT DISTINCT ON (prediction_id, arm, attempt, row) ${keysOf(query, 'group_arm')},
      state, truth_name, predicted_name, truth_number, predicted_number, truth_probability, ${weight} AS weight, ${age} AS age
    FROM feedback.outcome WHERE class = '${name}' AND ${where.join(' AND ')}
    ORDER BY prediction_id, arm, attempt, row, ${rank}, label_recorded_at DESC, labelled_at DESC NULLS LAST, label_id DESC)`;
  return retentionClasses.map(part).join(' UNION ALL ');
}

/** What labels say, by group. @param mostGroups one more comes where there are more */
export function labelsSql(query: QualityQuery, bound: Values, mostGroups: number): string {
  const classified = `state = 'scored' AND truth_name IS NOT NULL AND predicted_name IS NOT NULL`;
  const measured = `state = 'scored' AND truth_number IS NOT NULL AND predicted_number IS NOT NULL`;
  const probable = `${classified} AND truth_probability IS NOT NULL`;
  const count = (state: string, name: string): string => `count(*) FILTER (WHERE state = '${state}') AS ${name}`;
  const mean = (value: string, condition: string): string =>
    `sum(weight * ${value}) FILTER (WHERE ${condition}) / sum(weight) FILTER (WHERE ${condition})`;
  const positives = [...query.positiveClasses].filter(([, name]) => name !== '');
  const positive = `unnest(${bound.add(positives.map(([version]) => version))}::bigint[],
    ${bound.add(positives.map(([, name]) => name))}::text[]) AS positive (version, class)`;
  return `
  WITH resolved AS MATERIALIZED (${resolvedSql(query, bound)}),
  totals AS (
    SELECT bucket, version, group_arm AS arm, role,
      ${[count('scored', 'scored'), count('not-captured', 'not_captured'), count('erased', 'erased'), count('not-decodable', 'not_decodable')].join(', ')},
      sum(weight) AS labelled_weight, coalesce(sum(weight) FILTER (WHERE state = 'scored'), 0) AS scored_weight,
      count(*) FILTER (WHERE ${classified} AND truth_name = predicted_name) AS correct,
      ${mean('(truth_name = predicted_name)::int', classified)} AS accuracy,
      ${mean(`-ln(greatest(truth_probability, ${leastProbability}))`, probable)} AS log_loss,
      count(*) FILTER (WHERE ${probable}) AS log_loss_rows,
      ${mean(`abs(${within('truth_number')} - ${within('predicted_number')})`, measured)} AS mean_absolute_error
    FROM resolved GROUP BY 1, 2, 3, 4
  ), classes AS (
    SELECT bucket, version, group_arm AS arm, role, side.class,
      coalesce(sum(weight) FILTER (WHERE side.is_truth), 0) AS truths,
      coalesce(sum(weight) FILTER (WHERE NOT side.is_truth), 0) AS predictions,
      coalesce(sum(weight) FILTER (WHERE side.is_truth AND truth_name = predicted_name), 0) AS hits
    FROM resolved CROSS JOIN LATERAL (VALUES (truth_name, true), (predicted_name, false)) AS side (class, is_truth)
    WHERE ${classified} GROUP BY 1, 2, 3, 4, 5
  ), rates AS (
    SELECT bucket, version, arm, role, coalesce(positive.class, '') AS positive_class,
      CASE WHEN positive.class IS NULL THEN avg(CASE WHEN predictions > 0 THEN hits / predictions ELSE 0 END)
        ELSE min(hits / nullif(predictions, 0)) FILTER (WHERE classes.class = positive.class) END AS precision,
      CASE WHEN positive.class IS NULL THEN avg(CASE WHEN truths > 0 THEN hits / truths ELSE 0 END)
        ELSE min(hits / nullif(truths, 0)) FILTER (WHERE classes.class = positive.class) END AS recall
    FROM classes LEFT JOIN ${positive} USING (version)
    GROUP BY bucket, version, arm, role, positive.class
  ), parts AS (
    SELECT bucket, version, group_arm AS arm, role, ${partOf('greatest(age, 0)')} AS part, sum(weight) AS weight
    FROM resolved GROUP BY 1, 2, 3, 4, 5
  ), summed AS (
    SELECT *, sum(weight) OVER (PARTITION BY ${group} ORDER BY part) AS up_to,
      sum(weight) OVER (PARTITION BY ${group}) AS total
    FROM parts
  ), ages AS (
    SELECT ${group}, ${quantiles([50, 90])} FROM summed GROUP BY ${group}
  )
  SELECT * FROM totals LEFT JOIN rates USING (${group}) LEFT JOIN ages USING (${group})
  ORDER BY ${group} LIMIT ${bound.add(mostGroups + 1)}`;
}
