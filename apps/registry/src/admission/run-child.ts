import { type ChildProcess, fork } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { getCompileCacheDir } from 'node:module';
import { dirname } from 'node:path';
import { cancelled } from './cancelled.ts';
import type { Clock, Timer } from '@sluice/domain/clock';
import { clip } from '@sluice/domain/names';
import { withoutOnnxTelemetry } from '@sluice/service-kit/onnx-telemetry';
import type { AdmissionJob, ChildMessage } from './child-protocol.ts';

export interface ChildLimits {
  /** Longest life of the process, in milliseconds. */
  readonly timeMs: number;
  /** Resident memory above which it is killed, in bytes. */
  readonly memoryBytes: number;
  /** How often resident memory is read, in milliseconds; default 20. */
  readonly sampleMs?: number;
}

/** How a child ended. */
export interface ChildEnd {
  /** Highest resident memory seen, in bytes. */
  readonly peakRssBytes: number;
  /** Undefined when it told that it was done; else why it did not get there, for people. */
  readonly failure: { readonly stage: string; readonly reason: string } | undefined;
}

export interface RunChildOptions {
  readonly clock: Clock;
  readonly limits: ChildLimits;
  /** The folder it runs in. */
  readonly folder: string;
  readonly onMessage: (message: ChildMessage) => void;
  readonly signal?: AbortSignal | undefined;
  /** The program; default `child.ts` beside this file, or what it was compiled to. */
  readonly entry?: URL | undefined;
}

const isSource = import.meta.url.endsWith('.ts');
const defaultEntry = new URL(isSource ? './child.ts' : './child.js', import.meta.url);
const maxStderrBytes = 4096;

const mib = (bytes: number): string => `${Math.round(bytes / 1024 ** 2)} MiB`;

/** Nothing of this process's own, but for where compiled programs are kept: most of the child's start is compiling. */
function childEnvironment(): NodeJS.ProcessEnv {
  // The folder of this version of Node, in the one that the variable names.
  const folder = getCompileCacheDir();
  return { ...withoutOnnxTelemetry, ...(folder !== undefined && { NODE_COMPILE_CACHE: dirname(folder) }) };
}

/** Resident memory and its peak in bytes, from the kernel; undefined where it does not tell. */
function residentMemory(pid: number): { rss: number; peak: number } | undefined {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'latin1');
    const kib = (key: string) => Number(new RegExp(`^${key}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? 0);
    return { rss: kib('VmRSS') * 1024, peak: kib('VmHWM') * 1024 };
  } catch {
    return undefined;
  }
}

/**
 * Runs a job in a process of its own group, without this one's environment, and kills the group when it is done,
 * takes too long, grows too large or is cancelled. Resolves when the process is gone; throws only `cancelled`.
 */
export function runChild(job: AdmissionJob, options: RunChildOptions): Promise<ChildEnd> {
  return new Promise((resolve, reject) => {
    if (options.signal?.aborted) {
      reject(cancelled());
      return;
    }
    new ChildRun(options, resolve, reject).start(job);
  });
}

class ChildRun {
  readonly #options: RunChildOptions;
  readonly #resolve: (end: ChildEnd) => void;
  readonly #reject: (error: unknown) => void;
  readonly #timers = new Map<string, Timer>();
  #child: ChildProcess | undefined;
  #stage = 'start';
  #peak = 0;
  #stderr = '';
  #done = false;
  #killed: string | undefined;

  constructor(options: RunChildOptions, resolve: (end: ChildEnd) => void, reject: (error: unknown) => void) {
    this.#options = options;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  start(job: AdmissionJob): void {
    const { limits, clock, signal, folder, entry = defaultEntry } = this.#options;
    const child = fork(entry, [], {
      cwd: folder,
      env: childEnvironment(),
      execPath: process.execPath,
      execArgv: isSource ? ['--conditions=@sluice/source'] : [],
      detached: true,
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    this.#child = child;
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-maxStderrBytes);
    });
    child.on('message', (message) => this.#onMessage(message as ChildMessage));
    child.once('error', (error) => this.#kill(`it could not be started: ${error.message}`));
    child.once('close', (code, exitSignal) => this.#onEnd(code, exitSignal));
    signal?.addEventListener('abort', this.#onAbort, { once: true });
    const seconds = limits.timeMs / 1000;
    this.#timers.set(
      'time',
      clock.schedule(limits.timeMs, () => this.#kill(`it did not end within ${seconds} s and was stopped`)),
    );
    this.#sample();
    child.send(job, (error) => {
      if (error) this.#kill(`it took no job: ${error.message}`);
    });
  }

  readonly #onAbort = (): void => this.#kill('cancelled');

  #onMessage(message: ChildMessage): void {
    if (this.#done || this.#isKilled()) return;
    if (message.type === 'memory') {
      this.#onMemory(message.rss, message.peak);
      return;
    }
    if (message.type === 'stage') this.#stage = message.stage;
    if (message.type === 'done') {
      this.#readMemory();
      if (this.#isKilled()) return;
      this.#done = true;
    }
    this.#options.onMessage(message);
    if (message.type !== 'done') return;
    this.#killGroup();
  }

  #isKilled(): boolean {
    return this.#killed !== undefined;
  }

  #sample(): void {
    if (this.#done || this.#isKilled()) return;
    this.#readMemory();
    const every = this.#options.limits.sampleMs ?? 20;
    this.#timers.set(
      'sample',
      this.#options.clock.schedule(every, () => this.#sample()),
    );
  }

  #readMemory(): void {
    const pid = this.#child?.pid;
    const memory = pid === undefined ? undefined : residentMemory(pid);
    if (memory) this.#onMemory(memory.rss, memory.peak);
  }

  #onMemory(rss: number, peak: number): void {
    this.#peak = Math.max(this.#peak, rss, peak);
    const limit = this.#options.limits.memoryBytes;
    // The kernel keeps the peak, so that what came and went between two samples counts too.
    const most = Math.max(rss, peak);
    if (most > limit) this.#kill(`it used ${mib(most)} of memory, more than the ${mib(limit)} that admission allows`);
  }

  #kill(reason: string): void {
    if (this.#done) return;
    this.#killed ??= reason;
    this.#killGroup();
    // A process that never started sends no 'close'.
    if (this.#child?.pid === undefined) this.#onEnd(null, null);
  }

  #killGroup(): void {
    const pid = this.#child?.pid;
    if (pid === undefined) return;
    try {
      process.kill(-pid, 'SIGKILL');
    } catch {
      // It is gone already, or groups are not known here.
      this.#child?.kill('SIGKILL');
    }
  }

  #onEnd(code: number | null, exitSignal: NodeJS.Signals | null): void {
    for (const timer of this.#timers.values()) timer.cancel();
    this.#options.signal?.removeEventListener('abort', this.#onAbort);
    if (this.#options.signal?.aborted) {
      this.#reject(cancelled());
      return;
    }
    const peakRssBytes = this.#peak;
    if (this.#done) {
      this.#resolve({ peakRssBytes, failure: undefined });
      return;
    }
    const reason = this.#killed ?? this.#crashReason(code, exitSignal);
    this.#resolve({ peakRssBytes, failure: { stage: this.#stage, reason } });
  }

  #crashReason(code: number | null, exitSignal: NodeJS.Signals | null): string {
    const how = exitSignal ? `was ended by ${exitSignal}` : `ended with status ${code}`;
    const last = this.#stderr.trim().split('\n').at(-1)?.trim();
    return `it crashed its process, which ${how}${last ? `: ${clip(last, 200)}` : ''}`;
  }
}
