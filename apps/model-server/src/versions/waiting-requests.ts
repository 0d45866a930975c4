import type { SluiceError } from '@sluice/domain/errors';
import type { SequenceId, SequenceMark } from '@sluice/inference/sequence';
import type { Engine } from '../serving/engine.ts';

/** A request that waits for its version to be loaded. Exactly one of the two is called, once, unless it leaves before. */
export interface WaitingRequest {
  /** What it says of a sequence. */
  readonly sequence: SequenceMark | undefined;
  start(engine: Engine): void;
  fail(error: SluiceError): void;
}

/** Leaves the wait. @returns false when it is over already */
export type Leave = () => boolean;

/** Those that wait for one version. */
interface Queue {
  readonly requests: Set<WaitingRequest>;
  /** Since the last of them were handed over. */
  came: number;
  /** Where they are being handed over to. */
  engine: Engine | undefined;
}

/** So many are handed over in one turn: some milliseconds of work. */
const mostAtOnce = 256;

export interface HandOver {
  /** Goes on in a later turn. */
  readonly defer: (fn: () => void) => void;
  /** The engine of a version that is ready now. */
  readonly engine: (version: string) => Engine | undefined;
}

/** Requests that wait for versions, by version and in the order in which they came. How many is the byte budget's to say. */
export class WaitingRequests {
  readonly #byVersion = new Map<string, Queue>();
  /** The versions whose requests are being handed over, by engine. */
  readonly #handedTo = new Map<Engine, string>();
  readonly #handOver: HandOver;
  #count = 0;

  constructor(handOver: HandOver) {
    this.#handOver = handOver;
  }

  /** Requests that wait now, of all versions. */
  get count(): number {
    return this.#count;
  }

  has(version: string): boolean {
    return this.#byVersion.has(version);
  }

  add(version: string, request: WaitingRequest): Leave {
    const queue = this.#byVersion.get(version) ?? { requests: new Set(), came: 0, engine: undefined };
    this.#byVersion.set(version, queue);
    queue.requests.add(request);
    queue.came += 1;
    this.#count += 1;
    return () => {
      if (!queue.requests.delete(request)) return false;
      this.#count -= 1;
      this.#settle(version, queue);
      return true;
    };
  }

  /** Whether a request waits that starts this sequence, so that others of it may follow. */
  startWaits(version: string, id: SequenceId): boolean {
    for (const { sequence } of this.#byVersion.get(version)?.requests ?? [])
      if (sequence?.start && sequence.id === id) return true;
    return false;
  }

  /**
   * The version is ready: its requests begin, in the order of their arrival and so many in a turn, as long as it stays
   * ready; those that are left wait on then. Who comes meanwhile belongs behind them: see `versionBehind`.
   */
  start(version: string): void {
    const queue = this.#byVersion.get(version);
    if (!queue || queue.engine) return;
    queue.came = 0;
    this.#next(version, queue);
  }

  /** The version whose requests are being handed over to an engine; undefined when nobody waits any more. */
  versionBehind(engine: Engine): string | undefined {
    return this.#handedTo.get(engine);
  }

  #next(version: string, queue: Queue): void {
    // They were told meanwhile that it does not come, or have left.
    if (this.#byVersion.get(version) !== queue) return;
    this.#goTo(version, queue, this.#handOver.engine(version));
    const { engine } = queue;
    if (!engine) return;
    // Besides as many as have come since: it ends, however fast they come.
    const turn = first(queue.requests, mostAtOnce + queue.came);
    queue.came = 0;
    for (const request of turn) {
      // One may make another leave.
      if (!queue.requests.delete(request)) continue;
      this.#count -= 1;
      request.start(engine);
    }
    this.#settle(version, queue);
    if (queue.requests.size > 0) this.#handOver.defer(() => this.#next(version, queue));
  }

  #goTo(version: string, queue: Queue, engine: Engine | undefined): void {
    if (queue.engine) this.#handedTo.delete(queue.engine);
    if (engine) this.#handedTo.set(engine, version);
    queue.engine = engine;
  }

  /** The version does not come: all that wait for it are told why. */
  fail(version: string, error: SluiceError): void {
    for (const request of this.#take(version)) request.fail(error);
  }

  /** None of the versions comes. */
  failAll(error: SluiceError): void {
    for (const version of [...this.#byVersion.keys()]) this.fail(version, error);
  }

  /** Nothing has started the sequences of some of them: neither before, on this version, nor among those that wait. */
  failLost(version: string, lost: (id: SequenceId) => SluiceError): void {
    const queue = this.#byVersion.get(version);
    if (!queue) return;
    const started = new Set<SequenceId>();
    for (const request of [...queue.requests]) {
      const { sequence } = request;
      if (!sequence) continue;
      if (sequence.start) started.add(sequence.id);
      if (started.has(sequence.id) || !queue.requests.delete(request)) continue;
      this.#count -= 1;
      this.#settle(version, queue);
      request.fail(lost(sequence.id));
    }
  }

  /** Forgets a queue that is empty. */
  #settle(version: string, queue: Queue): void {
    if (queue.requests.size > 0 || this.#byVersion.get(version) !== queue) return;
    this.#byVersion.delete(version);
    this.#goTo(version, queue, undefined);
  }

  #take(version: string): readonly WaitingRequest[] {
    const queue = this.#byVersion.get(version);
    if (!queue) return [];
    const taken = [...queue.requests];
    // Those who leave from now on find that the wait is over.
    queue.requests.clear();
    this.#count -= taken.length;
    this.#settle(version, queue);
    return taken;
  }
}

function first<Item>(items: Iterable<Item>, most: number): readonly Item[] {
  const found: Item[] = [];
  for (const item of items) if (found.push(item) === most) break;
  return found;
}
