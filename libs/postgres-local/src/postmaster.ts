import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { failedPrecondition } from '@sluice/domain/errors';

/** What a running postmaster writes into its data folder. */
export interface Postmaster {
  readonly pid: number;
  readonly port: number;
  /** True once it takes connections. */
  readonly ready: boolean;
}

/**
 * Name of the guard process (see `server.ts`) of a postmaster that process `owner` starts. While the guard is that
 * process's child, the owner lives: a process whose parent has died gets another one.
 */
export function guardName(owner: number): string {
  return `sluice-postgres-guard-of-${owner}`;
}

/** An orphan gets this long to stop by itself, in milliseconds; what it has not flushed is recovered at the next start. */
const orphanMs = 2000;

/** Reads `postmaster.pid`; undefined when no postmaster runs, or one died without its farewell and left half a file. */
export async function readPostmaster(dataDir: string): Promise<Postmaster | undefined> {
  const text = await readFile(join(dataDir, 'postmaster.pid'), 'utf8').catch(() => '');
  const lines = text.split('\n');
  const pid = Number(lines[0]);
  if (!Number.isSafeInteger(pid) || pid <= 0) return undefined;
  return { pid, port: Number(lines[3] ?? 0), ready: lines[7]?.trim() === 'ready' };
}

/**
 * Makes a data folder free for a new postmaster. A stale `postmaster.pid` whose number now belongs to another program is
 * removed; an orphan, which lost the process that started it, is stopped, within seconds whatever it does; one whose
 * owner lives is given `waitMs` to end. After that: `failed-precondition`.
 */
export async function clearLeftover(dataDir: string, waitMs: number): Promise<void> {
  const end = performance.now() + waitMs;
  for (;;) {
    const left = await readPostmaster(dataDir);
    if (!left || !isAlive(left.pid)) return;
    const command = describeProcess(left.pid)?.command ?? '';
    if (!command.includes(dataDir)) {
      await rm(join(dataDir, 'postmaster.pid'), { force: true });
      return;
    }
    if (!hasOwner(left.pid)) {
      await stopPostmaster(left.pid, orphanMs);
    } else if (performance.now() >= end) {
      throw failedPrecondition(
        `another Postgres (process ${left.pid}) uses the folder ${dataDir}: stop the platform that it belongs to first`,
      );
    }
    await delay(50);
  }
}

/**
 * Stops a postmaster: fast (connections are cut, data is flushed), after `graceMs` at once (recovery at the next start),
 * at last by SIGKILL.
 */
export async function stopPostmaster(pid: number, graceMs: number): Promise<void> {
  const steps: readonly [NodeJS.Signals, number][] = [
    ['SIGINT', graceMs],
    ['SIGQUIT', 3000],
    ['SIGKILL', 3000],
  ];
  for (const [signal, waitMs] of steps) {
    if (!send(pid, signal)) return;
    const end = performance.now() + waitMs;
    while (performance.now() < end) {
      if (!isAlive(pid)) return;
      await delay(10);
    }
  }
}

/** Resolves after `ms` milliseconds. */
export async function delay(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms));
}

function send(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal);
  } catch {
    return false;
  }
}

/** True while the process runs; one that has ended but was not waited for yet does not. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
  return describeProcess(pid)?.state.startsWith('Z') !== true;
}

function hasOwner(pid: number): boolean {
  const postmaster = describeProcess(pid);
  const guard = postmaster && describeProcess(postmaster.parent);
  return guard?.command.includes(` ${guardName(guard.parent)} `) ?? false;
}

/** What the operating system says of a process. */
export interface ProcessDescription {
  readonly state: string;
  readonly parent: number;
  readonly command: string;
  /** When it was started, in the system's own words: a number that is used again belongs to a process started later. */
  readonly started: string;
}

/** State, parent, start and command line of a process: from /proc on Linux (a slim image has no `ps`), elsewhere by `ps`. */
export function describeProcess(pid: number): ProcessDescription | undefined {
  try {
    return process.platform === 'linux' ? fromProc(pid) : fromPs(pid);
  } catch {
    return undefined;
  }
}

function fromProc(pid: number): ProcessDescription | undefined {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // From the third field on, as proc(5) counts them; the 22nd is the start in ticks since the machine's own.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  return { state: fields[0] ?? '', parent: Number(fields[1]), command, started: fields[19] ?? '' };
}

function fromPs(pid: number): ProcessDescription | undefined {
  const line = execFileSync('ps', ['-ww', '-o', 'state=,ppid=,lstart=,args=', '-p', String(pid)], {
    encoding: 'utf8',
    // The start is told in words of the language and the time zone.
    env: { PATH: '/bin:/usr/bin', LC_ALL: 'C', TZ: 'UTC' },
    stdio: ['ignore', 'pipe', 'ignore'],
  }).trim();
  const found = /^(\S+)\s+(\d+)\s+((?:\S+\s+){4}\S+)\s(.*)$/s.exec(line);
  return found ? { state: found[1]!, parent: Number(found[2]), started: found[3]!, command: found[4]! } : undefined;
}
