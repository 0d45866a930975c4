import { turnsAtLeast, type Measure } from './measure.ts';
import { median } from './statistics.ts';

/** Turns that what is compared takes in one round: a machine that changes its pace then does it to all of them. */
const mostSlices = 4;

/** How many slices a run of so many requests may be cut into. */
export function slicesOf(requests: number, inFlight: number): number {
  return Math.max(1, Math.min(mostSlices, Math.floor(requests / (turnsAtLeast * inFlight))));
}

/** The slices of one run as one: rates and CPU over all of it, times of the slice in the middle. */
export function joinSlices(slices: readonly Measure[]): Measure {
  const [first] = slices;
  if (slices.length === 1) return first!;
  const sum = (of: (slice: Measure) => number): number => slices.reduce((total, slice) => total + of(slice), 0);
  const [seconds, sent] = [sum((slice) => slice.seconds), sum((slice) => slice.sent)];
  const bySecond = (of: (slice: Measure) => number): number => sum((slice) => of(slice) * slice.seconds) / seconds;
  const byRequest = (of: (slice: Measure) => number): number => sum((slice) => of(slice) * slice.sent) / sent;
  const each = (of: (slice: Measure) => Readonly<Record<string, number>>): Record<string, number> => {
    const names = new Set(slices.flatMap((slice) => Object.keys(of(slice))));
    return Object.fromEntries([...names].map((name) => [name, byRequest((slice) => of(slice)[name] ?? 0)]));
  };
  return {
    requestsPerSecond: bySecond((slice) => slice.requestsPerSecond),
    seconds,
    sent,
    p50Ms: median(slices.map((slice) => slice.p50Ms)),
    p99Ms: median(slices.map((slice) => slice.p99Ms)),
    cpuUs: each((slice) => slice.cpuUs),
    threadCpuUs: each((slice) => slice.threadCpuUs),
    averageBatch: first!.averageBatch === undefined ? undefined : byRequest((slice) => slice.averageBatch ?? 0),
    generatorShare: bySecond((slice) => slice.generatorShare),
    generatorCeiling: median(slices.map((slice) => slice.generatorCeiling)),
    generatorProblems: slices.flatMap((slice) => slice.generatorProblems),
    checkProblems: slices.flatMap((slice) => slice.checkProblems),
  };
}
