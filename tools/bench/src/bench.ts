import { mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import path from 'node:path';
import { Checker } from './checker.ts';
import { runProgram } from './child-json.ts';
import { hasH2load, howToGetH2load } from './h2load.ts';
import { calibrate, measure, type LoadOptions, type Measure } from './measure.ts';
import type { BenchOptions } from './options.ts';
import { pause, placeModel, startPlatform, type RunningPlatform } from './platform.ts';
import { profileWhile, type Hotspot } from './live-profile.ts';
import { measureRest } from './rest.ts';
import type { RawResult } from './raw-runtime.ts';
import { jsonRows, rowsOf, type Figures } from './rows.ts';
import { joinSlices, slicesOf } from './slices.ts';
import { platformSubject, startEcho, type Subject } from './subject.ts';
import { asEcho, prepareWorkload, workloadPlans, writeGraph, type Workload } from './workloads.ts';

/** How many different requests the checker goes through. */
const checksPerWorkload = 32;
/** A platform at rest has had this long to become quiet. */
const restMs = 10_000;

export interface BenchPorts {
  /** The repository. */
  readonly root: string;
  readonly say: (line: string) => void;
}

/** Everything that the bench found. */
export interface BenchResult {
  readonly figures: Figures;
  readonly machine: string;
  readonly folder: string;
  /** Of each load row that a target was not met with: where the main thread of each process was. */
  readonly profiles: Readonly<Record<string, Readonly<Record<string, readonly Hotspot[]>>>>;
}

/** One thing that is measured in every round. */
interface Case {
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

/** Runs the whole bench, or what `only` leaves of it. */
export async function runBench(options: BenchOptions, ports: BenchPorts): Promise<BenchResult> {
  const folder = path.join(ports.root, '.sluice', 'bench');
  mkdirSync(folder, { recursive: true });
  const h2load = hasH2load();
  if (!h2load) ports.say(howToGetH2load);
  const { portOffset, threads, rounds } = options;
  const restOptions = { root: ports.root, folder, portOffset, threads, rounds, restMs: options.quick ? 1000 : restMs };
  const rest = options.only.test('rest') ? await measureRest(restOptions, ports.say) : [];
  const bench = new Bench(options, { h2load, folder, seconds: options.seconds }, ports);
  const machine = `${availableParallelism()} cores, ${cpus()[0]?.model ?? 'unknown'}, Node ${process.versions.node}`;
  const figures: Figures = { raw: bench.raw, load: bench.load, rest };
  const result = { figures, machine, folder, profiles: bench.profiles };
  try {
    await bench.start();
    await bench.measureAll();
    // Before the profiles: a profile that cannot be taken must not cost the figures.
    writeResult(result, options);
    await bench.profileMissed();
  } finally {
    await bench.stop();
  }
  writeResult(result, options);
  return result;
}

class Bench {
  readonly raw: { workload: string; batch: number; rowsPerSecond: number[] }[] = [];
  readonly load: { workload: string; subject: string; inFlight: number; runs: Measure[] }[] = [];
  readonly profiles: Record<string, Record<string, readonly Hotspot[]>> = {};
  readonly #options: BenchOptions;
  readonly #loadOptions: LoadOptions;
  readonly #ports: BenchPorts;
  /** What is compared stands in one group: the slices of its runs take turns. */
  readonly #groups: Case[][] = [];
  readonly #stops: (() => void | Promise<void>)[] = [];

  constructor(options: BenchOptions, loadOptions: LoadOptions, ports: BenchPorts) {
    this.#options = options;
    this.#loadOptions = loadOptions;
    this.#ports = ports;
  }

  async start(): Promise<void> {
    const { folder } = this.#loadOptions;
    const subjects = ['echo', 'direct', 'router'] as const;
    const wantsLoad = (workload: string, subject: string): boolean =>
      this.#options.inFlight.some((inFlight) => this.#options.only.test(`${workload}/${subject}/${inFlight}`));
    const wanted = workloadPlans.filter(
      ({ name }) => this.#options.only.test(`${name}/raw`) || subjects.some((subject) => wantsLoad(name, subject)),
    );
    const onPlatform = wanted.some(({ name }) => wantsLoad(name, 'direct') || wantsLoad(name, 'router'));
    const platform = onPlatform ? await this.#startPlatform() : undefined;
    const echo = wanted.some(({ name }) => name === 'small' && wantsLoad(name, 'echo')) ? await startEcho() : undefined;
    if (echo) this.#stops.push(echo.stop);
    for (const plan of wanted) {
      this.#ports.say(`preparing ${plan.name}`);
      const { file } = writeGraph(plan, this.#ports.root, folder);
      const version = platform ? await placeModel(platform.registryAddress, plan, file) : '1';
      const { threads } = this.#options;
      const workload = await prepareWorkload(plan, version, file, { folder, checks: checksPerWorkload, threads });
      const subjects = platform ? this.#platformSubjects(platform) : [];
      const yardstick = echo && plan.name === 'small' ? echo.subject : undefined;
      for (const inFlight of this.#options.inFlight) {
        const loads = subjects.map((subject) => this.#addLoad(subject, workload, inFlight));
        if (yardstick) loads.unshift(this.#addLoad(yardstick, asEcho(workload), inFlight));
        const group = loads.filter((one) => one !== undefined);
        if (group.length > 0) this.#groups.push(group);
      }
      // Beside the router at its best, which it is compared with.
      if (this.#options.only.test(`${plan.name}/raw`)) this.#groups.push([this.#addRaw(workload)]);
    }
  }

  async stop(): Promise<void> {
    for (const stop of this.#stops.reverse()) await stop();
  }

  /** All cases once, then all again: a machine that slows down slows down every row. */
  async measureAll(): Promise<void> {
    const slices = new Map<Case[], number>();
    for (const group of this.#groups) {
      const possible: number[] = [];
      for (const one of group) {
        this.#ports.say(`warming up ${one.name}`);
        possible.push(await one.prepare());
      }
      slices.set(group, Math.min(...possible));
    }
    for (let round = 1; round <= this.#options.rounds; round++) {
      for (const [group, count] of slices) {
        this.#ports.say(`round ${round} of ${this.#options.rounds}: ${group.map(({ name }) => name).join(', ')}`);
        for (let slice = 0; slice < count; slice++) for (const one of group) await one.run(count);
        for (const one of group) one.ended();
      }
    }
  }

  /** A target that was missed is shown with where the time went. */
  async profileMissed(): Promise<void> {
    const rows = rowsOf({ raw: this.raw, load: this.load, rest: [] });
    const names = new Set(rows.flatMap((row) => (row.verdict && row.verdict !== 'met' && row.of ? [row.of] : [])));
    for (const one of this.#groups.flat()) {
      if (!names.has(one.name) || !one.profile) continue;
      this.#ports.say(`profiling ${one.name}`);
      try {
        this.profiles[one.name] = await one.profile();
      } catch (error) {
        this.#ports.say(`no profile of ${one.name}: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
  }

  async #startPlatform(): Promise<RunningPlatform> {
    this.#ports.say('starting the platform');
    const { portOffset, threads } = this.#options;
    const home = path.join(this.#loadOptions.folder, 'platform');
    const platform = await startPlatform({ root: this.#ports.root, home, portOffset, runtimes: 1, threads });
    this.#stops.push(async () => platform.stop());
    return platform;
  }

  #platformSubjects({ pids }: RunningPlatform): Subject[] {
    const { portOffset } = this.#options;
    const { router, 'runtime-1': runtime, registry, platform, postgres } = pids;
    const idle = { registry: registry!, supervisor: platform!, postgres: postgres ?? [] };
    const metricsPort = portOffset + 8012;
    return [
      platformSubject('direct', {
        port: portOffset + 8011,
        metricsPort,
        pids: { 'model-server': runtime!, ...idle },
        busy: ['model-server'],
      }),
      platformSubject('router', {
        port: portOffset + 8001,
        metricsPort,
        routerMetricsPort: portOffset + 8002,
        pids: { router: router!, 'model-server': runtime!, ...idle },
        busy: ['router', 'model-server'],
      }),
    ];
  }

  #addRaw({ plan, modelFile }: Workload): Case {
    const series = { workload: plan.name, batch: 0, rowsPerSecond: [] as number[] };
    this.raw.push(series);
    const { threads, seconds } = this.#options;
    const measureRaw = async (batches: readonly number[], time: number): Promise<RawResult[]> => {
      const job = { modelFile, threads, input: plan.input, rowShape: plan.rowShape, batches, seconds: time };
      return (await runProgram('raw-runtime.ts', job)) as RawResult[];
    };
    return {
      name: `${plan.name}/raw`,
      prepare: async () => {
        const found = await measureRaw(plan.rawBatches, seconds / 2);
        series.batch = found.toSorted((a, b) => b.rowsPerSecond - a.rowsPerSecond)[0]!.batch;
        return 1;
      },
      run: async () => {
        const [result] = await measureRaw([series.batch], seconds);
        series.rowsPerSecond.push(result!.rowsPerSecond);
      },
      ended: () => undefined,
    };
  }

  #addLoad(subject: Subject, workload: Workload, inFlight: number): Case | undefined {
    const name = `${workload.plan.name}/${subject.name}/${inFlight}`;
    if (!this.#options.only.test(name)) return undefined;
    const series = { workload: workload.plan.name, subject: subject.name, inFlight, runs: [] as Measure[] };
    this.load.push(series);
    let requests = 0;
    const slices: Measure[] = [];
    return {
      name,
      prepare: async () => {
        await eventuallyRight(subject, workload, name);
        requests = await calibrate(subject, workload, inFlight, this.#loadOptions);
        return slicesOf(requests, inFlight);
      },
      run: async (count) => {
        const share = Math.ceil(requests / count);
        slices.push(await measure(subject, workload, inFlight, share, this.#loadOptions));
      },
      ended: () => void series.runs.push(joinSlices(slices.splice(0))),
      profile: async () => {
        const found: Record<string, readonly Hotspot[]> = {};
        for (const process of subject.busy) {
          found[process] = await profileWhile(subject.pids[process]![0]!, async () => {
            await measure(subject, workload, inFlight, requests, this.#loadOptions);
          });
        }
        return found;
      },
    };
  }
}

/** Every check once, before any load: a server that answers wrongly, or not at all, is not worth measuring. */
async function eventuallyRight(subject: Subject, workload: Workload, name: string): Promise<void> {
  let problem: string | undefined;
  for (let attempt = 0; attempt < 40; attempt++) {
    const checker = new Checker(subject.address, subject.path, workload.checks);
    problem = await checker.once();
    await checker.stop();
    if (problem === undefined) return;
    await pause(250);
  }
  throw new Error(`${name} does not answer as ONNX Runtime does: ${problem}`);
}

function writeResult(result: BenchResult, options: BenchOptions): void {
  const rows = rowsOf(result.figures);
  const detail = {
    at: new Date().toISOString(),
    machine: result.machine,
    options: { ...options, only: options.only.source },
    ...jsonRows(rows),
    problems: Object.fromEntries(rows.filter((row) => !row.valid).map((row) => [row.name, row.problems])),
    profiles: result.profiles,
    figures: result.figures,
  };
  writeFileSync(path.join(result.folder, 'latest.json'), `${JSON.stringify(detail, null, 2)}\n`);
}
