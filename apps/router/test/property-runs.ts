import { env } from 'node:process';

/** How many cases property tests try, and from which seed: soak runs set more, a failure is repeated with its seed. */
export const propertyRuns = {
  numRuns: Number(env['SLUICE_PROPERTY_RUNS'] ?? 1_000),
  seed: Number(env['SLUICE_PROPERTY_SEED'] ?? 1),
};

/** Numbers in [0, 1) that a seed decides. */
export function seeded(seed: number): () => number {
  let state = Math.imul(seed + 1, 0x9e3779b1) >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let bits = Math.imul(state ^ (state >>> 15), state | 1);
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32;
  };
}
