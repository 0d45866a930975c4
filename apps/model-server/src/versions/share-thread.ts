import { readFile } from 'node:fs/promises';
import type { ServingConfig } from '@sluice/domain/signature';
import type { SessionPool } from '../runtime/session-pool.ts';
import { cpuInstances, type ThreadPlan } from '../runtime/threads.ts';
import type { WarmUpReport } from '../serving/warm-up.ts';
import type { Assignment } from './assignment.ts';
import { hasOpenCost, shareable, Slowness } from './shareable.ts';

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

/** Looks at how long the batches of a version take that shares a thread, and moves it out, once, when that is too long. */
export class SpeedWatch {
  readonly #slowness = new Slowness();
  readonly #move: () => Promise<void>;
  #moving: Promise<void> | undefined;

  /** @param move gives the version a thread of its own; never rejects */
  constructor(move: () => Promise<void>) {
    this.#move = move;
  }

  /** A batch ran. */
  ran(inferUs: number): void {
    if (!this.#moving && this.#slowness.ran(inferUs)) this.leave();
  }

  /** Its time in the thread is over, however quick it is. */
  leave(): void {
    this.#moving ??= this.#move().finally(() => (this.#moving = undefined));
  }

  /** Resolves when it is not being moved. */
  async settled(): Promise<void> {
    await this.#moving;
  }
}
