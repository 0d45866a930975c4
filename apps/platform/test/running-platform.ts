import { execFileSync, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { chmod, mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { env } from 'node:process';
import { describeProcess } from '@sluice/postgres-local/postmaster';
import { eventually } from '@sluice/testkit/eventually';
import { portTable, takenPorts } from '../src/ports.ts';
import type { PortTable } from '../src/ports.ts';

export const root = path.resolve(import.meta.dirname, '..', '..', '..');

/** What a machine has: the Node and npm that it came with, none of ours. */
export const machine = {
  PATH: (env['PATH'] ?? '')
    .split(path.delimiter)
    .filter((folder) => !folder.includes('node_modules'))
    .join(path.delimiter),
  HOME: env['HOME'],
};

/** A new folder for a platform. Everybody may enter it, so that Postgres's data lies in it and goes with it. */
export async function makeHome(prefix: string): Promise<string> {
  const home = await mkdtemp(path.join(tmpdir(), prefix));
  await chmod(home, 0o755);
  return home;
}

/** A platform's ports lie within so many. */
const portsOfOne = 200;

/** An offset at which all ports are free now, and that no other worker of this run chooses. */
export async function freeOffset(runtimes = 2): Promise<number> {
  const worker = Number(env['VITEST_POOL_ID'] ?? 0) % 2;
  for (;;) {
    const offset = (2 * randomInt(5, 50) + worker) * portsOfOne;
    if ((await takenPorts(portTable(offset, runtimes))).length === 0) return offset;
  }
}

const started = new Set<Printed>();

/** Ends what a failed test left running, what those have started too. */
export async function killStarted(): Promise<void> {
  for (const { child } of started) child.kill('SIGTERM');
  await eventually(() => {
    if (started.size > 0) throw new Error('still running');
  }, 15_000).catch(() => {
    for (const { child } of started) child.kill('SIGKILL');
  });
}

/** A command and all that it has printed; colours are off, since it writes to a pipe. */
export class Printed {
  readonly child: ChildProcess;
  readonly ended: Promise<number | null>;
  /** What it has printed, errors included. */
  text = '';
  /** Its standard output alone. */
  out = '';
  #over = false;

  constructor(
    command: string,
    args: readonly string[],
    cwd: string,
    variables: NodeJS.ProcessEnv,
    more: { uid?: number; gid?: number } = {},
  ) {
    this.child = spawn(command, args, { ...more, cwd, env: variables, stdio: ['ignore', 'pipe', 'pipe'] });
    this.child.stdout?.on('data', (chunk: Buffer) => {
      this.out += chunk.toString();
      this.text += chunk.toString();
    });
    this.child.stderr?.on('data', (chunk: Buffer) => (this.text += chunk.toString()));
    const { promise, resolve } = Promise.withResolvers<number | null>();
    this.child.once('error', (error) => {
      this.text += String(error);
      resolve(null);
    });
    this.child.once('close', (code) => resolve(code));
    this.ended = promise;
    started.add(this);
    void promise.then(() => {
      this.#over = true;
      started.delete(this);
    });
  }

  /** Waits until what it printed matches; fails with all of it when it ends or takes too long. */
  async prints(what: RegExp, timeoutMs: number): Promise<RegExpExecArray> {
    const found = await eventually(() => {
      const match = what.exec(this.text);
      if (match === null && !this.#over) throw new Error(`waiting for ${String(what)}; so far:\n${this.text}`);
      return match;
    }, timeoutMs);
    if (found === null) throw new Error(`it ended without ${String(what)}:\n${this.text}`);
    return found;
  }
}

export interface PlatformOptions {
  readonly home: string;
  readonly offset: number;
  readonly args?: readonly string[];
  /** Model-servers; 2 unless told otherwise. */
  readonly runtimes?: number;
}

/** The last lines of a start. */
export const banner = /Sluice is running[\s\S]*this machine alone\./;

/** A platform that runs from this clone, as a process. */
export class RunningPlatform extends Printed {
  readonly home: string;
  readonly ports: PortTable;

  constructor({ home, offset, args = [], runtimes = 2 }: PlatformOptions) {
    const main = path.join(root, 'apps', 'platform', 'src', 'main.ts');
    const flags = ['--home', home, '--port-offset', String(offset), '--runtimes', String(runtimes)];
    const own = ['--conditions=@sluice/source', main, ...flags, ...args];
    super(process.execPath, own, root, env);
    this.home = home;
    this.ports = portTable(offset, runtimes);
  }

  async up(timeoutMs = 170_000): Promise<void> {
    await this.prints(banner, timeoutMs);
  }

  /** A process by its name: `router`, `registry`, `runtime-1`, `postgres`. */
  async pidOf(name: string): Promise<number> {
    if (name === 'postgres') {
      const folder = /Postgres in ([^)]+)\)/.exec(this.text)![1]!;
      return Number((await readFile(path.join(folder, 'postmaster.pid'), 'utf8')).split('\n')[0]);
    }
    const list = JSON.parse(await readFile(path.join(this.home, 'processes.json'), 'utf8')) as {
      children: { name: string; pid: number }[];
    };
    const found = list.children.find((child) => child.name === name);
    if (found === undefined) throw new Error(`no process ${name} is noted`);
    return found.pid;
  }

  async stop(): Promise<number | null> {
    this.child.kill('SIGTERM');
    return this.ended;
  }
}

/** Whether a process lives. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** The command lines of all processes that have `text` in theirs. */
export function commandsWith(text: string): string[] {
  const all =
    process.platform === 'linux'
      ? readdirSync('/proc').map((pid) => describeProcess(Number(pid))?.command ?? '')
      : execFileSync('ps', ['-wweo', 'args='], { encoding: 'utf8' }).split('\n');
  return all.filter((command) => command.includes(text));
}

/** Runs a line as a shell in `cwd` does; resolves with what it printed. */
export async function shell(line: string, cwd: string, variables: NodeJS.ProcessEnv = env): Promise<string> {
  const printed = new Printed('/bin/sh', ['-c', line], cwd, variables);
  const code = await printed.ended;
  if (code !== 0) throw new Error(`${line} ended with ${code ?? 'a signal'}:\n${printed.text}`);
  return printed.out;
}
