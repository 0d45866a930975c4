import type { DrainReport } from '@sluice/batching/contract';
import type { SluiceError } from '@sluice/domain/errors';
import type { Engine } from '../serving/engine.ts';

/** The engine of a version from its load to its end: first names lead to it, then it only finishes what it has. */
export class LiveEngine {
  #named: Engine | undefined;
  #live: Engine | undefined;

  /** Where requests go that name the version. */
  get named(): Engine | undefined {
    return this.#named;
  }

  /** Where requests and sequences still may be: with `named`, or with what is on its way out. */
  get live(): Engine | undefined {
    return this.#live;
  }

  /** Sequences live there. */
  get hasSequences(): boolean {
    const sequences = this.#live?.sequences;
    return sequences !== undefined && sequences.count + sequences.backlog > 0;
  }

  /** Requests are with it, or sequences live there, whose next requests will come. */
  get isBusy(): boolean {
    const queue = this.#live?.queue();
    return this.hasSequences || (queue !== undefined && queue.queuedRequests + queue.runningBatches > 0);
  }

  /** From now on requests go there. */
  serve(engine: Engine): void {
    this.#named = engine;
    this.#live = engine;
  }

  /** No name leads to it any more; what it has can still be found. */
  retire(): void {
    this.#named = undefined;
  }

  /** Lets it finish what it has, for at most so many milliseconds; undefined when there is none. */
  finish(withinMs: number): Promise<DrainReport | undefined> {
    this.retire();
    return this.#live?.drain(withinMs) ?? Promise.resolve(undefined);
  }

  /** A session of it is gone, and the states of sequences with it: it ends all that it has. */
  lose(): void {
    void this.finish(0);
  }

  /** Nothing is with it any more. */
  forget(): void {
    this.#named = undefined;
    this.#live = undefined;
  }

  /** A native call of it does not end: its requests get `error`, and no new ones are taken. */
  hang(error: SluiceError): void {
    this.#live?.hang(error);
  }

  /** Nobody can send anything any more: sequences end as soon as they have no request. */
  endSequences(): void {
    this.#live?.sequences?.endIdle();
  }
}
