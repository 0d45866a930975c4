import { median } from '../statistics.ts';

/** What router and feedback say of the records between them, at one moment. */
export interface BacklogSample {
  readonly atMs: number;
  /** Records that the router has kept, all in all. */
  readonly kept: number;
  /** Records that feedback has committed, all in all. */
  readonly stored: number;
  /** Records for which the spool had no room. */
  readonly dropped: number;
  readonly keepProbability: number;
}

/** What a spool may have more at the end: this many seconds of what comes, for batches that are under way, … */
const noiseSeconds = 0.5;
/** … and this share of the time between the two looks. */
const noiseShare = 0.01;

/**
 * Why a spool grows at a rate; undefined when it does not. What is compared is how many records it has in the middle of the last third
 * of the time and in that of the first: single looks come before or after a batch.
 *
 * @param samples from when the rate has begun until it ends; at least six
 */
export function growthOf(samples: readonly BacklogSample[], perSecond: number): string | undefined {
  const third = Math.floor(samples.length / 3);
  const [first, last] = [samples.slice(0, third), samples.slice(-third)];
  if (third < 2) return 'it was looked at too seldom to say';
  const dropped = samples.at(-1)!.dropped - samples[0]!.dropped;
  if (dropped > 0) return `${dropped} records were dropped`;
  if (samples.some(({ keepProbability }) => keepProbability < 1)) return 'not all records were kept';
  const seconds = (median(last.map(({ atMs }) => atMs)) - median(first.map(({ atMs }) => atMs))) / 1000;
  const more = median(last.map(backlog)) - median(first.map(backlog));
  const allowed = perSecond * (noiseSeconds + noiseShare * seconds);
  return more <= allowed ? undefined : `${Math.round(more)} records more after ${seconds.toFixed(1)} s`;
}

const backlog = ({ kept, stored }: BacklogSample): number => kept - stored;
