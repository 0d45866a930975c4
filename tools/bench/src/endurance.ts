import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { hasH2load, runH2load } from './h2load.ts';
import { buildPerceptron } from './onnx/bench-models.ts';
import { PinnedVersion } from './pinned-version.ts';
import { pushModel } from './place-model.ts';
import { pause, startPlatform } from './platform.ts';
import { residentBytes } from './proc.ts';
import { row, type Row } from './row.ts';
import { median, type Target } from './statistics.ts';
import { inferPath } from './subject.ts';
import { prepareWorkload, workloadPlans, writeGraph, type WorkloadPlan } from './workloads.ts';

export interface EnduranceOptions {
  readonly requests: number;
  readonly cycles: number;
  readonly portOffset: number;
}

export interface EndurancePorts {
  /** The repository. */
  readonly root: string;
  readonly say: (line: string) => void;
}

/** What stays after so much work may be this much more than after the warm-up. */
const target: Target = { is: 'at most', value: 1.1 };
/** Of all the work, what counts as warm-up. */
const warmUpShare = 0.05;
const warmUpCycles = 20;
const inFlight = 64;
/** Processes have this long to become quiet before their memory is read. */
const quietMs = 5_000;

const cycledPlan: WorkloadPlan = {
  name: 'cycled',
  model: 'bench-cycled',
  input: 'x',
  rowShape: [256],
  largest: 1,
  maxBatchSize: 32,
  rawBatches: [],
  graph: { build: () => buildPerceptron([256, 1024, 1024, 100], 5) },
};

/** A platform whose memory is watched. */
interface Watched {
  readonly options: EnduranceOptions;
  readonly ports: EndurancePorts;
  readonly folder: string;
  readonly registryAddress: string;
  readonly processes: Readonly<Record<'router' | 'model-server', number>>;
}

/**
 * Whether memory grows with work: resident memory after all requests, and after all loads, over that after the warm-up.
 *
 * @throws Error when h2load is missing or a request failed
 */
export async function runEndurance(options: EnduranceOptions, ports: EndurancePorts): Promise<Row[]> {
  if (!hasH2load()) throw new Error('endurance needs h2load: apt install nghttp2-client');
  const folder = path.join(ports.root, '.sluice', 'bench');
  mkdirSync(folder, { recursive: true });
  ports.say('starting the platform');
  const home = path.join(folder, 'platform');
  const { root } = ports;
  const platform = await startPlatform({ root, home, portOffset: options.portOffset, runtimes: 1, threads: 1 });
  try {
    const { router, 'runtime-1': runtime } = platform.pids;
    const processes = { router: router![0]!, 'model-server': runtime![0]! };
    const watched = { options, ports, folder, registryAddress: platform.registryAddress, processes };
    const rows = [...(await afterRequests(watched)), await afterLoads(watched)];
    const detail = { at: new Date().toISOString(), options, rows };
    writeFileSync(path.join(folder, 'endurance.json'), `${JSON.stringify(detail, null, 2)}\n`);
    return rows;
  } finally {
    await platform.stop();
  }
}

async function afterRequests({ options, ports, folder, processes }: Watched): Promise<Row[]> {
  const { requests, portOffset } = options;
  const small = workloadPlans.find(({ name }) => name === 'small')!;
  const graph = writeGraph(small, ports.root, folder);
  const { frameFile } = await prepareWorkload(small, '1', graph.file, { folder, checks: 1, threads: 1 });
  const send = async (count: number): Promise<void> => {
    const address = `127.0.0.1:${portOffset + 8001}`;
    const logFile = path.join(folder, 'h2load.log');
    const job = { address, path: inferPath, frameFile, inFlight, requests: count, logFile };
    const { failed } = await runH2load(job);
    if (failed > 0) throw new Error(`${failed} of ${count} requests failed`);
  };
  await send(Math.ceil(requests * warmUpShare));
  const before = await memoryOf(processes);
  // In parts: h2load writes a line for each request.
  const parts = Math.max(1, Math.round(requests / 250_000));
  for (let part = 0; part < parts; part++) {
    ports.say(`requests: part ${part + 1} of ${parts}; resident now: ${residentNow(processes)}`);
    await send(Math.ceil((requests * (1 - warmUpShare)) / parts));
  }
  const after = await memoryOf(processes);
  return Object.keys(processes).map((name) =>
    grown(`memory of the ${name} after ${requests} requests, over that after the warm-up`, [
      after[name]! / before[name]!,
    ]),
  );
}

async function afterLoads({ options, ports, folder, registryAddress, processes }: Watched): Promise<Row> {
  const { cycles, portOffset } = options;
  const { file } = writeGraph(cycledPlan, ports.root, folder);
  const version = await pushModel(registryAddress, cycledPlan, file);
  const which = { model: cycledPlan.model, version };
  const pinned = new PinnedVersion(registryAddress, `127.0.0.1:${portOffset + 8011}`, which);
  const cycle = async (): Promise<void> => {
    await pinned.set(true);
    await pinned.becomes('ready');
    await pinned.set(false);
    await pinned.becomes('gone');
  };
  await pinned.set(false);
  for (let count = 0; count < Math.min(warmUpCycles, cycles); count++) await cycle();
  const before = await memoryOf(processes);
  for (let count = warmUpCycles; count < cycles; count++) {
    if (count % 20 === 0) ports.say(`loads: ${count} of ${cycles}; resident now: ${residentNow(processes)}`);
    await cycle();
  }
  const after = await memoryOf(processes);
  return grown(`memory of the model-server after ${cycles} loads and unloads, over that after the first`, [
    after['model-server']! / before['model-server']!,
  ]);
}

const grown = (name: string, values: readonly number[]): Row => row(name, 'ratio', values, [], target);

/** What grows shows itself before the end. */
const residentNow = (processes: Readonly<Record<string, number>>): string =>
  Object.entries(processes)
    .map(([name, pid]) => `${name} ${(residentBytes(pid) / 1e6).toFixed(0)} MB`)
    .join(', ');

/** Resident megabytes of each process at rest: the median of five looks. */
async function memoryOf(processes: Readonly<Record<string, number>>): Promise<Record<string, number>> {
  await pause(quietMs);
  const found: Record<string, number[]> = {};
  for (let look = 0; look < 5; look++) {
    for (const [name, pid] of Object.entries(processes)) (found[name] ??= []).push(residentBytes(pid) / 1e6);
    await pause(500);
  }
  return Object.fromEntries(Object.entries(found).map(([name, values]) => [name, median(values)]));
}
