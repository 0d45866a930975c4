import { type HistogramData, LatencyHistogram } from '../latency-histogram.ts';

/** Sent so much later than scheduled, a request counts as delayed, in milliseconds. */
export const delayToleranceMs = 1;
/** Kinds of failure that are kept apart, and how much of each message. */
const [mostFailures, longestMessage] = [32, 300];

export interface Failure {
  readonly count: number;
  /** What the first of them said. */
  readonly message: string;
}

/** What one thread counted in one window. */
export interface Counts {
  readonly latencies: HistogramData;
  /** Sums over answered requests: from due to written, and from the answer's first byte to its last. */
  readonly sendMs: number;
  readonly receiveMs: number;
  /** By status. */
  readonly failures: Readonly<Record<string, Failure>>;
  /** Requests of an open loop that were sent, and of them: late, and late because too many were in flight. */
  readonly scheduled: number;
  readonly delayed: number;
  readonly held: number;
  /** How late they were, in sum and at most. */
  readonly latenessMs: number;
  readonly latenessMaxMs: number;
}

/** Counts what happens to the requests of a window. */
export class Tally {
  #counts = emptyCounts();

  answered(latencyMs: number, sendMs: number, receiveMs: number): void {
    const counts = this.#counts;
    counts.latencies.record(latencyMs);
    counts.sendMs += sendMs;
    counts.receiveMs += receiveMs;
  }

  failed(status: string, message: string): void {
    const { failures } = this.#counts;
    const known = failures[status];
    if (known !== undefined) known.count += 1;
    else if (Object.keys(failures).length < mostFailures)
      failures[status] = { count: 1, message: message.slice(0, longestMessage) };
  }

  /** A request of an open loop leaves. @param held it had to wait because too many were in flight */
  left(latenessMs: number, held: boolean): void {
    const counts = this.#counts;
    counts.scheduled += 1;
    if (latenessMs > delayToleranceMs) counts.delayed += 1;
    if (held) counts.held += 1;
    counts.latenessMs += latenessMs;
    if (latenessMs > counts.latenessMaxMs) counts.latenessMaxMs = latenessMs;
  }

  /** What was counted since the last time. */
  take(): Counts {
    const counts = this.#counts;
    this.#counts = emptyCounts();
    return counts;
  }
}

const emptyCounts = () => ({
  latencies: new LatencyHistogram(),
  sendMs: 0,
  receiveMs: 0,
  failures: {} as Record<string, { count: number; message: string }>,
  scheduled: 0,
  delayed: 0,
  held: 0,
  latenessMs: 0,
  latenessMaxMs: 0,
});

/** Counts of several threads or windows as one. */
export function sumCounts(all: readonly Counts[]): Counts & { readonly latencies: LatencyHistogram } {
  const sum = emptyCounts();
  for (const one of all) {
    sum.latencies.add(one.latencies);
    sum.sendMs += one.sendMs;
    sum.receiveMs += one.receiveMs;
    sum.scheduled += one.scheduled;
    sum.delayed += one.delayed;
    sum.held += one.held;
    sum.latenessMs += one.latenessMs;
    sum.latenessMaxMs = Math.max(sum.latenessMaxMs, one.latenessMaxMs);
    for (const [status, { count, message }] of Object.entries(one.failures)) {
      const known = (sum.failures[status] ??= { count: 0, message });
      known.count += count;
    }
  }
  return sum;
}

export const failureCount = (counts: Pick<Counts, 'failures'>): number =>
  Object.values(counts.failures).reduce((sum, { count }) => sum + count, 0);
