import type { Clock, Timer } from '@sluice/domain/clock';
import type { Doing, ThreadDoing } from '../runtime/thread-mark.ts';

/** A thread that runs sessions. */
export interface WatchedThread {
  /** What it is in native code for; undefined when it is not. */
  doing(): ThreadDoing | undefined;
}

/** A native call that does not end. */
export interface Hang<Thread> {
  readonly thread: Thread;
  /** The version's number in the crash file. */
  readonly version: number;
  readonly doing: Doing;
  /** For how long it has been watched, in milliseconds. */
  readonly ms: number;
}

export interface WatchdogPorts<Thread extends WatchedThread> {
  readonly clock: Clock;
  readonly threads: () => Iterable<Thread>;
  /** How long one batch may take, in milliseconds; 0: for ever. */
  readonly runTimeoutMs: number;
  /** How long making a session may take, and each batch of its warm-up; 0: for ever. */
  readonly loadTimeoutMs: number;
  /** Told once; nothing is watched from then on. */
  readonly hung: (hang: Hang<Thread>) => void;
}

/** Looks are this far apart at most, in milliseconds. */
const longestPauseMs = 1_000;
/** A limit is looked at so often. */
const looksPerLimit = 10;

interface Seen {
  readonly step: number;
  ms: number;
}

/**
 * Looks at all threads now and then, and finds the native call that does not end. Time during which the process itself
 * did not run (stopped, suspended, starved) is not held against a call: between two looks at most two pauses count.
 */
export class Watchdog<Thread extends WatchedThread> {
  readonly #ports: WatchdogPorts<Thread>;
  readonly #pauseMs: number;
  readonly #seen = new Map<Thread, Seen>();
  #lookedMs = 0;
  #timer: Timer | undefined;

  constructor(ports: WatchdogPorts<Thread>) {
    this.#ports = ports;
    const limits = [ports.runTimeoutMs, ports.loadTimeoutMs].filter((ms) => ms > 0);
    this.#pauseMs = limits.length > 0 ? Math.min(longestPauseMs, Math.min(...limits) / looksPerLimit) : 0;
  }

  start(): void {
    if (this.#pauseMs === 0) return;
    this.#lookedMs = this.#ports.clock.monotonic();
    this.#lookLater();
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #lookLater(): void {
    this.#timer = this.#ports.clock.schedule(this.#pauseMs, () => this.#look());
  }

  #look(): void {
    const { clock, threads, hung } = this.#ports;
    const nowMs = clock.monotonic();
    const passedMs = Math.min(nowMs - this.#lookedMs, 2 * this.#pauseMs);
    this.#lookedMs = nowMs;
    const alive = new Set<Thread>();
    for (const thread of threads()) {
      alive.add(thread);
      const hang = this.#lookAt(thread, passedMs);
      if (!hang) continue;
      this.stop();
      hung(hang);
      return;
    }
    for (const thread of this.#seen.keys()) if (!alive.has(thread)) this.#seen.delete(thread);
    this.#lookLater();
  }

  #lookAt(thread: Thread, passedMs: number): Hang<Thread> | undefined {
    const now = thread.doing();
    const seen = this.#seen.get(thread);
    if (!now) {
      this.#seen.delete(thread);
      return undefined;
    }
    if (seen?.step !== now.step) {
      this.#seen.set(thread, { step: now.step, ms: 0 });
      return undefined;
    }
    seen.ms += passedMs;
    const { runTimeoutMs, loadTimeoutMs } = this.#ports;
    const limitMs = now.doing === 'running' ? runTimeoutMs : loadTimeoutMs;
    if (limitMs === 0 || seen.ms < limitMs) return undefined;
    return { thread, version: now.version, doing: now.doing, ms: Math.round(seen.ms) };
  }
}
