import { MessageQueue, byItself } from './message-queue.ts';

export interface InflatingParts {
  /** @throws what a message cannot be taken for, or rejects with it */
  readonly inflate: (octets: Buffer) => Buffer | Promise<Buffer>;
  /** @param came octets of it as it came */
  readonly take: (octets: Buffer, came: number) => void;
  /** What a message cannot be taken for; nobody else is there to throw to. */
  readonly failed: (error: unknown) => void;
  /** None is left that waited. */
  readonly idle: () => void;
}

interface Waiting {
  readonly octets: Buffer;
  readonly compressed: boolean;
}

/** Messages of a call that are inflated one after the other, so that they keep their order. Those that wait do so as they came. */
export class Inflating {
  readonly #parts: InflatingParts;
  readonly #waiting = new MessageQueue<Waiting>();
  /** One is being worked on. */
  #working = false;
  #paused = false;

  constructor(parts: InflatingParts) {
    this.#parts = parts;
  }

  /** Some are not done. */
  get isBusy(): boolean {
    return this.#working || this.#waiting.size > 0;
  }

  /** Behind those before it; at once where there are none and it is small. */
  add(octets: Buffer, compressed: boolean): void {
    const waits = this.isBusy || this.#paused;
    this.#waiting.push({ octets: waits ? byItself(octets) : octets, compressed });
    if (!waits) this.#work();
  }

  /** Inflates no more until `resume`, but for the one that is being inflated. */
  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    if (!this.#working && this.#waiting.size > 0) this.#goOn();
  }

  /** Nobody wants what is left. */
  stop(): void {
    this.#waiting.clear();
  }

  #goOn(): void {
    this.#work();
    if (!this.isBusy) this.#parts.idle();
  }

  #work(): void {
    this.#working = true;
    for (let next = this.#next(); next !== undefined; next = this.#next()) {
      const { octets, compressed } = next;
      try {
        const whole = compressed ? this.#parts.inflate(octets) : octets;
        if (whole instanceof Promise) {
          void this.#wait(whole, octets.length);
          return;
        }
        this.#parts.take(whole, octets.length);
      } catch (error) {
        this.#parts.failed(error);
      }
    }
    this.#working = false;
  }

  #next(): Waiting | undefined {
    return this.#paused ? undefined : this.#waiting.shift();
  }

  async #wait(whole: Promise<Buffer>, came: number): Promise<void> {
    try {
      this.#parts.take(await whole, came);
    } catch (error) {
      this.#parts.failed(error);
    }
    this.#goOn();
  }
}
