import type { Clock, Timer } from '@sluice/domain/clock';
import { SluiceError } from '@sluice/domain/errors';
import type { AuditEntry } from './audit-outbox.ts';

/** An entry as it is sent. */
export interface NumberedEntry extends Omit<AuditEntry, 'details'> {
  readonly sequence: number;
  /** A JSON object. */
  readonly detailsJson: string;
  readonly recordedMs: number;
}

/** The audit log, which is the registry's. */
export interface AuditLog {
  /** Appends what is not there yet. Without entries it only says which sequence it expects. */
  append(
    entries: readonly NumberedEntry[],
  ): Promise<{ readonly nextSequence: number; readonly leafIndexes: readonly number[] }>;
}

/** The entries that wait. */
export interface Outbox {
  /** Whether any entry waits. */
  hasWaiting(): Promise<boolean>;
  /** Runs `fn` while no other replica does; false when one does already. */
  alone(fn: () => Promise<void>): Promise<boolean>;
  /** Entries from `sequence` on wait again: the log has lost them. */
  sendAgain(sequence: number): Promise<void>;
  /** Gives numbers to waiting entries that have none, from `least` on or behind those that wait. At most `limit`. */
  number(least: number, limit: number): Promise<void>;
  /** Takes the numbers from `sequence` on from entries that wait. */
  unnumber(sequence: number): Promise<void>;
  /** Waiting entries with numbers, in their order. */
  next(limit: number): Promise<NumberedEntry[]>;
  appended(entries: readonly { readonly sequence: number; readonly leafIndex: number }[]): Promise<void>;
}

export interface AuditRelayOptions {
  readonly outbox: Outbox;
  readonly log: AuditLog;
  readonly clock: Clock;
  readonly everyMs: number;
  /** Told of each change: with the error when entries cannot be sent, or for another reason than before; without one when they can again. */
  readonly onAway: (error: SluiceError | undefined) => void;
  /** Told when the log has something else under a number that was sent. */
  readonly onRenumbered: (sequence: number) => void;
}

const mostAtOnce = 500;

/**
 * Sends what waits in the outbox to the audit log: in order, each once. A number is committed before it is sent, so that whoever goes
 * on after a crash sends the same again, which the log recognizes. Where one of the two was put back from a backup, what is missing is
 * sent again, and what collides gets other numbers.
 */
export class AuditRelay {
  readonly #options: AuditRelayOptions;
  #timer: Timer | undefined;
  #round: Promise<void> = Promise.resolve();
  #closed = false;
  #away: SluiceError | undefined;

  constructor(options: AuditRelayOptions) {
    this.#options = options;
  }

  start(): void {
    this.#round = this.#try().finally(() => {
      if (!this.#closed) this.#timer = this.#options.clock.schedule(this.#options.everyMs, () => this.start());
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#timer?.cancel();
    await this.#round;
  }

  /** Sends all that waits. Nothing when another replica is at it. */
  async send(): Promise<void> {
    const { outbox } = this.#options;
    if (await outbox.hasWaiting()) await outbox.alone(() => this.#drain());
  }

  async #try(): Promise<void> {
    try {
      await this.send();
      if (this.#away) this.#options.onAway(undefined);
      this.#away = undefined;
    } catch (cause) {
      const error = SluiceError.from(cause);
      if (this.#away?.kind !== error.kind) this.#options.onAway(error);
      this.#away = error;
    }
  }

  async #drain(): Promise<void> {
    const { outbox, log } = this.#options;
    let next = (await log.append([])).nextSequence;
    await outbox.sendAgain(next);
    let limit = mostAtOnce;
    while (!this.#closed) {
      await outbox.number(next, mostAtOnce);
      const entries = await outbox.next(limit);
      if (entries.length === 0) return;
      const first = entries[0]!.sequence;
      // What the log expects is not here any more: those behind it move up.
      if (first > next) await outbox.unnumber(0);
      else {
        const answer = await this.#append(entries, first < next);
        next = answer ?? next;
        if (answer !== undefined) limit = mostAtOnce;
        // One of them collides, or will never be taken: found one by one.
        else if (limit > 1) limit = 1;
        else await this.#unnumber(first);
      }
    }
  }

  /**
   * @param mayCollide the log has something under the first number already
   * @returns the number that it expects next; undefined when it has something else there, or one of several is not to be taken
   * @throws SluiceError invalid-argument naming an entry that it will never take, which holds up all behind it
   */
  async #append(entries: readonly NumberedEntry[], mayCollide: boolean): Promise<number | undefined> {
    const { outbox, log } = this.#options;
    try {
      const { nextSequence, leafIndexes } = await log.append(entries);
      await outbox.appended(entries.map(({ sequence }, index) => ({ sequence, leafIndex: leafIndexes[index]! })));
      return nextSequence;
    } catch (error) {
      const { kind, message } = SluiceError.from(error);
      if (mayCollide && kind === 'failed-precondition') return undefined;
      if (kind !== 'invalid-argument') throw error;
      if (entries.length > 1) return undefined;
      const [{ sequence, action, object }] = entries as [NumberedEntry];
      throw new SluiceError(
        'invalid-argument',
        `the audit log refuses entry ${sequence} of the outbox, ${action} of ${object}, and takes none behind it: ${message}. It is of another version of the software: upgrade the registry`,
        { cause: error },
      );
    }
  }

  async #unnumber(sequence: number): Promise<void> {
    this.#options.onRenumbered(sequence);
    await this.#options.outbox.unnumber(sequence);
  }
}
