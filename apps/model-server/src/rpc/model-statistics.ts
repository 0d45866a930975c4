import type { GRPCInferenceServiceMethods, ResponseInput } from '@sluice/contracts/services';
import { failureReasons, type VersionStats } from '../serving/version-stats.ts';
import type { Assignment } from '../versions/assignment.ts';

export type ModelStatisticsMessage = NonNullable<
  ResponseInput<GRPCInferenceServiceMethods['modelStatistics']>['modelStats']
>[number];

/** Trailer of ModelStatistics: names the process whose counts these are, so that a router sees when they start anew. */
export const epochTrailer = 'sluice-statistics-epoch';

/** A placed version and what it has done. */
export interface CountedVersion {
  readonly assignment: Assignment;
  readonly stats: VersionStats;
}

const ns = (us: number): string => BigInt(Math.max(0, Math.round(us * 1000))).toString();

const nothing = { count: 0, ns: '0' };

/**
 * Triton's statistics of a version. Of requests: success, queue and the three compute phases, all with the number of
 * requests that were answered; fail; inference_count, which is their rows. Of executions: execution_count and batch_stats.
 */
export function statisticsOf({ assignment, stats }: CountedVersion): ModelStatisticsMessage {
  const answered = (us: number) => ({ count: stats.successes, ns: ns(us) });
  const failures = failureReasons.reduce((sum, reason) => sum + stats.failures[reason], 0);
  return {
    name: assignment.model,
    version: String(assignment.version),
    lastInference: Math.round(stats.lastInferenceMs),
    inferenceCount: stats.inferences,
    executionCount: stats.executions,
    inferenceStats: {
      success: answered(stats.requestUs),
      fail: { count: failures, ns: ns(stats.failureUs) },
      queue: answered(stats.queueUs),
      computeInput: answered(stats.inputUs),
      computeInfer: answered(stats.inferUs),
      computeOutput: answered(stats.outputUs),
      cacheHit: nothing,
      cacheMiss: nothing,
    },
    batchStats: stats.bySize().map(({ rows, executions, inputUs, inferUs, outputUs }) => ({
      batchSize: rows,
      computeInput: { count: executions, ns: ns(inputUs) },
      computeInfer: { count: executions, ns: ns(inferUs) },
      computeOutput: { count: executions, ns: ns(outputUs) },
    })),
  };
}
