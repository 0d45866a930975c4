/**
 * Writes rows; `targets` has, by input, the room of the batch from its first row on.
 * `isZero`: all of it is zero already, as new memory is; writing zeros into hundreds of megabytes would hold up the thread.
 */
export type Fill = (targets: readonly Uint8Array[], isZero?: boolean) => void;

/**
 * A batch that was handed to a session. It waits there for its thread, and until that begins it can be changed. What comes
 * too late changes nothing and returns false.
 */
export interface HandedBatch {
  /** It can still be changed, as far as can be seen: its thread may begin it at any moment. */
  readonly open: boolean;
  /** Adds rows behind those that it has, `rows` in all. Also false where there is no room for them. */
  grow(rows: number, fill: Fill): boolean;
  /**
   * Writes it anew with fewer rows. `stringBytes` as in `BatchJob`; also false where they need more room than there is. Should
   * `fill` throw, the batch does not run and ends with that error.
   */
  rewrite(rows: number, stringBytes: readonly number[], fill: Fill): boolean;
  /** Lets it not run at all. */
  withdraw(): boolean;
}

interface HandedPorts extends Omit<HandedBatch, 'open'> {
  readonly isOpen: () => boolean;
}

/**
 * A class, since an object literal with a getter would keep all garbage of a busy process alive: V8 makes a hidden class of its own
 * for each, which is old from the start and holds the getter, and with it the batch and its requests, until the next major
 * collection (ADR 84).
 */
export class Handed implements HandedBatch {
  readonly #ports: HandedPorts;

  constructor(ports: HandedPorts) {
    this.#ports = ports;
  }

  get open(): boolean {
    return this.#ports.isOpen();
  }
  grow(rows: number, fill: Fill): boolean {
    return this.#ports.grow(rows, fill);
  }
  rewrite(rows: number, stringBytes: readonly number[], fill: Fill): boolean {
    return this.#ports.rewrite(rows, stringBytes, fill);
  }
  withdraw(): boolean {
    return this.#ports.withdraw();
  }
}
