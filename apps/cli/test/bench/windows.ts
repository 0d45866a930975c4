import type { GeneratorWindow } from '../../src/bench/generator/generator.ts';
import { LatencyHistogram } from '../../src/bench/latency-histogram.ts';

/** A window of one second in which nothing happened. */
export const emptyWindow = (): GeneratorWindow => ({
  latencies: new LatencyHistogram(),
  sendMs: 0,
  receiveMs: 0,
  failures: {},
  scheduled: 0,
  delayed: 0,
  held: 0,
  latenessMs: 0,
  latenessMaxMs: 0,
  seconds: 1,
  cpuShares: [0.25],
  cpuMs: 250,
});

/** A window of one second with answers of these latencies. */
export function window(latenciesMs: readonly number[]): GeneratorWindow {
  const latencies = new LatencyHistogram();
  for (const ms of latenciesMs) latencies.record(ms);
  return { ...emptyWindow(), latencies };
}
