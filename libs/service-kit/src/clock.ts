import { randomBytes } from 'node:crypto';
import type { Clock, Random } from '@sluice/domain/clock';

/** The machine's clock. */
export const systemClock: Clock = Object.freeze({
  now: () => Date.now(),
  monotonic: () => performance.now(),
  schedule(ms: number, fn: () => void) {
    // setTimeout takes at most 2^31 - 1 ms and fires at once above it.
    const timer = setTimeout(fn, Math.min(Math.max(0, ms), 0x7fff_ffff));
    timer.unref();
    return { cancel: () => clearTimeout(timer) };
  },
});

/** The machine's randomness: `uniform` for jitter, `bytes` (cryptographic) for ids and keys. */
export const systemRandom: Random = Object.freeze({
  uniform: () => Math.random(),
  bytes: (count: number) => new Uint8Array(randomBytes(count)),
});
