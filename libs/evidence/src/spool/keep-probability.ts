/** Up to here everything is kept. */
export const keepAllBelow = 0.5;
/** From here on no less is kept. */
export const keepLeastFrom = 0.9;
/** Smallest probability: below it the weight of a record, one over it, would say little. */
export const leastProbability = 0.01;

/**
 * With which probability a best-effort record is kept while so much of the spool is used: 1 as long as half of it is free, then
 * falling by the same factor for each percent, down to `leastProbability`.
 *
 * It has no state and no clock. What comes in falls as the spool fills, so that the spool settles where as much comes in as is
 * sent; as soon as more is sent, it empties, and the probability rises by itself. A factor, and not a difference, because what has
 * to be shed may be half of the traffic or 99 % of it: either is found within the same range.
 *
 * @param fill used share of the spool, 0 to 1
 */
export function keepProbability(fill: number): number {
  if (fill <= keepAllBelow) return 1;
  if (fill >= keepLeastFrom) return leastProbability;
  return leastProbability ** ((fill - keepAllBelow) / (keepLeastFrom - keepAllBelow));
}
