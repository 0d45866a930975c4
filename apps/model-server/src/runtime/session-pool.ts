import { unavailable } from '@sluice/domain/errors';
import type { SluiceError } from '@sluice/domain/errors';
import { slotsPerSession } from './control-block.ts';
import type { LoadedTensor, SessionSettings } from './messages.ts';
import type { HandedBatch } from './handed-batch.ts';
import { SessionThread, retryAfterMs, type BatchJob } from './session-thread.ts';
import { WorkerHost } from './worker-host.ts';

/** The sessions of one version: threads that each hold the graph, on one device or on several. */
export class SessionPool {
  readonly inputs: readonly LoadedTensor[];
  readonly outputs: readonly LoadedTensor[];
  readonly #threads: readonly SessionThread[];

  private constructor(threads: readonly SessionThread[]) {
    this.#threads = threads;
    this.inputs = threads[0]!.inputs;
    this.outputs = threads[0]!.outputs;
  }

  /**
   * Loads the graph `instances` times, one after the other: the first failure is the answer.
   * @param host a thread to share, for one instance; each has its own otherwise
   * @param onExit called when a thread ended by itself; the pool should be closed then
   * @param newThread makes the threads that are not shared
   */
  static load(
    settings: SessionSettings,
    instances: number,
    onExit: (error: SluiceError) => void,
    host?: WorkerHost,
    newThread: () => WorkerHost = () => new WorkerHost(),
  ): Promise<SessionPool> {
    return SessionPool.loadEach(
      Array.from({ length: instances }, () => settings),
      onExit,
      () => host ?? newThread(),
    );
  }

  /**
   * The same for sessions that differ in where they are and in their threads.
   * @param sessions one or more, of one graph
   * @param hostOf the thread of one, its own or one that it shares; asked when its turn comes
   */
  static async loadEach(
    sessions: readonly SessionSettings[],
    onExit: (error: SluiceError) => void,
    hostOf: (settings: SessionSettings) => WorkerHost,
  ): Promise<SessionPool> {
    const threads: SessionThread[] = [];
    try {
      for (const settings of sessions) threads.push(await SessionThread.start(settings, onExit, hostOf(settings)));
    } catch (error) {
      await Promise.all(threads.map((thread) => thread.close()));
      throw error;
    }
    return new SessionPool(threads);
  }

  /** Milliseconds that ONNX Runtime took to open the graph, the longest of its sessions. */
  get openMs(): number {
    return Math.max(...this.#threads.map((thread) => thread.openMs));
  }

  /** Opens the graph once more in the first thread, beside the session that is there, and gives that up again. */
  openAgainMs(): Promise<number> {
    return this.#threads[0]!.openAgainMs();
  }

  /** Batches that may run at once. */
  get threads(): number {
    return this.#threads.length;
  }

  /** Batches that may be with the pool at once: one that runs and one in place behind it, by thread. */
  get slots(): number {
    return this.#threads.length * slotsPerSession;
  }

  /** Batches that its threads have now. */
  get inFlight(): number {
    return this.#threads.reduce((sum, thread) => sum + thread.inFlight, 0);
  }

  /** How long the oldest batch has been with its thread, in milliseconds. */
  oldestBatchMs(): number {
    const now = performance.now();
    return Math.max(...this.#threads.map((thread) => thread.oldestBatchMs(now)));
  }

  /** Says that warming up is over: from now on a crash is that of a request. */
  serves(): void {
    for (const thread of this.#threads) thread.serves();
  }

  /** Runs a batch on the thread with the most room. Callers keep to `slots` at once. */
  submit(job: BatchJob): HandedBatch {
    let best = this.#threads[0]!;
    for (const thread of this.#threads) if (thread.freeSlots > best.freeSlots) best = thread;
    if (best.freeSlots === 0)
      throw unavailable('the model ended its session and is being loaded again', { retryAfterMs });
    return best.submit(job);
  }

  /** Lets batches in flight finish, then gives the memory back. */
  async close(): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.close()));
  }
}
