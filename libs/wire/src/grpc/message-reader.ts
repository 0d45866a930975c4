import { kept } from '../kept-octets.ts';

/** Octets before each message: whether it is compressed, and its length. */
export const prefixOctets = 5;

/** What goes before a message. */
export function prefixOf(length: number, compressed = false): Buffer {
  const prefix = Buffer.allocUnsafe(prefixOctets);
  prefix[0] = compressed ? 1 : 0;
  prefix.writeUInt32BE(length, 1);
  return prefix;
}

/** A message that cannot be taken. */
export class MessageFault extends Error {
  readonly kind: 'malformed' | 'too-large';

  constructor(kind: MessageFault['kind'], message: string) {
    super(message);
    this.kind = kind;
  }
}

export interface MessageReaderOptions {
  /** Octets of a message at most, as it comes. */
  readonly maxOctets: number;
  /** A message begins that has not come as a whole. @throws MessageFault when there is no room for it */
  readonly announced: (octets: number) => void;
  /** Room for a part of it, which has come. @throws MessageFault when there is none */
  readonly reserve: (octets: number) => void;
  /** Memory for that message; undefined: new memory, of which pages are there only as octets come. @throws MessageFault when there is no room for it */
  readonly room?: (octets: number) => Buffer | undefined;
  /** A message is there. */
  readonly message: (octets: Buffer, compressed: boolean) => void;
}

const noOctets = Buffer.alloc(0);

/**
 * Takes messages out of data, however these are cut (PROTOCOL-HTTP2.md, Length-Prefixed-Message). Each is copied once: what it comes in is not there for
 * long.
 */
export class MessageReader {
  readonly #options: MessageReaderOptions;
  /** The prefix of which a part has come. */
  #prefix: Buffer | undefined;
  #prefixAt = 0;
  #compressed = false;
  /** The message of which a part has come. */
  #message: Buffer | undefined;
  #at = 0;
  #stopped = false;

  constructor(options: MessageReaderOptions) {
    this.#options = options;
  }

  /** A message has begun and not ended. */
  get midMessage(): boolean {
    return this.#message !== undefined || this.#prefixAt > 0;
  }

  /** Octets of the message that has begun which have not come. */
  get missing(): number {
    return this.#message === undefined ? 0 : this.#message.length - this.#at;
  }

  /** @throws MessageFault */
  read(chunk: Buffer, start: number, end: number): void {
    let at = start;
    while (at < end && !this.#stopped) {
      if (this.#message !== undefined) at = this.#readMessage(this.#message, chunk, at, end);
      else if (this.#prefixAt === 0 && end - at >= prefixOctets)
        at = this.#begin(chunk, at, chunk, at + prefixOctets, end);
      else at = this.#readPrefix(chunk, at, end);
    }
  }

  /** Reads no more, also of what it is reading now: whoever takes the messages has had enough of them. */
  stop(): void {
    this.#stopped = true;
    this.#message = undefined;
  }

  #readPrefix(chunk: Buffer, at: number, end: number): number {
    this.#prefix ??= Buffer.allocUnsafe(prefixOctets);
    const count = Math.min(prefixOctets - this.#prefixAt, end - at);
    chunk.copy(this.#prefix, this.#prefixAt, at, at + count);
    this.#prefixAt += count;
    if (this.#prefixAt < prefixOctets) return at + count;
    this.#prefixAt = 0;
    return this.#begin(this.#prefix, 0, chunk, at + count, end);
  }

  /** @param at of what is behind the prefix */
  #begin(prefix: Buffer, prefixAt: number, chunk: Buffer, at: number, end: number): number {
    const flag = prefix[prefixAt]!;
    const length = prefix.readUInt32BE(prefixAt + 1);
    if (flag > 1) throw new MessageFault('malformed', `a message with the compressed flag ${flag}`);
    if (length > this.#options.maxOctets)
      throw new MessageFault(
        'too-large',
        `the request has ${length} bytes, more than the limit of ${this.#options.maxOctets}; send less at once`,
      );
    this.#compressed = flag === 1;
    if (end - at >= length) {
      this.#options.message(length === 0 ? noOctets : kept(chunk, at, at + length), this.#compressed);
      return at + length;
    }
    this.#options.announced(length);
    this.#message = this.#options.room?.(length) ?? Buffer.allocUnsafeSlow(length);
    this.#at = 0;
    return at;
  }

  #readMessage(message: Buffer, chunk: Buffer, at: number, end: number): number {
    const count = Math.min(message.length - this.#at, end - at);
    this.#options.reserve(count);
    chunk.copy(message, this.#at, at, at + count);
    this.#at += count;
    if (this.#at === message.length) {
      this.#message = undefined;
      this.#options.message(message, this.#compressed);
    }
    return at + count;
  }
}
