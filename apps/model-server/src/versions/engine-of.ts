import type { Clock } from '@sluice/domain/clock';
import type { ServingConfig } from '@sluice/domain/signature';
import type { Sampler } from '@sluice/resilience/sampler';
import type { Logger } from '@sluice/service-kit/logger';
import type { SessionPool } from '../runtime/session-pool.ts';
import type { Engine } from '../serving/engine.ts';
import { makeEngine } from '../serving/make-engine.ts';
import type { VersionStats } from '../serving/version-stats.ts';
import type { WarmUpReport } from '../serving/warm-up.ts';
import type { Assignment } from './assignment.ts';

/** Sessions that are loaded and warm, and what their engine tells. */
export interface LoadedSessions {
  readonly assignment: Assignment;
  /** With batches bounded by memory. */
  readonly serving: ServingConfig;
  readonly pool: SessionPool;
  readonly warm: WarmUpReport;
  readonly stats: VersionStats;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly defer: (fn: () => void) => void;
  /** Which failures of the model are logged. */
  readonly failures: Sampler;
  readonly ran: (inferUs: number) => void;
}

/** The engine of a version whose sessions are loaded and warm. */
export function engineOf(loaded: LoadedSessions): Engine {
  const { assignment, serving, warm, logger, failures, ...ports } = loaded;
  const { model, version, signature } = assignment;
  if (serving.maxBatchSize !== assignment.serving.maxBatchSize) {
    const { maxBatchSize } = serving;
    logger.warn({ maxBatchSize }, 'rows are so wide that batches are kept smaller than asked for');
  }
  return makeEngine({
    ...ports,
    model,
    version,
    signature,
    serving,
    knownOutputs: warm.knownOutputs,
    // Which operator fails, now and then and without the words that quote the input.
    modelFailed: ({ cause }) => {
      const unlogged = failures.take(String(cause));
      if (unlogged !== undefined) logger.warn({ what: cause, unlogged }, 'the model failed on an input');
    },
    onDefect: (thrown) => logger.error({ err: thrown }, 'a request could not be answered'),
  });
}
