import { spawn, type ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, openSync, readFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { registryService } from '@sluice/contracts/services';
import { systemClock } from '@sluice/service-kit/clock';
import { createRpcClient } from '@sluice/rpc/client';
import { descendants } from './proc.ts';
import type { WorkloadPlan } from './workloads.ts';

export interface PlatformOptions {
  readonly root: string;
  /** Its data and logs; kept between runs, so that models are pushed once. */
  readonly home: string;
  readonly portOffset: number;
  readonly runtimes: number;
  readonly threads: number;
}

/** A running platform: `npm start`, in a home and at ports of its own. */
export interface RunningPlatform {
  readonly registryAddress: string;
  /** Process ids by the names `platform`, `registry`, `router`, `runtime-1`, …, and `postgres` with all of its own. */
  readonly pids: Readonly<Record<string, readonly number[]>>;
  stop(): Promise<void>;
}

/** Long enough for a first start, with a new database and every example pushed, on a slow machine. */
const startMs = 180_000;

/** Starts the platform as a process, and waits until its example models answer where the registry says they are. */
export async function startPlatform(options: PlatformOptions): Promise<RunningPlatform> {
  mkdirSync(options.home, { recursive: true });
  const log = openSync(path.join(options.home, 'platform.log'), 'a');
  const child = spawn(
    process.execPath,
    [
      '--conditions=@sluice/source',
      path.join(options.root, 'apps', 'platform', 'src', 'main.ts'),
      ...['--home', options.home, '--port-offset', String(options.portOffset)],
      ...['--runtimes', String(options.runtimes), '--threads', String(options.threads)],
    ],
    { cwd: options.root, stdio: ['ignore', log, log, 'ipc'] },
  );
  const registryAddress = `127.0.0.1:${options.portOffset + 8101}`;
  try {
    await waitForExamples(child, registryAddress, options);
  } catch (error) {
    await stopChild(child);
    throw error;
  }
  return { registryAddress, pids: pidsOf(child.pid!), stop: async () => stopChild(child) };
}

async function waitForExamples(child: ChildProcess, registryAddress: string, options: PlatformOptions): Promise<void> {
  const registry = createRpcClient(registryService, registryAddress, { clock: systemClock, defaultTimeoutMs: 2000 });
  const end = performance.now() + startMs;
  try {
    while (performance.now() < end) {
      if (child.exitCode !== null) throw new Error(`the platform ended: see ${options.home}/platform.log`);
      if (await examplesAreThere(registry)) return;
      await pause(250);
    }
    throw new Error(`the platform was not ready after ${startMs / 1000} s: see ${options.home}/platform.log`);
  } finally {
    registry.close();
  }
}

async function examplesAreThere(registry: ReturnType<typeof connect>): Promise<boolean> {
  try {
    const models = await Promise.all(['digits', 'wdbc'].map(async (name) => registry.getModel({ name })));
    return models.every(({ model }) => model?.aliases.some(({ alias }) => alias === 'champion'));
  } catch {
    return false;
  }
}

function connect(address: string) {
  return createRpcClient(registryService, address, { clock: systemClock, actor: 'bench' });
}

async function stopChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), 30_000);
  await ended;
  clearTimeout(timer);
}

function pidsOf(root: number): Record<string, readonly number[]> {
  const pids: Record<string, number[]> = { platform: [root] };
  let runtimes = 0;
  for (const { pid, commandLine } of descendants(root).toSorted((a, b) => a.pid - b.pid)) {
    const program = commandLine.map((part) => /apps\/([a-z-]+)\/src\/main\.ts$/.exec(part)?.[1]).find(Boolean);
    if (program === 'model-server') pids[`runtime-${++runtimes}`] = [pid];
    else if (program !== undefined) pids[program] = [pid];
    else if (/\bpostgres\b/.test(commandLine[0] ?? '')) (pids['postgres'] ??= []).push(pid);
  }
  return pids;
}

const chunkBytes = 1024 * 1024;

/**
 * Makes sure that the registry has this graph as a version that is placed, and returns its number. A graph that it has
 * from an earlier run is not pushed again.
 */
export async function placeModel(address: string, plan: WorkloadPlan, graphFile: string): Promise<string> {
  if ('example' in plan.graph) return '1';
  const registry = connect(address);
  try {
    const models = await registry.listModels({ pageSize: 1000 });
    if (!models.models.some(({ name }) => name === plan.model)) {
      const settings = { owner: 'bench', description: 'Made by npm run bench', approvalsRequired: 0 };
      await registry.createModel({ name: plan.model, settings });
    }
    const number = await push(registry, plan, graphFile);
    const { move } = await registry.moveAlias({ model: plan.model, alias: 'bench', version: Number(number) });
    for await (const { move: now } of registry.watchAliasMove({ moveId: move!.id }, { timeoutMs: 120_000 })) {
      if (now?.state === 'ALIAS_MOVE_STATE_EFFECTIVE') return number;
    }
    throw new Error(`${plan.model} was not placed: the move of its alias ended without effect`);
  } finally {
    registry.close();
  }
}

async function push(registry: ReturnType<typeof connect>, plan: WorkloadPlan, graphFile: string): Promise<string> {
  const manifest = `batching:\n  max_batch_size: ${plan.maxBatchSize}\n`;
  const files = [
    { path: 'model.onnx', bytes: readFileSync(graphFile) },
    { path: 'sluice.yaml', bytes: Buffer.from(manifest) },
  ].map((file) => ({
    ...file,
    sha256: createHash('sha256').update(file.bytes).digest('hex'),
    size: file.bytes.length,
  }));
  const { present } = await registry.statArtifacts({ sha256: files.map(({ sha256 }) => sha256) });
  for (const { sha256, size, bytes } of files) {
    if (present.includes(sha256)) continue;
    const chunks = Array.from({ length: Math.ceil(size / chunkBytes) }, (_, index) => ({
      chunk: bytes.subarray(index * chunkBytes, (index + 1) * chunkBytes),
    }));
    await registry.uploadArtifact([{ header: { sha256, size } }, ...chunks], { timeoutMs: 120_000 });
  }
  const listed = files.map(({ path: file, sha256, size }) => ({ path: file, sha256, size }));
  const requestId = `bench-${files.map(({ sha256 }) => sha256.slice(0, 32)).join('-')}`;
  const made = { model: plan.model, files: listed, graphPath: 'model.onnx', requestId };
  for await (const { version } of registry.createVersion(made, { timeoutMs: 300_000 })) {
    if (version === null) continue;
    if (version.state === 'VERSION_STATE_REJECTED') throw new Error(`${plan.model} was rejected: ${version.rejection}`);
    return version.number;
  }
  throw new Error(`the registry ended the push of ${plan.model} without a version`);
}

export async function pause(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms));
}
