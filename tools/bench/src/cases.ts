import { Checker } from './checker.ts';
import { runProgram } from './child-json.ts';
import { rawName } from './figures.ts';
import { profileWhile, type Hotspot } from './live-profile.ts';
import { calibrate, measure, type LoadOptions, type Measure } from './measure.ts';
import { pause } from './platform.ts';
import type { RawResult } from './raw-runtime.ts';
import type { Scenario } from './scenario.ts';
import { joinSlices, slicesOf } from './slices.ts';
import type { Subject } from './subject.ts';
import type { Workload } from './workloads.ts';

/** One thing that is measured in every round. */
export interface Case {
  readonly name: string;
  /** Finds its parameters, once, before the first round. @returns into how many slices a run of it may be cut */
  prepare(): Promise<number>;
  /** Runs one of `slices` slices of a run. */
  run(slices: number): Promise<void>;
  /** The slices of a run have been run. */
  ended(): void;
  /** Runs once more, and watches each process meanwhile; a case without processes has none. */
  profile?(): Promise<Record<string, readonly Hotspot[]>>;
}

/** ONNX Runtime alone, at its best batch size and, where a target is about another, at that too. */
export function rawCase(
  { plan, modelFile }: Workload,
  options: { readonly threads: number; readonly seconds: number },
  series: { batch: number; best: boolean; workload: string; rowsPerSecond: number[] }[],
): Case {
  const { threads, seconds } = options;
  const measureRaw = async (batches: readonly number[], time: number): Promise<RawResult[]> => {
    const job = { modelFile, threads, input: plan.input, rowShape: plan.rowShape, batches, seconds: time };
    return (await runProgram('raw-runtime.ts', job)) as RawResult[];
  };
  return {
    name: rawName(plan.name),
    prepare: async () => {
      const found = await measureRaw(plan.rawBatches, seconds / 2);
      const best = found.toSorted((a, b) => b.rowsPerSecond - a.rowsPerSecond)[0]!.batch;
      for (const batch of new Set([best, plan.rawBatch ?? best]))
        series.push({ workload: plan.name, batch, best: batch === best, rowsPerSecond: [] });
      return 1;
    },
    run: async () => {
      const own = series.filter(({ workload }) => workload === plan.name);
      const batches = own.map(({ batch }) => batch);
      const results = await measureRaw(batches, seconds);
      for (const [index, result] of results.entries()) own[index]!.rowsPerSecond.push(result.rowsPerSecond);
    },
    ended: () => undefined,
  };
}

/** A closed loop of requests at a server. */
export function loadCase(
  subject: Subject,
  workload: Workload,
  inFlight: number,
  options: LoadOptions,
  runs: Measure[],
): Case {
  const name = `${workload.plan.name}/${subject.name}/${inFlight}`;
  let requests = 0;
  const slices: Measure[] = [];
  return {
    name,
    prepare: async () => {
      await eventuallyRight(subject, workload, name);
      requests = await calibrate(subject, workload, inFlight, options);
      return slicesOf(requests, inFlight);
    },
    run: async (count) => {
      const share = Math.ceil(requests / count);
      slices.push(await measure(subject, workload, inFlight, share, options));
    },
    ended: () => void runs.push(joinSlices(slices.splice(0))),
    profile: async () => {
      const found: Record<string, readonly Hotspot[]> = {};
      for (const process of subject.busy) {
        found[process] = await profileWhile(subject.pids[process]![0]!, async () => {
          await measure(subject, workload, inFlight, requests, options);
        });
      }
      return found;
    },
  };
}

/** A scenario is played through whole: it stands in a group of its own. @param rounds how often it is asked to run */
export function scenarioCase(scenario: Scenario, rounds: number): Case {
  let round = 0;
  return {
    name: scenario.name,
    prepare: async () => {
      await scenario.prepare();
      return 1;
    },
    run: async () => {
      round++;
      const { plays } = scenario;
      if (plays === undefined || round === (plays === 'first round' ? 1 : rounds)) await scenario.run();
    },
    ended: () => undefined,
    ...(scenario.watched && { profile: () => profileScenario(scenario) }),
  };
}

/** Plays it once for each process. What it measures while it is watched is no figure. */
async function profileScenario(scenario: Scenario): Promise<Record<string, readonly Hotspot[]>> {
  const kept = scenario.series.map(({ values, problems }) => [values.length, problems.length] as const);
  const found: Record<string, readonly Hotspot[]> = {};
  try {
    for (const [name, pid] of Object.entries((await scenario.watched?.()) ?? {}))
      found[name] = await profileWhile(pid, () => scenario.run());
  } finally {
    for (const [index, [values, problems]] of kept.entries()) {
      scenario.series[index]!.values.length = values;
      scenario.series[index]!.problems.length = problems;
    }
  }
  return found;
}

/** Every check once, before any load: a server that answers wrongly, or not at all, is not worth measuring. */
export async function eventuallyRight(subject: Subject, workload: Workload, name: string): Promise<void> {
  let problem: string | undefined;
  for (let attempt = 0; attempt < 40; attempt++) {
    const checker = new Checker(subject, workload.checks);
    problem = await checker.once();
    await checker.stop();
    if (problem === undefined) return;
    await pause(250);
  }
  throw new Error(`${name} does not answer as ONNX Runtime does: ${problem}`);
}
