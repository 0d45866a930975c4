import type { Clock } from '@sluice/domain/clock';

/** Resolves after `ms` milliseconds, or at once when `signal` aborts. */
export async function pause(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  const { promise, resolve } = Promise.withResolvers<undefined>();
  const wake = (): void => resolve(undefined);
  const timer = clock.schedule(ms, wake);
  signal.addEventListener('abort', wake, { once: true });
  await promise;
  timer.cancel();
  signal.removeEventListener('abort', wake);
}

/** A function, because the compiler takes a signal that was checked once to stay as it was. */
export function isRunning(signal: AbortSignal): boolean {
  return !signal.aborted;
}
