import { runProgram } from './child-json.ts';
import { calibrate, measure, type LoadOptions } from './measure.ts';
import { windowOf, type OpenLoopJob, type OpenLoopResult } from './open-loop-job.ts';
import { newSeries, openLoopProblems, type Scenario } from './scenario.ts';
import type { Subject } from './subject.ts';
import { workloadPlans, type Workload, type WorkloadPlan } from './workloads.ts';

export const overloadName = 'overload';
/** Of the closed loop that finds out what the server can do: two full batches, so that nothing waits for long. */
const inFlight = 32;
const timesCapacity = 3;
/** Until the queue is full, nothing is refused. */
const settleMs = 2_000;
/** What callers wait for an answer: longer than the full queue takes. */
const deadlineMs = 5_000;

/** The convolutional net with a bounded queue: without a bound there is nothing to refuse, and everything comes too late. */
export const overloadPlan: WorkloadPlan = {
  ...workloadPlans.find(({ name }) => name === 'convnet')!,
  name: overloadName,
  model: 'bench-overload',
  maxQueueSize: 64,
};

/** An open loop of Poisson arrivals at three times what the server can do: how much of that is left, and how soon the rest is told. */
export function overload(router: Subject, workload: Workload, options: LoadOptions): Scenario {
  const goodput = newSeries(`convnet: goodput at ${timesCapacity} x capacity, over the peak`, 'ratio', {
    is: 'at least',
    value: 0.85,
  });
  const refusals = newSeries(`convnet: p99 of refusals at ${timesCapacity} x capacity`, 'ms', {
    is: 'at most',
    value: 50,
  });
  const seconds = Math.max(options.seconds, 4) + settleMs / 1000;
  let requests = 0;
  return {
    name: overloadName,
    series: [goodput, refusals],
    prepare: async () => {
      requests = await calibrate(router, workload, inFlight, options);
    },
    run: async () => {
      const peak = await measure(router, workload, inFlight, requests, options);
      const job: OpenLoopJob = {
        address: router.address,
        path: router.path,
        frameFile: workload.frameFile,
        perSecond: timesCapacity * peak.requestsPerSecond,
        seconds,
        deadlineMs,
        poissonSeed: goodput.values.length + 1,
      };
      const result = (await runProgram('open-loop.ts', job)) as OpenLoopResult;
      const from = result.dueAtMs[0]! + settleMs;
      const window = windowOf(result, from, result.dueAtMs[0]! + seconds * 1000);
      goodput.values.push(window.goodPerSecond / peak.requestsPerSecond);
      refusals.values.push(window.refusedP99Ms);
      const problems = [...peak.checkProblems, ...peak.generatorProblems, ...openLoopProblems(result)];
      for (const [kind, count] of Object.entries(window.others)) problems.push(`${count} requests ended ${kind}`);
      goodput.problems.push(...problems);
      refusals.problems.push(...problems);
    },
  };
}
