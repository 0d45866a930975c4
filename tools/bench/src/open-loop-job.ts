import { percentile } from './statistics.ts';

/** What an open loop sends. */
export interface OpenLoopJob {
  /** host:port */
  readonly address: string;
  readonly path: string;
  /** A file with the gRPC frame of the request. */
  readonly frameFile: string;
  readonly perSecond: number;
  readonly seconds: number;
  /** Of each request, from when it was due. */
  readonly deadlineMs: number;
  /** Poisson arrivals by this seed; steady ones without it. */
  readonly poissonSeed?: number;
}

/** How each request ended, by its number. */
export interface OpenLoopResult {
  /** Milliseconds since the epoch. */
  readonly dueAtMs: readonly number[];
  /** From when it was due; NaN (null in JSON) for one that never ended. */
  readonly tookMs: readonly (number | null)[];
  /** `ok`, the kind of the error, or `open` for one that never ended. */
  readonly kinds: readonly string[];
  /** How late the generator itself was at worst. */
  readonly worstLateMs: number;
  readonly cpuSeconds: number;
  readonly seconds: number;
}

/** What came of the requests that were due within a window of time. */
export interface Window {
  readonly due: number;
  /** Answered well and in time, per second. */
  readonly goodPerSecond: number;
  readonly goodP99Ms: number;
  /** Refused, since there was no room for them. */
  readonly refused: number;
  readonly refusedP99Ms: number;
  /** How the others ended, by kind. */
  readonly others: Readonly<Record<string, number>>;
}

/** @param fromMs and @param toMs in milliseconds since the epoch */
export function windowOf(result: OpenLoopResult, fromMs: number, toMs: number): Window {
  const good: number[] = [];
  const refused: number[] = [];
  const others: Record<string, number> = {};
  let due = 0;
  for (const [index, at] of result.dueAtMs.entries()) {
    if (at < fromMs || at >= toMs) continue;
    due++;
    const kind = result.kinds[index]!;
    if (kind === 'ok') good.push(result.tookMs[index]!);
    else if (kind === 'resource-exhausted') refused.push(result.tookMs[index]!);
    else others[kind] = (others[kind] ?? 0) + 1;
  }
  return {
    due,
    goodPerSecond: (good.length * 1000) / (toMs - fromMs),
    goodP99Ms: percentile(good, 0.99),
    refused: refused.length,
    refusedP99Ms: percentile(refused, 0.99),
    others,
  };
}
