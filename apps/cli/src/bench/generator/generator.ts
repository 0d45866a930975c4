import { Worker } from 'node:worker_threads';
import type { TlsMaterial } from '@sluice/rpc/tls/source';
import type { TransportName } from '@sluice/rpc/transport/transport';
import type { Arrivals } from '../schedule.ts';
import type { Load } from './driver.ts';
import type { ThreadAnswer, ThreadRequest, ThreadStart, ThreadWindow } from './messages.ts';
import { asked, ending, PacerMemory } from './pacer-memory.ts';
import type { SequenceSettings } from './sequences.ts';
import { type Counts, sumCounts } from './tally.ts';

export interface GeneratorOptions {
  /** `host:port`; each thread has a connection to each. */
  readonly addresses: readonly string[];
  /** ModelInferRequests, taken in turn. */
  readonly messages: readonly Uint8Array[];
  readonly timeoutMs: number;
  readonly streaming: boolean;
  /** The gRPC client that makes the calls. */
  readonly transport: TransportName;
  /** What it connects with; undefined: plainly. */
  readonly tls: TlsMaterial | undefined;
  readonly sequences: SequenceSettings | undefined;
  readonly seed: number;
  readonly threads: number;
}

/** A load on all threads together. */
export type WholeLoad =
  | { readonly kind: 'closed'; readonly inFlight: number }
  | { readonly kind: 'open'; readonly arrivals: Arrivals; readonly mostInFlight: number };

/** What all threads measured in one window. */
export interface GeneratorWindow extends Counts {
  /** The mean of the threads' own. */
  readonly seconds: number;
  /** Of each thread: its processor time over the window's time. */
  readonly cpuShares: readonly number[];
  /** Processor time of all threads, in milliseconds. */
  readonly cpuMs: number;
}

/** Makes load, as a port of the measurement. */
export interface LoadPort {
  /** Begins. @param limit how many requests in all; undefined means until `stop` */
  start(load: WholeLoad, limit: number | undefined): Promise<void>;
  /** Requests that ended since `start`, well or not. */
  ended(): number;
  /** What was measured since `start` or the last time. */
  collect(): Promise<GeneratorWindow>;
  /** Sends no more and resolves when everything is answered. */
  stop(): Promise<void>;
}

const extension = import.meta.url.endsWith('.ts') ? '.ts' : '.js';
const threadFile = new URL(`./load-thread${extension}`, import.meta.url);
const pacerFile = new URL(`./pacer-worker${extension}`, import.meta.url);

/** Threads that make load together. */
export class Generator implements LoadPort {
  readonly #threads: readonly Thread[];
  readonly #ended = new Int32Array(new SharedArrayBuffer(4));

  constructor(options: GeneratorOptions) {
    const messages = options.messages.map(shared);
    this.#threads = Array.from(
      { length: options.threads },
      (_, index) =>
        new Thread({
          ...options,
          messages,
          index,
          of: options.threads,
          ended: this.#ended.buffer,
        }),
    );
  }

  async start(load: WholeLoad, limit: number | undefined): Promise<void> {
    Atomics.store(this.#ended, 0, 0);
    const of = this.#threads.length;
    // Those without a place to send from get nothing to send.
    const busy = load.kind === 'closed' ? Math.min(of, load.inFlight) : of;
    await this.#all((index) => ({
      kind: 'start',
      load: partOf(load, index, of),
      limit: limit === undefined ? undefined : share(limit, index, busy),
    }));
  }

  ended(): number {
    return Atomics.load(this.#ended, 0);
  }

  async collect(): Promise<GeneratorWindow> {
    const windows = (await this.#all(() => ({ kind: 'collect' }))).map(({ window }) => window!);
    return joinThreads(windows);
  }

  async stop(): Promise<void> {
    await this.#all(() => ({ kind: 'stop' }));
  }

  async close(): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.close()));
  }

  #all(request: (index: number) => ThreadRequest): Promise<ThreadAnswer[]> {
    return Promise.all(this.#threads.map((thread, index) => thread.ask(request(index))));
  }
}

/** A load thread, with a pacer once it has an open loop. */
class Thread {
  readonly #worker: Worker;
  #pacer: Worker | undefined;
  readonly #memory = new PacerMemory();
  readonly #waiting: PromiseWithResolvers<ThreadAnswer>[] = [];
  #failure: Error | undefined;

  constructor(start: Omit<ThreadStart, 'pacer'>) {
    const workerData: ThreadStart = { ...start, pacer: this.#memory.shared };
    this.#worker = new Worker(threadFile, { workerData, name: 'load' });
    this.#worker.on('message', (answer: ThreadAnswer) => this.#waiting.shift()?.resolve(answer));
    this.#worker.on('error', (error: Error) => this.#failed(error));
    this.#worker.on('exit', (code) => this.#failed(new Error(`the load thread ended with ${code}`)));
  }

  /** One thing at a time or several: answers come in the order of the requests but for `stop`, which is sent alone. */
  ask(request: ThreadRequest): Promise<ThreadAnswer> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (request.kind === 'start' && request.load.kind === 'open') this.#startPacer();
    const waiting = Promise.withResolvers<ThreadAnswer>();
    this.#waiting.push(waiting);
    this.#worker.postMessage(request);
    return waiting.promise;
  }

  async close(): Promise<void> {
    const { words } = this.#memory;
    Atomics.store(words, ending, 1);
    Atomics.add(words, asked, 1);
    Atomics.notify(words, asked);
    await Promise.all([this.#worker.terminate(), this.#pacer?.terminate()]);
  }

  #startPacer(): void {
    if (this.#pacer !== undefined) return;
    this.#pacer = new Worker(pacerFile, { workerData: this.#memory.shared, name: 'pacer' });
    this.#pacer.on('error', (error: Error) => this.#failed(error));
  }

  #failed(error: Error): void {
    this.#failure ??= error;
    for (const waiting of this.#waiting.splice(0)) waiting.reject(this.#failure);
  }
}

/** A copy in memory that all threads see. */
function shared(message: Uint8Array): Uint8Array {
  const copy = new Uint8Array(new SharedArrayBuffer(message.byteLength));
  copy.set(message);
  return copy;
}

/** What number `index` of `of` has of a whole; nothing beyond them. */
const share = (whole: number, index: number, of: number): number =>
  index >= of ? 0 : Math.floor(whole / of) + (index < whole % of ? 1 : 0);

function partOf(load: WholeLoad, index: number, of: number): Load {
  return load.kind === 'closed'
    ? { kind: 'closed', inFlight: share(load.inFlight, index, of) }
    : { ...load, share: { index, of }, mostInFlight: Math.max(1, share(load.mostInFlight, index, of)) };
}

/** Windows of the threads, which began and ended together, as one. */
export function joinThreads(windows: readonly ThreadWindow[]): GeneratorWindow {
  return {
    ...sumCounts(windows),
    seconds: windows.reduce((sum, { seconds }) => sum + seconds, 0) / windows.length,
    cpuShares: windows.map(({ cpuMs, seconds }) => (seconds > 0 ? cpuMs / 1000 / seconds : 0)),
    cpuMs: windows.reduce((sum, { cpuMs }) => sum + cpuMs, 0),
  };
}

/** Windows one after the other as one. */
export function joinWindows(windows: readonly GeneratorWindow[]): GeneratorWindow {
  const seconds = windows.reduce((sum, one) => sum + one.seconds, 0);
  const threads = windows[0]?.cpuShares.length ?? 0;
  return {
    ...sumCounts(windows),
    seconds,
    cpuMs: windows.reduce((sum, one) => sum + one.cpuMs, 0),
    cpuShares: Array.from({ length: threads }, (_, index) =>
      seconds > 0 ? windows.reduce((sum, one) => sum + one.cpuShares[index]! * one.seconds, 0) / seconds : 0,
    ),
  };
}
