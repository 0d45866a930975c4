import type { Clock } from '@sluice/domain/clock';
import type { MessageRoom } from '@sluice/wire/grpc/server-call';

/** Messages of fewer octets come in a frame, and of more in pieces. */
const leastOctets = 16 * 1024;
/** Of larger messages memory is not kept. */
const mostOctets = 8 * 1024 * 1024;
/** Octets that lie idle at most. */
const mostIdle = 32 * 1024 * 1024;
/** What nobody has needed for so long is left to the collector, in milliseconds. */
const idleMs = 10_000;
/** Sizes between a power of two and the next: at most an eighth of a piece is not needed. */
const steps = 8;

/** @returns the class of that many octets, and the size of all memory of that class */
function classOf(octets: number): { readonly at: number; readonly size: number } {
  const power = 31 - Math.clz32(octets - 1);
  const step = 2 ** power / steps;
  const count = Math.ceil(octets / step);
  return { at: power * steps + count, size: count * step };
}

/**
 * Memory of large messages that nobody needs any more, for the next ones. Memory outside its heap makes V8 collect all of the heap, 64 MB of
 * it at the latest.
 *
 * Nobody can read in it what another has sent: memory that is given becomes another ArrayBuffer, so that whatever still refers to the one
 * before finds nothing, and a message covers all that can be seen of it before it reaches anybody.
 */
export class UsedMemory {
  readonly #clock: Clock;
  readonly #idle: (ArrayBuffer[] | undefined)[] = [];
  /** By class: the fewest that lay idle since the last look. */
  readonly #unneeded: number[] = [];
  #bytes = 0;
  #looks = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Bytes that lie idle. */
  get bytes(): number {
    return this.#bytes;
  }

  /** @returns memory for a message of that many octets; undefined where its size is none of those that are kept */
  room(octets: number): MessageRoom | undefined {
    if (octets < leastOctets || octets > mostOctets) return undefined;
    const { at, size } = classOf(octets);
    const idle = this.#idle[at];
    const memory = idle?.pop();
    if (memory === undefined) return { octets: Buffer.allocUnsafeSlow(size).subarray(0, octets), isNew: true };
    this.#bytes -= size;
    this.#unneeded[at] = Math.min(this.#unneeded[at]!, idle!.length);
    return { octets: Buffer.from(memory, 0, octets), isNew: false };
  }

  /** Takes back memory that came from `room`. Whatever else refers to it is empty from now on. */
  give(octets: Buffer): void {
    const { buffer } = octets;
    if (!(buffer instanceof ArrayBuffer) || buffer.byteLength === 0) return;
    const { at, size } = classOf(buffer.byteLength);
    const memory = buffer.transfer();
    if (size !== memory.byteLength || this.#bytes + size > mostIdle) return;
    this.#idle[at] ??= [];
    this.#unneeded[at] ??= 0;
    this.#idle[at].push(memory);
    this.#bytes += size;
    if (!this.#looks) this.#lookLater();
  }

  #lookLater(): void {
    this.#looks = true;
    this.#clock.schedule(idleMs, () => {
      this.#idle.forEach((idle, at) => {
        const unneeded = idle!.splice(0, this.#unneeded[at]);
        for (const memory of unneeded) this.#bytes -= memory.byteLength;
        this.#unneeded[at] = idle!.length;
      });
      this.#looks = false;
      if (this.#bytes > 0) this.#lookLater();
    });
  }
}
