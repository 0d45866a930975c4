import type { GetStatisticsResponse__Output } from '@sluice/contracts/gen/sluice/feedback/v1/GetStatisticsResponse';
import type { LabelPolicy } from '@sluice/contracts/gen/sluice/feedback/v1/LabelPolicy';
import type { QualityStatistics__Output } from '@sluice/contracts/gen/sluice/feedback/v1/QualityStatistics';
import type { StatisticsGroup__Output } from '@sluice/contracts/gen/sluice/feedback/v1/StatisticsGroup';
import type { WeightedCount__Output } from '@sluice/contracts/gen/sluice/feedback/v1/WeightedCount';
import { type CliContext, show } from '../context.ts';
import { showEnum, showMilliseconds, showTable, showTime } from '../format.ts';
import { armOf, expectModel, noPredictions, type RangeFlags, rangeOf } from './predictions.ts';

export interface StatisticsFlags extends RangeFlags {
  readonly bucket?: 'hour' | 'day';
  readonly byVersion: boolean;
  /** Seconds; 0: of any age. */
  readonly labelAge: number;
  readonly labels?: LabelPolicy;
  /** Empty: as the version says. */
  readonly positive: string;
}

const buckets = { hour: 'STATISTICS_BUCKET_HOUR', day: 'STATISTICS_BUCKET_DAY' } as const;

/** `sluice stats MODEL` */
export async function showStatistics(context: CliContext, model: string, flags: StatisticsFlags): Promise<void> {
  const { bucket, byVersion, labelAge, labels, positive } = flags;
  const found = await context.services.predictions.getStatistics(
    {
      ...rangeOf(context, model, flags),
      bucket: bucket ? buckets[bucket] : 'STATISTICS_BUCKET_UNSPECIFIED',
      grouping: byVersion ? 'STATISTICS_GROUPING_VERSION' : 'STATISTICS_GROUPING_UNSPECIFIED',
      ...{ labelAgeSeconds: labelAge, labelPolicy: labels ?? null, positiveClass: positive },
    },
    { signal: context.signal },
  );
  if (found.groups.length === 0) await expectModel(context, model);
  show(context, found, () => (found.groups.length === 0 ? noPredictions(model) : statisticsText(found)));
}

/** Two tables, of traffic and of quality. */
export function statisticsText({ groups, registryProblem }: GetStatisticsResponse__Output): string {
  const hasBuckets = groups.some(({ bucketAt }) => bucketAt !== null);
  const hasArms = groups.some(({ arm, role }) => arm !== '' || role !== '');
  const headings = [...(hasBuckets ? ['from'] : []), 'version', ...(hasArms ? ['arm'] : [])];
  const keys = (group: StatisticsGroup__Output): string[] => [
    ...(hasBuckets ? [showTime(group.bucketAt)] : []),
    group.version,
    ...(hasArms ? [armOf({ ...group, attempt: 1 })] : []),
  ];
  const traffic = showTable(
    [...headings, 'attempts', 'answered', 'failed', 'p50', 'p90', 'p99', 'cost/row'],
    groups.map((group) => [...keys(group), ...trafficCells(group)]),
  );
  const quality = showTable(
    [...headings, 'labelled', 'age', 'accuracy', 'precision', 'recall', 'log loss', 'mae', 'rows', 'quality'],
    groups.map((group) => [...keys(group), ...labelCells(group), ...qualityCells(group.quality)]),
  );
  return [traffic, quality, ...(registryProblem === '' ? [] : [registryProblem])].join('\n\n');
}

function trafficCells({ attempts, answered, statuses, latency, cost }: StatisticsGroup__Output): string[] {
  const failed = statuses
    .filter(({ status }) => status !== 0)
    .map(({ statusName, attempts: count }) => `${statusName} ${countText(count)}`);
  const ms = (micros: number | undefined): string => (micros === undefined ? '-' : showMilliseconds(micros / 1000));
  return [
    ...[countText(attempts), countText(answered), failed.join(', ') || '-'],
    ...[ms(latency?.p50Micros), ms(latency?.p90Micros), ms(latency?.p99Micros)],
    cost?.microsPerRow === undefined ? '-' : `${number(cost.microsPerRow)} µs`,
  ];
}

/** `120`, or `~1200` where records stand for others. */
function countText(count: WeightedCount__Output | null): string {
  if (!count) return '-';
  return count.standardError === 0 ? count.stored : `~${Math.round(count.estimate)}`;
}

function labelCells({ labels }: StatisticsGroup__Output): string[] {
  const coverage = labels?.coverage;
  const age = labels?.ageP50Seconds;
  return [
    coverage === undefined ? '-' : `${Number((coverage * 100).toPrecision(3))} %`,
    age === undefined ? '-' : ageText(age),
  ];
}

function ageText(seconds: number): string {
  const [size, unit] =
    seconds < 120 ? [1, 's'] : seconds < 7_200 ? [60, 'm'] : seconds < 172_800 ? [3_600, 'h'] : [86_400, 'd'];
  return `${Math.round(seconds / size)} ${unit}`;
}

function qualityCells(quality: QualityStatistics__Output | null): string[] {
  if (!quality) return Array<string>(7).fill('-');
  const { accuracy, precision, recall, logLoss, meanAbsoluteError, scored, state } = quality;
  const others = [
    ...[[quality.notCaptured, 'not captured'] as const, [quality.erased, 'erased'] as const],
    [quality.notDecodable, 'not readable'] as const,
  ].filter(([count]) => count !== '0');
  const said = [
    showEnum(state, 'QUALITY_STATE'),
    ...others.map(([count, what]) => `${count} ${what}`),
    quality.positiveClass === '' ? '' : `of "${quality.positiveClass}"`,
  ];
  return [
    ...[number(accuracy), number(precision), number(recall), number(logLoss), number(meanAbsoluteError)],
    ...[scored === '0' ? '-' : scored, said.filter(Boolean).join(', ')],
  ];
}

const number = (value: number | undefined): string =>
  value === undefined ? '-' : String(Number(value.toPrecision(4)));
