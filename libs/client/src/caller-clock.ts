import type { Clock } from '@sluice/domain/clock';
import { systemClock } from '@sluice/service-kit/clock';

/**
 * The machine's clock for a program that calls: its timers keep the process alive, since a program that waits for its next
 * attempt has nothing else that does and would end in the middle of its `await`.
 */
export const callerClock: Clock = Object.freeze({
  now: () => systemClock.now(),
  monotonic: () => systemClock.monotonic(),
  schedule(ms: number, fn: () => void) {
    const timer = setTimeout(fn, Math.min(Math.max(0, ms), 0x7fff_ffff));
    return { cancel: () => clearTimeout(timer) };
  },
});
