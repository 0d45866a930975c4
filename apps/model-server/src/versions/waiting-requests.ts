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

/** Requests that wait for versions, by version and in the order in which they came. How many is the byte budget's to say. */
export class WaitingRequests {
  readonly #byVersion = new Map<string, Set<WaitingRequest>>();
  #count = 0;

  /** Requests that wait now, of all versions. */
  get count(): number {
    return this.#count;
  }

  has(version: string): boolean {
    return this.#byVersion.has(version);
  }

  add(version: string, request: WaitingRequest): Leave {
    const all = this.#byVersion.get(version) ?? new Set();
    this.#byVersion.set(version, all);
    all.add(request);
    this.#count += 1;
    return () => {
      if (!all.delete(request)) return false;
      this.#count -= 1;
      if (all.size === 0 && this.#byVersion.get(version) === all) this.#byVersion.delete(version);
      return true;
    };
  }

  /** Whether a request waits that starts this sequence, so that others of it may follow. */
  startWaits(version: string, id: SequenceId): boolean {
    for (const { sequence } of this.#byVersion.get(version) ?? [])
      if (sequence?.start && sequence.id === id) return true;
    return false;
  }

  /** The version is ready: its requests begin, in the order of their arrival. */
  start(version: string, engine: Engine): void {
    for (const request of this.#take(version)) request.start(engine);
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
    const all = this.#byVersion.get(version);
    if (!all) return;
    const started = new Set<SequenceId>();
    for (const request of [...all]) {
      const { sequence } = request;
      if (!sequence) continue;
      if (sequence.start) started.add(sequence.id);
      if (started.has(sequence.id) || !all.delete(request)) continue;
      this.#count -= 1;
      if (all.size === 0) this.#byVersion.delete(version);
      request.fail(lost(sequence.id));
    }
  }

  #take(version: string): readonly WaitingRequest[] {
    const all = this.#byVersion.get(version);
    if (!all) return [];
    this.#byVersion.delete(version);
    const taken = [...all];
    // Those who leave from now on find that the wait is over.
    all.clear();
    this.#count -= taken.length;
    return taken;
  }
}
