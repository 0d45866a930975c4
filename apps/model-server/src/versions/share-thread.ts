import { readFile } from 'node:fs/promises';
import type { Clock } from '@sluice/domain/clock';
import type { ServingConfig } from '@sluice/domain/signature';
import type { SessionPool } from '../runtime/session-pool.ts';
import { cpuInstances, type ThreadPlan } from '../runtime/threads.ts';
import type { WarmUpReport } from '../serving/warm-up.ts';
import type { Assignment } from './assignment.ts';
import { hasOpenCost, shareable, Slowness } from './shareable.ts';
import type { VersionSessions } from './version-sessions.ts';

/** What a version gets in a thread that it shares. */
export const sharedThreads: ThreadPlan = { instances: 1, intraOpThreads: 1, note: '' };

/** A version that is loaded and warm in a thread of its own. */
export interface InOwnThread {
  readonly assignment: Assignment;
  readonly serving: ServingConfig;
  readonly pool: SessionPool;
  readonly warm: WarmUpReport;
  readonly graphFile: string;
}

/** Times that a graph is opened to see how quick that can be: a busy machine, and a first time, make it longer. */
const openings = 3;

/**
 * Whether a version may share a thread: what it does there makes others wait, so its files are small, its batches are quick
 * whatever is asked, and so is opening its graph, which the shared thread has to do once more.
 */
export async function mayShare({ assignment, serving, pool, warm, graphFile }: InOwnThread): Promise<boolean> {
  const bytes = assignment.files.reduce((sum, file) => sum + file.size, 0);
  const quick = warm.runMs !== undefined && warm.runMs <= shareable.runMs;
  if (!quick || bytes > shareable.bytes || cpuInstances(serving) > 1) return false;
  if (hasOpenCost(assignment.signature, await readFile(graphFile))) return false;
  let { openMs } = pool;
  for (let opened = 1; openMs > shareable.openMs && opened < openings; opened += 1) {
    openMs = await pool.openAgainMs();
  }
  return openMs <= shareable.openMs;
}

/** After a move that failed (no memory, no thread) the next try comes so much later, in milliseconds. */
const pauseMs = 60_000;

export interface SpeedWatchPorts {
  readonly clock: Clock;
  readonly sessions: Pick<VersionSessions, 'sharesThread' | 'suspectUntil'>;
  /** Gives the version a thread of its own; never rejects. */
  readonly move: () => Promise<void>;
}

/**
 * Moves a version out of a thread that it shares: a quick one as soon as its batches take too long, a suspect with the first
 * batch after its time.
 */
export class SpeedWatch {
  readonly #ports: SpeedWatchPorts;
  readonly #slowness = new Slowness();
  #nextTryMs = -Infinity;
  #moving: Promise<void> | undefined;

  constructor(ports: SpeedWatchPorts) {
    this.#ports = ports;
  }

  /** A batch ran. */
  ran(inferUs: number): void {
    const { clock, sessions } = this.#ports;
    const { suspectUntil } = sessions;
    if (suspectUntil === undefined ? sessions.sharesThread && this.#slowness.ran(inferUs) : clock.now() >= suspectUntil)
      this.#leave();
  }

  #leave(): void {
    const { clock, move } = this.#ports;
    const nowMs = clock.monotonic();
    if (this.#moving || nowMs < this.#nextTryMs) return;
    this.#nextTryMs = nowMs + pauseMs;
    this.#moving = move().finally(() => (this.#moving = undefined));
  }

  /** Resolves when it is not being moved. */
  async settled(): Promise<void> {
    await this.#moving;
  }
}
