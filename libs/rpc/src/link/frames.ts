/** Version of the link that this code speaks; it also talks to the one before and the one after. */
export const linkVersion = 1;

/** Kinds of frames, by their number on the wire. */
export const frameTypes = {
  HELLO: 1,
  REQUEST: 2,
  CANCEL: 3,
  ANSWER: 4,
  FAILURE: 5,
  CHUNK: 6,
  PING: 7,
  PONG: 8,
  WINDOW: 9,
  GOAWAY: 10,
} as const;
export type MessageType = typeof frameTypes.REQUEST | typeof frameTypes.ANSWER | typeof frameTypes.FAILURE;

/** Type and length, before every frame. */
export const frameHead = 5;
/** What a CHUNK has before its bytes: the number of its call. */
export const chunkHead = 4;
/** A time left of REQUEST that says that there is none. */
export const noDeadline = 0xffff_ffff;
/** Most bytes that the pairs of one message may take, so that a frame has a bound. */
export const maxPairBytes = 32 * 1024;
/** Most bytes that the facts of a call may have. */
export const maxFactBytes = 255;
/** Added to the status of an ANSWER or FAILURE that has facts. */
export const withFacts = 0x80;

/** Flag of a HELLO: this side takes facts of its calls. */
const takesFactsFlag = 1;

/** Something that the peer sent and no peer of ours sends; it ends the link. */
export class LinkFault extends Error {
  override readonly name = 'LinkFault';
}

/** What each side says of itself before anything else. */
export interface Hello {
  readonly version: number;
  /** Bytes of data frames that may be on their way to this side. */
  readonly windowBytes: number;
  /** Longest frame that this side takes, its head included. */
  readonly maxFrameBytes: number;
  /** Longest gRPC message that this side takes. */
  readonly maxBatchBytes: number;
  /** Bytes of messages that may have begun to arrive at once, as long as there are two or more. */
  readonly maxPartialBytes: number;
  /** Methods that calls may name, by their place in this list; empty from a client. */
  readonly methods: readonly string[];
  /** It takes facts of the calls that it makes. */
  readonly takesFacts?: boolean;
}

/** The beginning of a message: all that is known before its bytes are there. */
export interface MessageHead {
  readonly type: MessageType;
  readonly call: number;
  /** Of a REQUEST the place of its method, of a FAILURE its gRPC status code, 0 of an ANSWER. */
  readonly code: number;
  /** Milliseconds that the caller still waits; `noDeadline` for no end. Of a REQUEST only. */
  readonly timeLeftMs: number;
  /** Length of the whole message. */
  readonly total: number;
  readonly pairs: Pairs;
  /** What the server says of the call beside an ANSWER or FAILURE, a view of what arrived; undefined where that is nothing. */
  readonly facts: Buffer | undefined;
}

/** Metadata of a request or trailers of an answer. */
export type Pairs = Readonly<Record<string, string>>;

/** Bytes of a frame that begins a message, without the message's own. */
export const messageHead = (type: MessageType, pairBytes: number): number =>
  frameHead + (type === frameTypes.REQUEST ? 13 : 9) + pairBytes;

const noPairs: Pairs = Object.freeze({});
const noPairBytes = Buffer.of(0);

/**
 * Writes pairs of text.
 *
 * @throws LinkFault when they are more than a frame may have
 */
export function encodePairs(pairs: Pairs | undefined): Buffer {
  if (pairs === undefined) return noPairBytes;
  const entries = Object.entries(pairs);
  if (entries.length === 0) return noPairBytes;
  if (entries.length > 255) throw new LinkFault(`${entries.length} pairs, at most 255 are allowed`);
  let size = 1;
  for (const [key, value] of entries) size += 3 + Buffer.byteLength(key) + Buffer.byteLength(value);
  if (size > maxPairBytes) throw new LinkFault(`pairs of ${size} bytes, at most ${maxPairBytes} are allowed`);
  const bytes = Buffer.allocUnsafe(size);
  bytes[0] = entries.length;
  let at = 1;
  for (const [key, value] of entries) {
    const keyBytes = bytes.write(key, at + 1);
    if (keyBytes > 255) throw new LinkFault(`a key of ${keyBytes} bytes, at most 255 are allowed`);
    bytes[at] = keyBytes;
    at += 1 + keyBytes;
    const valueBytes = bytes.write(value, at + 2);
    bytes.writeUInt16LE(valueBytes, at);
    at += 2 + valueBytes;
  }
  return bytes;
}

/**
 * Reads what `encodePairs` wrote.
 *
 * @param from where it begins
 * @param end where the frame ends
 * @throws LinkFault when it does not end within the frame
 */
export function decodePairs(
  bytes: Buffer,
  from: number,
  end: number,
): { readonly pairs: Pairs; readonly next: number } {
  if (from >= end) throw new LinkFault('a frame without its pairs');
  const count = bytes[from]!;
  let at = from + 1;
  if (count === 0) return { pairs: noPairs, next: at };
  const pairs: Record<string, string> = {};
  for (let index = 0; index < count; index++) {
    const keyEnd = at + 1 + (at < end ? bytes[at]! : 0);
    if (keyEnd + 2 > end) throw new LinkFault('a frame that ends within its pairs');
    const valueEnd = keyEnd + 2 + bytes.readUInt16LE(keyEnd);
    if (valueEnd > end) throw new LinkFault('a frame that ends within its pairs');
    // Not by assignment: a peer may name `__proto__`.
    const value = bytes.toString('utf8', keyEnd + 2, valueEnd);
    Object.defineProperty(pairs, bytes.toString('utf8', at + 1, keyEnd), {
      value,
      enumerable: true,
      configurable: true,
    });
    at = valueEnd;
  }
  return { pairs, next: at };
}

/**
 * Facts of a call as they stand behind the pairs of its ANSWER or FAILURE, with these pairs: one piece of memory for both.
 *
 * @param facts at most `maxFactBytes`
 */
export function withFactsBehind(pairs: Uint8Array, facts: Uint8Array): Buffer {
  const at = pairs.length;
  const bytes = Buffer.allocUnsafe(at + 1 + facts.length);
  bytes.set(pairs);
  bytes[at] = facts.length;
  bytes.set(facts, at + 1);
  return bytes;
}

/**
 * Facts of a call.
 *
 * @param from where their length stands
 * @param end where the frame ends
 * @throws LinkFault when they do not end within the frame
 */
export function readFacts(bytes: Buffer, from: number, end: number): Buffer {
  const factsEnd = from + 1 + (from < end ? bytes[from]! : 0);
  if (factsEnd > end) throw new LinkFault('a frame that ends within its facts');
  return bytes.subarray(from + 1, factsEnd);
}

/** A frame of numbers alone. */
export function numberFrame(type: number, ...numbers: readonly number[]): Buffer {
  const bytes = Buffer.allocUnsafe(frameHead + 4 * numbers.length);
  bytes[0] = type;
  bytes.writeUInt32LE(4 * numbers.length, 1);
  let at = frameHead;
  for (const number of numbers) at = bytes.writeUInt32LE(number, at);
  return bytes;
}

/** The first frame of each side. */
export function encodeHello(hello: Hello): Buffer {
  const methods = encodePairs(Object.fromEntries(hello.methods.map((name) => [name, ''])));
  const bytes = Buffer.allocUnsafe(frameHead + 20 + methods.length + 1);
  bytes[0] = frameTypes.HELLO;
  bytes.writeUInt32LE(bytes.length - frameHead, 1);
  let at = frameHead;
  const { version, windowBytes, maxFrameBytes, maxBatchBytes, maxPartialBytes } = hello;
  for (const number of [version, windowBytes, maxFrameBytes, maxBatchBytes, maxPartialBytes])
    at = bytes.writeUInt32LE(number, at);
  bytes.set(methods, at);
  bytes[at + methods.length] = hello.takesFacts === true ? takesFactsFlag : 0;
  return bytes;
}

/**
 * Reads a HELLO. What a later version adds at its end is ignored, and one without flags is of a program before them.
 *
 * @throws LinkFault when it is cut off or its limits allow nothing
 */
export function decodeHello(bytes: Buffer, from: number, end: number): Hello {
  if (end - from < 21) throw new LinkFault(`a HELLO of ${end - from} bytes`);
  const number = (index: number): number => bytes.readUInt32LE(from + 4 * index);
  const { pairs, next } = decodePairs(bytes, from + 20, end);
  const hello = {
    version: number(0),
    windowBytes: number(1),
    maxFrameBytes: number(2),
    maxBatchBytes: number(3),
    maxPartialBytes: number(4),
    methods: Object.keys(pairs),
    takesFacts: next < end && (bytes[next]! & takesFactsFlag) !== 0,
  };
  if (hello.windowBytes === 0) throw new LinkFault('a HELLO with a window of 0 bytes');
  return hello;
}

/** The frames of one gRPC message as its one field: `bytes frames = 1`. */
const framesTag = 0x0a;

/** Bytes that `writeEnvelope` needs before frames of so many bytes. */
export function envelopeBytes(size: number): number {
  let bytes = 2;
  for (let rest = size; rest > 0x7f; rest = Math.floor(rest / 128)) bytes++;
  return bytes;
}

/** Writes the field's tag and length. @returns where its bytes begin */
export function writeEnvelope(bytes: Buffer, size: number): number {
  bytes[0] = framesTag;
  let at = 1;
  let rest = size;
  for (; rest > 0x7f; rest = Math.floor(rest / 128)) bytes[at++] = (rest % 128) | 0x80;
  bytes[at++] = rest;
  return at;
}

/**
 * Where the frames of a gRPC message begin; they end with it.
 *
 * @throws LinkFault when the message is not that one field
 */
export function readEnvelope(bytes: Buffer): number {
  if (bytes.length === 0) return 0;
  let [size, scale, at] = [0, 1, 1];
  for (; at < 6; at++) {
    const byte = bytes[at] ?? 0;
    size += (byte & 0x7f) * scale;
    scale *= 128;
    if (byte < 0x80) break;
  }
  at++;
  if (bytes[0] !== framesTag || at + size !== bytes.length) throw new LinkFault('a message that is not of the link');
  return at;
}
