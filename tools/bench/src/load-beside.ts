import { runProgram } from './child-json.ts';
import { calibrate, measure, type LoadOptions } from './measure.ts';
import { metricSum } from './metrics-text.ts';
import { buildPerceptron } from './onnx/bench-models.ts';
import { windowOf, type OpenLoopJob, type OpenLoopResult } from './open-loop-job.ts';
import { PinnedVersion } from './pinned-version.ts';
import { pause } from './platform.ts';
import { newSeries, openLoopProblems, type Scenario } from './scenario.ts';
import { scrape } from './scrape.ts';
import type { Subject } from './subject.ts';
import type { Workload, WorkloadPlan } from './workloads.ts';

export const loadBesideName = 'load-beside';
const share = 0.2;
const inFlight = 64;
const deadlineMs = 5_000;
/** Requests run this long before the load begins, and after it. */
const aroundMs = 2_000;
/** Node's own meter of delays wakes every so often: what it shows of a quiet loop. */
const meterMs = 10;

/** 100 MB of weights, not those of the perceptron: what is loaded must not be on the runtime's disk already. */
export const loadedPlan: WorkloadPlan = {
  name: loadBesideName,
  model: 'bench-loaded',
  input: 'x',
  rowShape: [1024],
  largest: 1,
  maxBatchSize: 128,
  rawBatches: [],
  graph: { build: () => buildPerceptron([1024, 4096, 4096, 1000], 11) },
};

export interface LoadBesideOptions extends LoadOptions {
  readonly registryAddress: string;
  /** Of the runtime. */
  readonly metricsPort: number;
  /** Of the version of `loadedPlan` at the registry. */
  readonly version: string;
}

/** A fifth of what the small model can take, while the same runtime fetches and loads 100 MB: what its callers notice. */
export function loadBeside(direct: Subject, small: Workload, options: LoadBesideOptions): Scenario {
  const p99 = newSeries('small at 20 % load: p99 while 100 MB load beside it, over p99 before', 'ms more', {
    is: 'at most',
    value: 20,
  });
  const stall = newSeries('small at 20 % load: longest stall of the event loop while 100 MB load', 'ms', {
    is: 'at most',
    value: 20,
  });
  const { registryAddress, version } = options;
  const pinned = new PinnedVersion(registryAddress, direct.address, { model: loadedPlan.model, version });
  let perSecond = 0;
  return {
    name: loadBesideName,
    series: [p99, stall],
    prepare: async () => {
      await pinned.set(false);
      const requests = await calibrate(direct, small, inFlight, options);
      perSecond = share * (await measure(direct, small, inFlight, requests, options)).requestsPerSecond;
    },
    run: async () => {
      const job: OpenLoopJob = {
        address: direct.address,
        path: direct.path,
        frameFile: small.frameFile,
        perSecond,
        // Longer than any load that is worth measuring; what comes after it is not looked at.
        seconds: (2 * aroundMs + 6_000) / 1000,
        deadlineMs,
      };
      const running = runProgram('open-loop.ts', job) as Promise<OpenLoopResult>;
      await pause(2 * aroundMs);
      // Node's meter starts anew with every scrape.
      await worstDelayMs(options);
      const loadedFrom = Date.now();
      await pinned.set(true);
      await pinned.becomes('ready');
      const loadedBy = Date.now();
      stall.values.push(Math.max(0, (await worstDelayMs(options)) - meterMs));
      const result = await running;
      const before = windowOf(result, loadedFrom - aroundMs, loadedFrom);
      const during = windowOf(result, loadedFrom, loadedBy);
      p99.values.push(during.goodP99Ms - before.goodP99Ms);
      const problems = openLoopProblems(result);
      if (loadedBy > (result.dueAtMs.at(-1) ?? 0)) problems.push('the load took longer than the requests went on');
      for (const window of [before, during])
        if (window.refused > 0 || Object.keys(window.others).length > 0)
          problems.push(`requests failed: ${window.refused} refused, ${JSON.stringify(window.others)}`);
      p99.problems.push(...problems);
      stall.problems.push(...problems);
      await pinned.set(false);
    },
  };
}

/** Of the runtime since the last time, in milliseconds. */
async function worstDelayMs({ metricsPort }: LoadBesideOptions): Promise<number> {
  return metricSum(await scrape(metricsPort), 'nodejs_eventloop_lag_max_seconds', {}) * 1000;
}
