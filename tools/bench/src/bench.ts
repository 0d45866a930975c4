import { mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import path from 'node:path';
import { loadCase, rawCase, scenarioCase, type Case } from './cases.ts';
import { certificatesIn } from './certificates.ts';
import { evidenceNames, evidenceRows } from './evidence/evidence-rows.ts';
import { rawName, type Figures } from './figures.ts';
import { hasH2load, howToGetH2load } from './h2load.ts';
import type { Hotspot } from './live-profile.ts';
import { asRead, largeInFlight, largePlan } from './large-requests.ts';
import { loadBeside, loadBesideName, loadedPlan } from './load-beside.ts';
import { isEcho, isSecured, loadGroups, type EchoName, type PlatformName } from './load-rows.ts';
import type { LoadOptions, Measure } from './measure.ts';
import type { BenchOptions } from './options.ts';
import { overload, overloadName, overloadPlan } from './overload.ts';
import { placeModel, pushModel } from './place-model.ts';
import { Platforms } from './platforms.ts';
import { measureRest } from './rest.ts';
import { jsonRows, rowsOf } from './rows.ts';
import type { Scenario, ScenarioSeries } from './scenario.ts';
import { startHelperSubject, type HelperName, type Subject } from './subject.ts';
import type { TlsFiles } from './tls-files.ts';
import { wireScenarios } from './wire-scenarios.ts';
import { asEcho, prepareWorkload, workloadPlans, writeGraph, type Workload, type WorkloadPlan } from './workloads.ts';

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
  const { transport } = options;
  const figures: Figures = { raw: bench.raw, load: bench.load, rest, scenarios: bench.scenarios, transport };
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
  readonly raw: { workload: string; batch: number; best: boolean; rowsPerSecond: number[] }[] = [];
  readonly load: { workload: string; subject: string; inFlight: number; runs: Measure[] }[] = [];
  readonly scenarios: ScenarioSeries[] = [];
  readonly profiles: Record<string, Record<string, readonly Hotspot[]>> = {};
  readonly #options: BenchOptions;
  readonly #loadOptions: LoadOptions;
  readonly #ports: BenchPorts;
  /** What is compared stands in one group: the slices of its runs take turns. */
  readonly #groups: Case[][] = [];
  readonly #stops: (() => void | Promise<void>)[] = [];
  readonly #certificates: () => Promise<TlsFiles>;
  readonly #platforms: Platforms;

  constructor(options: BenchOptions, loadOptions: LoadOptions, ports: BenchPorts) {
    this.#options = options;
    this.#loadOptions = loadOptions;
    this.#ports = ports;
    const { portOffset, threads, transport } = options;
    const { folder } = loadOptions;
    this.#certificates = certificatesIn(path.join(folder, 'tls'));
    this.#platforms = new Platforms({ ...ports, folder, portOffset, threads, transport, tls: this.#certificates });
    this.#stops.push(async () => this.#platforms.stop());
  }

  async start(): Promise<void> {
    for (const plan of workloadPlans) await this.#addWorkload(plan);
    if (this.#options.only.test(overloadName)) await this.#addOverload();
    if (this.#options.only.test(loadBesideName)) await this.#addLoadBeside();
    if (evidenceNames.some((name) => this.#options.only.test(name))) await this.#addEvidence();
    if (this.#options.transport !== 'wire') return;
    await this.#addLarge();
    this.#addScenarios(wireScenarios(this.#loadOptions));
  }

  async #addWorkload(plan: WorkloadPlan): Promise<void> {
    const groups = loadGroups(plan, this.#options);
    const names = new Set(groups.flatMap((group) => group.names));
    const wantsRaw = this.#options.only.test(rawName(plan.name));
    if (names.size === 0 && !wantsRaw) return;
    // Only a model of the examples is measured with TLS: the other platform has it too, as the same version.
    const workload = await this.#prepare(plan, names.has('direct') || names.has('router'));
    const subjects = new Map<string, Subject>();
    for (const name of names) subjects.set(name, await this.#subject(name));
    for (const group of groups) {
      const cases = group.names.map((name) =>
        this.#addLoad(subjects.get(name)!, isEcho(name) ? asEcho(workload) : workload, group.inFlight),
      );
      this.#groups.push(cases);
    }
    // Beside the router at its best, which it is compared with.
    if (wantsRaw) this.#groups.push([rawCase(workload, this.#options, this.raw)]);
  }

  async #subject(name: EchoName | PlatformName): Promise<Subject> {
    if (isEcho(name)) return this.#startHelper(name);
    const { direct, router } = await (isSecured(name) ? this.#platforms.secured() : this.#platforms.plain());
    return name.startsWith('direct') ? direct : router;
  }

  #addLoad(subject: Subject, workload: Workload, inFlight: number): Case {
    const series = { workload: workload.plan.name, subject: subject.name, inFlight, runs: [] as Measure[] };
    this.load.push(series);
    return loadCase(subject, workload, inFlight, this.#loadOptions, series.runs);
  }

  /** Large requests, beside a server of node:http2 that only reads them. */
  async #addLarge(): Promise<void> {
    const wants = (subject: string): boolean =>
      this.#options.only.test(`${largePlan.name}/${subject}/${largeInFlight}`);
    if (!wants('http2') && !wants('direct')) return;
    const { direct } = await this.#platforms.plain();
    const workload = await this.#prepare(largePlan, true);
    const http2 = await this.#startHelper('http2');
    const sides = [
      [http2, asRead(workload)],
      [direct, workload],
    ] as const;
    const wanted = sides.filter(([subject]) => wants(subject.name));
    this.#groups.push(wanted.map(([subject, of]) => this.#addLoad(subject, of, largeInFlight)));
  }

  async #addOverload(): Promise<void> {
    const { router } = await this.#platforms.plain();
    const scenario = overload(router, await this.#prepare(overloadPlan, true), this.#loadOptions);
    this.#addScenarios([scenario]);
  }

  async #addLoadBeside(): Promise<void> {
    const { registryAddress, metricsPort, direct } = await this.#platforms.plain();
    const small = await this.#prepare(
      workloadPlans.find(({ name }) => name === 'small')!,
      true,
    );
    this.#ports.say(`preparing ${loadedPlan.name}`);
    const { file } = writeGraph(loadedPlan, this.#ports.root, this.#loadOptions.folder);
    const version = await pushModel(registryAddress, loadedPlan, file);
    this.#addScenarios([loadBeside(direct, small, { ...this.#loadOptions, registryAddress, metricsPort, version })]);
  }

  async #addEvidence(): Promise<void> {
    const platform = await this.#platforms.plain();
    const small = await this.#prepare(
      workloadPlans.find(({ name }) => name === 'small')!,
      true,
    );
    const { only, rounds, portOffset, evidence: sizes } = this.#options;
    const { root, say } = this.#ports;
    const onStop = (stop: () => Promise<void>): void => void this.#stops.push(stop);
    const options = { ...this.#loadOptions, root, rounds, portOffset, sizes, only, say, onStop };
    this.#addScenarios(await evidenceRows(platform, small, options));
  }

  #addScenarios(scenarios: readonly Scenario[]): void {
    for (const scenario of scenarios.filter(({ name }) => this.#options.only.test(name))) {
      this.scenarios.push(...scenario.series.map((series) => ({ ...series, of: scenario.name })));
      this.#groups.push([scenarioCase(scenario, this.#options.rounds)]);
    }
  }

  async #prepare(plan: WorkloadPlan, isPlaced: boolean): Promise<Workload> {
    this.#ports.say(`preparing ${plan.name}`);
    const { folder } = this.#loadOptions;
    const { file } = writeGraph(plan, this.#ports.root, folder);
    const version = isPlaced ? await placeModel((await this.#platforms.plain()).registryAddress, plan, file) : '1';
    const { threads } = this.#options;
    return prepareWorkload(plan, version, file, { folder, checks: checksPerWorkload, threads });
  }

  async #startHelper(name: HelperName): Promise<Subject> {
    const { subject, stop } = await startHelperSubject(name, isSecured(name) ? await this.#certificates() : undefined);
    this.#stops.push(stop);
    return subject;
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
    const rows = rowsOf({
      raw: this.raw,
      load: this.load,
      rest: [],
      scenarios: this.scenarios,
      transport: this.#options.transport,
    });
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
