import type { Clock } from '@sluice/domain/clock';

/** Runs `fn` when `everyMs` have passed since it last ran; the first time that long after this call. */
export function chore(clock: Clock, everyMs: number, fn: () => Promise<unknown>): () => Promise<void> {
  let due = clock.monotonic() + everyMs;
  return async () => {
    if (clock.monotonic() < due) return;
    due = clock.monotonic() + everyMs;
    await fn();
  };
}
