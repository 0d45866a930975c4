import { SluiceError } from '@sluice/domain/errors';
import type { ArmRole } from '@sluice/domain/release';
import type { DataSource } from 'typeorm';
import type {
  Bucket,
  GroupKey,
  LabelStatistics,
  QualityQuery,
  StatisticsQuery,
  StatisticsReader,
  TrafficStatistics,
  WeightedCount,
} from '../predictions/statistics.ts';
import { statement } from './connection.ts';
import { bucketMs, labelsSql, middleOf, trafficSql } from './statistics-sql.ts';
import { Values } from './values.ts';

interface GroupRow {
  readonly bucket: number;
  readonly version: number;
  readonly arm: string;
  readonly role: ArmRole | '';
}

interface TrafficRow extends GroupRow {
  readonly status: number;
  readonly attempts: number;
  readonly attempts_weight: number;
  readonly attempts_variance: number;
  readonly answered: number;
  readonly answered_weight: number;
  readonly answered_variance: number;
  readonly cost: number;
  readonly cost_rows: number;
  readonly rows: number;
  readonly rows_old_enough: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
}

interface LabelsRow extends GroupRow {
  readonly scored: number;
  readonly not_captured: number;
  readonly erased: number;
  readonly not_decodable: number;
  readonly labelled_weight: number;
  readonly scored_weight: number;
  readonly correct: number;
  readonly accuracy: number | null;
  readonly log_loss: number | null;
  readonly log_loss_rows: number;
  readonly mean_absolute_error: number | null;
  readonly positive_class: string | null;
  readonly precision: number | null;
  readonly recall: number | null;
  readonly p50: number | null;
  readonly p90: number | null;
}

/** Groups of one answer. */
const usualGroups = 10_000;

/** Statistics, computed in Postgres. */
export class StatisticsStore implements StatisticsReader {
  readonly #dataSource: DataSource;
  readonly #available: () => void;
  readonly #mostGroups: number;

  /**
   * @param available throws `unavailable` while the database is known to be away
   * @param mostGroups of one answer
   */
  constructor(dataSource: DataSource, available: () => void, mostGroups = usualGroups) {
    this.#dataSource = dataSource;
    this.#available = available;
    this.#mostGroups = mostGroups;
  }

  async traffic(query: StatisticsQuery): Promise<TrafficStatistics[]> {
    const bound = new Values();
    const rows = await this.#rows<TrafficRow>(trafficSql(query, bound, this.#mostGroups), bound);
    const groups = Map.groupBy(rows, ({ bucket, version, arm, role }) => `${bucket} ${version} ${role} ${arm}`);
    if (groups.size > this.#mostGroups) throw tooManyGroups(this.#mostGroups);
    return [...groups.values()].map((ofGroup) => toTraffic(ofGroup, query.bucket));
  }

  async labels(query: QualityQuery): Promise<LabelStatistics[]> {
    const bound = new Values();
    const rows = await this.#rows<LabelsRow>(labelsSql(query, bound, this.#mostGroups), bound);
    if (rows.length > this.#mostGroups) throw tooManyGroups(this.#mostGroups);
    return rows.map((row) => toLabels(row, query.bucket));
  }

  #rows<R>(sql: string, bound: Values): Promise<R[]> {
    this.#available();
    return statement<R>(this.#dataSource, sql, bound.list);
  }
}

const tooManyGroups = (mostGroups: number): SluiceError =>
  new SluiceError(
    'resource-exhausted',
    `more than ${mostGroups} groups: narrow \`from\` and \`to\`, take larger buckets, or group by version`,
  );

const keyOf = ({ bucket, version, arm, role }: GroupRow, size: Bucket): GroupKey => ({
  bucketMs: size === 'none' ? undefined : bucket * bucketMs[size],
  ...{ version, arm, role: role === '' ? undefined : role },
});

/** @param rows one for each status, the lowest first */
function toTraffic(rows: readonly TrafficRow[], bucket: Bucket): TrafficStatistics {
  const total = (value: (row: TrafficRow) => number): number => rows.reduce((sum, row) => sum + value(row), 0);
  const ok = rows.find(({ status }) => status === 0);
  const costRows = total((row) => row.cost_rows);
  const costMicros = total((row) => row.cost);
  return {
    ...keyOf(rows[0]!, bucket),
    attempts: count(
      ...[total((row) => row.attempts), total((row) => row.attempts_weight)],
      total((row) => row.attempts_variance),
    ),
    answered: count(
      ...[total((row) => row.answered), total((row) => row.answered_weight)],
      total((row) => row.answered_variance),
    ),
    statuses: rows.map((row) => ({
      status: row.status,
      count: count(row.attempts, row.attempts_weight, row.attempts_variance),
    })),
    latency: ok && { p50: middleOf(ok.p50), p90: middleOf(ok.p90), p99: middleOf(ok.p99) },
    ...{ costMicros, costMicrosPerRow: costRows === 0 ? undefined : costMicros / costRows },
    ...{ rows: total((row) => row.rows), rowsOldEnough: total((row) => row.rows_old_enough) },
  };
}

const count = (stored: number, estimate: number, variance: number): WeightedCount => ({
  ...{ stored, estimate, standardError: Math.sqrt(variance) },
});

const toLabels = (row: LabelsRow, bucket: Bucket): LabelStatistics => ({
  ...keyOf(row, bucket),
  ...{ scored: row.scored, notCaptured: row.not_captured, erased: row.erased, notDecodable: row.not_decodable },
  ...{ labelledWeight: row.labelled_weight, scoredWeight: row.scored_weight, correct: row.correct },
  agesSeconds: row.p50 === null || row.p90 === null ? undefined : { p50: middleOf(row.p50), p90: middleOf(row.p90) },
  ...{ accuracy: row.accuracy ?? undefined, precision: row.precision ?? undefined, recall: row.recall ?? undefined },
  ...{ positiveClass: row.positive_class ?? '', logLoss: row.log_loss ?? undefined, logLossRows: row.log_loss_rows },
  meanAbsoluteError: row.mean_absolute_error ?? undefined,
});
