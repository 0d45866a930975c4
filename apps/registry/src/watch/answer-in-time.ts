import type { Clock } from '@sluice/domain/clock';
import { unavailable } from '@sluice/domain/errors';

/** What of a caller's time its work may take. */
const share = 0.7;

/**
 * Answers UNAVAILABLE before the caller's deadline when the work does not end: a database may hang for seconds before that
 * is known, and a caller whose deadline passes would take this replica for hung and leave it (ADR 37).
 *
 * @param deadlineMs of the caller, in milliseconds of `Clock.now()`; undefined when there is none
 */
export async function answerInTime<T>(clock: Clock, deadlineMs: number | undefined, work: Promise<T>): Promise<T> {
  if (deadlineMs === undefined) return work;
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = clock.schedule(Math.max(0, share * (deadlineMs - clock.now())), () =>
    reject(unavailable('the database does not answer in time; try again')),
  );
  try {
    return await Promise.race([work, late]);
  } finally {
    timer.cancel();
  }
}
