import { invalidArgument, SluiceError, unavailable } from '@sluice/domain/errors';
import { ByteBudget } from './byte-budget.ts';
import type { Ingester } from './ingester.ts';

/** Whose blocks come on a stream. */
export interface Spool {
  readonly spoolId: string;
  readonly routerId: string;
}

interface Sent {
  readonly position: number;
  stored: boolean;
}

/** What a block costs here beside its octets: many that have hardly any are not free. */
const blockOverhead = 512;

/** What comes of one spool over one stream: stored in any order, acknowledged in that of the spool. */
export class SpoolStream {
  readonly spool: Spool;
  readonly #ingester: Pick<Ingester, 'add' | 'budget'>;
  readonly #window: ByteBudget;
  /** Not acknowledged, in the order of the spool. */
  readonly #sent: Sent[] = [];
  #last = -1;
  #stored = -1;
  #told = -1;
  /** Number of the newest order to erase, and what of that the caller was told. */
  #erasures: number;
  #toldErasures: number;
  #ended = false;
  #draining = false;
  #closed = false;
  #failure: unknown;
  #wake: (() => void) | undefined;

  /**
   * @param windowBytes of blocks that are taken and not yet settled; what comes beyond is not read
   * @param erasures number of the newest order to erase, which the first answer has
   */
  constructor(spool: Spool, ingester: Pick<Ingester, 'add' | 'budget'>, windowBytes: number, erasures = 0) {
    this.spool = spool;
    this.#erasures = erasures;
    this.#toldErasures = erasures;
    this.#ingester = ingester;
    this.#window = new ByteBudget(windowBytes);
  }

  /** Bytes of blocks that are taken and not yet settled. */
  get heldBytes(): number {
    return this.#window.held;
  }

  /** Position up to which all is stored; 0 before the first. */
  get acknowledged(): number {
    return Math.max(0, this.#stored);
  }

  /**
   * Takes a block; resolves when the next may come.
   *
   * @returns false when the stream is over and no more is taken
   * @throws SluiceError invalid-argument when it does not lie behind the one before
   */
  async add(position: number, block: Uint8Array): Promise<boolean> {
    if (position <= this.#last)
      throw invalidArgument(
        `position: ${position} given after ${this.#last}; expected a higher one with every block of a stream`,
      );
    this.#last = position;
    const size = block.length + blockOverhead;
    await this.#window.take(size);
    await this.#ingester.budget.take(size);
    if (this.#closed || this.#draining || this.#failure !== undefined) {
      this.#release(size);
      return false;
    }
    const sent: Sent = { position, stored: false };
    this.#sent.push(sent);
    this.#ingester.add({ origin: { ...this.spool, position }, block }, (error) => {
      this.#release(size);
      if (error) this.fail(error);
      else this.#settle(sent);
    });
    return true;
  }

  /** There is an order to erase that the caller is to be told of. */
  announce(erasures: number): void {
    if (erasures <= this.#erasures) return;
    this.#erasures = erasures;
    this.#wake?.();
  }

  /** No more blocks come: the stream ends when all are stored. */
  end(): void {
    this.#ended = true;
    this.#wake?.();
  }

  /** Stores what came, acknowledges it, and then refuses the rest with `unavailable`: this process stops. */
  drain(): void {
    this.#draining = true;
    this.#wake?.();
  }

  /** Ends the stream with an error, after what is stored was acknowledged. */
  fail(error: unknown): void {
    this.#failure ??= error;
    this.#wake?.();
  }

  /** The caller is gone. What came is stored all the same. */
  close(): void {
    this.#closed = true;
    this.#wake?.();
  }

  /**
   * Positions up to which all is stored, as they rise, or when an order to erase is announced; the newest when the caller is slow.
   * Throws what the stream failed with.
   */
  async *acknowledgements(): AsyncGenerator<number, void, undefined> {
    for (;;) {
      if (this.#closed) return;
      if (this.#stored > this.#told || this.#erasures > this.#toldErasures) {
        this.#told = this.#stored;
        this.#toldErasures = this.#erasures;
        yield this.acknowledged;
      } else if (this.#failure !== undefined) throw SluiceError.from(this.#failure);
      else if (this.#sent.length === 0 && this.#draining)
        throw unavailable('this feedback is stopping: send what is not acknowledged to another', { retryAfterMs: 0 });
      else if (this.#sent.length === 0 && this.#ended) return;
      else {
        await new Promise<void>((resolve) => (this.#wake = resolve));
        this.#wake = undefined;
      }
    }
  }

  #settle(sent: Sent): void {
    sent.stored = true;
    let done = 0;
    while (this.#sent[done]?.stored === true) this.#stored = this.#sent[done++]!.position;
    this.#sent.splice(0, done);
    this.#wake?.();
  }

  #release(size: number): void {
    this.#ingester.budget.give(size);
    this.#window.give(size);
  }
}
