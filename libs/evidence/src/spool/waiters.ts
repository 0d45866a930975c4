import type { SluiceError } from '@sluice/domain/errors';
import type { Synced } from './contract.ts';

interface Waiter {
  readonly position: number;
  readonly synced: Synced;
}

/** Who waits until a position is on disk. */
export class Waiters {
  #waiting: Waiter[] = [];

  get count(): number {
    return this.#waiting.length;
  }

  add(position: number, synced: Synced): void {
    this.#waiting.push({ position, synced });
  }

  /** Calls those of all positions up to one. */
  upTo(position: number): void {
    this.#call((each) => each <= position);
  }

  /** Calls those of a position and behind with an error. */
  refuseFrom(position: number, error: SluiceError): void {
    this.#call((each) => each >= position, error);
  }

  #call(isMeant: (position: number) => boolean, error?: SluiceError): void {
    const before = this.#waiting;
    const meant = before.filter(({ position }) => isMeant(position));
    if (meant.length === 0) return;
    // First: a waiter that is called may add others.
    this.#waiting = before.filter(({ position }) => !isMeant(position));
    for (const { synced } of meant) call(synced, error);
  }
}

/** What a callback throws is a defect of its owner, and must not stop the spool. */
export function call(synced: Synced, error?: SluiceError): void {
  try {
    synced(error);
  } catch (thrown) {
    queueMicrotask(() => {
      throw thrown;
    });
  }
}
