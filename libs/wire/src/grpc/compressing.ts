import type { Backlog } from '../http2/backlog.ts';
import { compress, leastCompressed } from './codings.ts';
import type { Compression } from './codings.ts';

export interface CompressingParts {
  readonly coding: Compression;
  /** What waits to be compressed counts there. */
  readonly backlog: Backlog;
  /** @param last nothing comes behind it */
  readonly send: (octets: Uint8Array, compressed: boolean, last: boolean) => void;
  /** All that was written is sent. */
  readonly idle: () => void;
}

/** A message, or what is to be done when those before it are sent. */
type Step = { readonly octets: Uint8Array; readonly last: boolean } | { readonly then: () => void };

/**
 * Messages on their way out that are compressed where it makes them smaller, one after the other: their order is kept. Small ones with
 * none before them go out at once.
 */
export class Compressing {
  readonly #parts: CompressingParts;
  /** The first is being compressed. */
  #steps: Step[] = [];
  #stopped = false;

  constructor(parts: CompressingParts) {
    this.#parts = parts;
  }

  /** Something that was written is not sent. */
  get isBusy(): boolean {
    return this.#steps.length > 0;
  }

  /** @param octets nobody changes them until they are sent */
  write(octets: Uint8Array, last = false): void {
    if (this.#stopped) return;
    if (!this.isBusy && octets.length < leastCompressed) {
      this.#parts.send(octets, false, last);
      return;
    }
    this.#parts.backlog.add(octets.length);
    this.#add({ octets, last });
  }

  /** Does that when all that was written is sent: at once where it is. */
  behind(then: () => void): void {
    if (this.isBusy) this.#add({ then });
    else then();
  }

  /** Sends no more. */
  stop(): void {
    this.#stopped = true;
    // What is being compressed takes its room until it is done.
    const [first, ...others] = this.#steps;
    for (const step of others) this.#leave(step);
    this.#steps = first === undefined ? [] : [first];
  }

  #add(step: Step): void {
    this.#steps.push(step);
    if (this.#steps.length === 1) this.#next();
  }

  #next(): void {
    for (let step = this.#steps[0]; step !== undefined; step = this.#steps[0]) {
      if ('octets' in step && step.octets.length >= leastCompressed && !this.#stopped) {
        const { octets, last } = step;
        compress(octets, this.#parts.coding, (smaller) => {
          this.#done({ octets, last }, smaller);
          this.#next();
        });
        return;
      }
      this.#done(step, undefined);
    }
    if (!this.#stopped) this.#parts.idle();
  }

  #done(step: Step, smaller: Buffer | undefined): void {
    this.#steps.shift();
    this.#leave(step);
    if (this.#stopped) return;
    if ('then' in step) step.then();
    else this.#parts.send(smaller ?? step.octets, smaller !== undefined, step.last);
  }

  #leave(step: Step): void {
    if ('octets' in step) this.#parts.backlog.remove(step.octets.length);
  }
}
