import type { GetStatisticsResponse } from '@sluice/contracts/gen/sluice/feedback/v1/GetStatisticsResponse';
import type { LabelStatistics as LabelsMessage } from '@sluice/contracts/gen/sluice/feedback/v1/LabelStatistics';
import type { QualityState } from '@sluice/contracts/gen/sluice/feedback/v1/QualityState';
import type { QualityStatistics } from '@sluice/contracts/gen/sluice/feedback/v1/QualityStatistics';
import type { StatisticsGroup as GroupMessage } from '@sluice/contracts/gen/sluice/feedback/v1/StatisticsGroup';
import { statusName } from '@sluice/rpc/status';
import type { Statistics, StatisticsGroup } from '../predictions/get-statistics.ts';
import type { LabelStatistics } from '../predictions/statistics.ts';
import { encodeLabelPolicy } from './encode-prediction.ts';
import { timestamp } from './scalars.ts';

/** Statistics as a message. */
export const encodeStatistics = ({
  groups,
  range,
  labelPolicy,
  registryProblem,
}: Statistics): GetStatisticsResponse => ({
  groups: groups.map(encodeGroup),
  ...{ from: timestamp(range.fromMs), to: timestamp(range.toMs) },
  ...{ labelPolicy: encodeLabelPolicy(labelPolicy), registryProblem },
});

function encodeGroup({ traffic, labels }: StatisticsGroup): GroupMessage {
  const { bucketMs, version, arm, role, attempts, answered, statuses, latency, rows } = traffic;
  const { costMicros: totalMicros, costMicrosPerRow: microsPerRow } = traffic;
  return {
    ...{ version, arm, role: role ?? '', attempts: { ...attempts }, answered: { ...answered }, rows },
    bucketAt: bucketMs === undefined ? null : timestamp(bucketMs),
    statuses: statuses.map(({ status, count }) => ({ status, statusName: statusName(status), attempts: { ...count } })),
    latency: latency ? { p50Micros: latency.p50, p90Micros: latency.p90, p99Micros: latency.p99 } : null,
    cost: { totalMicros, ...(microsPerRow !== undefined && { microsPerRow }) },
    labels: encodeLabels(labels, traffic.rowsOldEnough),
    quality: encodeQuality(labels),
  };
}

function encodeLabels(labels: LabelStatistics | undefined, rows: number): LabelsMessage {
  const labelledRows = labels?.labelledWeight ?? 0;
  const ages = labels?.agesSeconds;
  return {
    ...{ labelledRows, rows },
    ...(rows > 0 && { coverage: labelledRows / rows }),
    ...(ages && { ageP50Seconds: ages.p50, ageP90Seconds: ages.p90 }),
  };
}

function encodeQuality(labels: LabelStatistics | undefined): QualityStatistics {
  if (!labels) return { state: 'QUALITY_STATE_NO_LABELS' };
  const { scored, notCaptured, erased, notDecodable, correct, logLossRows, positiveClass, scoredWeight } = labels;
  const { accuracy, precision, recall, logLoss, meanAbsoluteError } = labels;
  return {
    ...{ state: stateOf(labels), scored, notCaptured, erased, notDecodable, correct, logLossRows },
    ...{ scoredEstimate: scoredWeight, positiveClass },
    ...(accuracy !== undefined && { accuracy }),
    ...(precision !== undefined && { precision }),
    ...(recall !== undefined && { recall }),
    ...(logLoss !== undefined && { logLoss }),
    ...(meanAbsoluteError !== undefined && { meanAbsoluteError }),
  };
}

function stateOf({ scored, notCaptured, erased, notDecodable }: LabelStatistics): QualityState {
  if (scored > 0) return 'QUALITY_STATE_MEASURED';
  return notCaptured > 0 && erased + notDecodable === 0 ? 'QUALITY_STATE_NOT_CAPTURED' : 'QUALITY_STATE_NOT_SCORED';
}
