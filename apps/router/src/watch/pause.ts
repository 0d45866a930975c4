import type { Clock } from '@sluice/domain/clock';
import { sleep } from '@sluice/resilience/deadline';

/** Waits `ms` milliseconds, or until `signal` aborts: whoever waits looks at the signal afterwards. */
export async function pause(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(clock, ms, signal);
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

/** A function, because the compiler takes a signal that was checked once to stay as it was. */
export function isRunning(signal: AbortSignal): boolean {
  return !signal.aborted;
}
