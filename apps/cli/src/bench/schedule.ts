import { SeededRandom } from './seeded-random.ts';

/** When requests are to be sent, whatever becomes of those before them. */
export type Arrivals =
  | { readonly kind: 'constant'; readonly perSecond: number }
  /** Exponential gaps: as many independent callers make them. */
  | { readonly kind: 'poisson'; readonly perSecond: number; readonly seed: number }
  /** Gaps in microseconds, from the first again after the last. */
  | { readonly kind: 'intervals'; readonly gapsUs: readonly number[] };

/** Which arrivals are one thread's: number `index` of every `of`. */
export interface Share {
  readonly index: number;
  readonly of: number;
}

const whole: Share = { index: 0, of: 1 };

/**
 * The times of arrivals in milliseconds after the start. Each is reckoned from the start, not from when the one before was
 * sent, so that a late request makes none after it late.
 */
export class Schedule {
  readonly #timeOf: () => number;
  readonly #skip: number;
  #next: number;

  /** @param share of several threads that make the same schedule; together they send every arrival once */
  constructor(arrivals: Arrivals, share: Share = whole) {
    this.#timeOf = timesOf(arrivals);
    this.#skip = share.of - 1;
    for (let index = 0; index < share.index; index += 1) this.#timeOf();
    this.#next = this.#timeOf();
  }

  /** When the next request is due. */
  get next(): number {
    return this.#next;
  }

  /** The next request is taken: goes on to the one after it. */
  advance(): void {
    for (let index = 0; index < this.#skip; index += 1) this.#timeOf();
    this.#next = this.#timeOf();
  }
}

function timesOf(arrivals: Arrivals): () => number {
  switch (arrivals.kind) {
    case 'constant':
      return constantTimes(arrivals.perSecond);
    case 'poisson':
      return poissonTimes(arrivals.perSecond, arrivals.seed);
    case 'intervals':
      return intervalTimes(arrivals.gapsUs);
  }
}

function constantTimes(perSecond: number): () => number {
  let count = 0;
  return () => (count++ * 1000) / perSecond;
}

function poissonTimes(perSecond: number, seed: number): () => number {
  const random = new SeededRandom(seed);
  let at = 0;
  return () => (at += (-Math.log(1 - random.uniform()) * 1000) / perSecond);
}

function intervalTimes(gapsUs: readonly number[]): () => number {
  const cycleUs = gapsUs.reduce((sum, gap) => sum + gap, 0);
  let [rounds, index, inRoundUs] = [0, 0, 0];
  return () => {
    const at = (rounds * cycleUs + inRoundUs) / 1000;
    inRoundUs += gapsUs[index]!;
    index += 1;
    if (index === gapsUs.length) [rounds, index, inRoundUs] = [rounds + 1, 0, 0];
    return at;
  };
}

/** The mean rate of arrivals a second. */
export function rateOf(arrivals: Arrivals): number {
  if (arrivals.kind !== 'intervals') return arrivals.perSecond;
  return (arrivals.gapsUs.length * 1e6) / arrivals.gapsUs.reduce((sum, gap) => sum + gap, 0);
}
