import { spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, openSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { registryService } from '@sluice/contracts/services';
import { systemClock } from '@sluice/service-kit/clock';
import { createRpcClient } from '@sluice/rpc/client';
import { descendants } from './proc.ts';
import { clientTls, type TlsFiles } from './tls-files.ts';

export interface PlatformOptions {
  readonly root: string;
  /** Its data and logs; kept between runs, so that models are pushed once. */
  readonly home: string;
  readonly portOffset: number;
  readonly runtimes: number;
  readonly threads: number;
  /** The gRPC stack of router and model-server; default that of the platform. */
  readonly transport?: 'grpc-js' | 'wire';
  /** What all its ports and the calls between its services are secured with; default nothing. */
  readonly tls?: TlsFiles | undefined;
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
      ...(options.transport === undefined ? [] : ['--transport', options.transport]),
      ...tlsArguments(options.tls),
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

function tlsArguments(tls: TlsFiles | undefined): string[] {
  if (tls === undefined) return [];
  return ['--tls-cert-file', tls.cert, '--tls-key-file', tls.key, '--tls-ca-file', tls.ca];
}

async function waitForExamples(child: ChildProcess, registryAddress: string, options: PlatformOptions): Promise<void> {
  const registry = createRpcClient(registryService, registryAddress, {
    ...{ clock: systemClock, defaultTimeoutMs: 2000 },
    tls: clientTls(options.tls?.ca),
  });
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

/** A client of the registry of a platform. */
export function connect(address: string) {
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

export async function pause(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms));
}
