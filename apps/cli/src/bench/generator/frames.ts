import type { ParameterValue } from '@sluice/inference/parameters';
import { parameterSize, writeParameter } from '@sluice/inference/parameters';
import { fieldSize, WireWriter } from '@sluice/inference/wire-writer';
import type { Step } from './sequences.ts';

/** One gRPC message with its five bytes of head, in pieces that are written one after the other. */
export type Framed = readonly Uint8Array[];

/** Messages up to this size are joined with what is added to them: one write costs less than two. */
const joinedUpTo = 16 * 1024;
const headBytes = 5;
/** Digits of an id: all ids have one length, so that an echo finds them at the end of a message. */
const idDigits = 9;
/** Bytes of the id as a field of a ModelInferRequest or ModelInferResponse. */
export const idFieldBytes = 2 + idDigits;

/** The id of request `number` of a stream. */
export const idOf = (number: number): string => String(number % 10 ** idDigits).padStart(idDigits, '0');

/**
 * The requests of a run, built once. What differs between two requests of one entry (id, sequence) is appended as protobuf fields:
 * no tensor is encoded again.
 */
export class RequestFrames {
  readonly #plain: readonly Framed[];
  readonly #messages: readonly Uint8Array[];
  #next = 0;

  /** @param messages ModelInferRequests, at least one, taken in turn */
  constructor(messages: readonly Uint8Array[]) {
    this.#messages = messages;
    this.#plain = messages.map((message) => [framed(message, undefined)]);
  }

  /** The next request as it is, or with an id and a sequence's step. Never more than one copy of a small message. */
  take(id: string | undefined, step: Step | undefined): Framed {
    const index = this.#next;
    this.#next = index + 1 === this.#messages.length ? 0 : index + 1;
    if (id === undefined && step === undefined) return this.#plain[index]!;
    const message = this.#messages[index]!;
    const added = addition(id, step);
    if (message.byteLength <= joinedUpTo) return [framed(message, added)];
    return [head(message.byteLength + added.byteLength), message, added];
  }
}

function framed(message: Uint8Array, added: Uint8Array | undefined): Buffer {
  const length = message.byteLength + (added?.byteLength ?? 0);
  const bytes = Buffer.allocUnsafe(headBytes + length);
  writeHead(bytes, length);
  bytes.set(message, headBytes);
  if (added !== undefined) bytes.set(added, headBytes + message.byteLength);
  return bytes;
}

function head(length: number): Buffer {
  const bytes = Buffer.allocUnsafe(headBytes);
  writeHead(bytes, length);
  return bytes;
}

/** Uncompressed, and the length. */
function writeHead(bytes: Buffer, length: number): void {
  bytes[0] = 0;
  bytes.writeUInt32BE(length, 1);
}

/** Fields of a ModelInferRequest that are not in its built message: parameters (4) and, last, id (3). */
function addition(id: string | undefined, step: Step | undefined): Uint8Array {
  const parameters: readonly (readonly [string, ParameterValue])[] =
    step === undefined
      ? []
      : [
          ['sequence_id', { kind: 'int64', value: BigInt(step.id) }],
          ['sequence_start', { kind: 'bool', value: step.start }],
          ['sequence_end', { kind: 'bool', value: step.end }],
        ];
  const size = parameters.reduce((sum, [key, value]) => sum + parameterSize(key, value), 0);
  const writer = new WireWriter(size + (id === undefined ? 0 : fieldSize(id.length)));
  for (const [key, value] of parameters) writeParameter(writer, 4, key, value);
  if (id !== undefined) writer.string(3, id, id.length);
  return writer.bytes;
}

/** Takes the messages out of the bytes of a gRPC stream. */
export class FrameReader {
  readonly #keep: boolean;
  readonly #head = Buffer.alloc(headBytes);
  #headRead = 0;
  #left = 0;
  #parts: Buffer[] = [];
  /** Whole messages so far. */
  count = 0;

  /** @param keep false: messages are only counted, and their bytes forgotten */
  constructor(keep: boolean) {
    this.#keep = keep;
  }

  /** False while a message is cut off. */
  get isWhole(): boolean {
    return this.#headRead === 0;
  }

  /** Takes the next bytes. @param onMessage told of each message that is whole now, where messages are kept */
  push(chunk: Buffer, onMessage?: (message: Buffer) => void): void {
    let at = 0;
    while (at < chunk.length) {
      at = this.#headRead < headBytes ? this.#readHead(chunk, at) : this.#readBody(chunk, at);
      if (this.#headRead === headBytes && this.#left === 0) this.#end(onMessage);
    }
  }

  #readHead(chunk: Buffer, at: number): number {
    const end = Math.min(chunk.length, at + headBytes - this.#headRead);
    chunk.copy(this.#head, this.#headRead, at, end);
    this.#headRead += end - at;
    if (this.#headRead === headBytes) this.#left = this.#head.readUInt32BE(1);
    return end;
  }

  #readBody(chunk: Buffer, at: number): number {
    const end = Math.min(chunk.length, at + this.#left);
    if (this.#keep) this.#parts.push(chunk.subarray(at, end));
    this.#left -= end - at;
    return end;
  }

  #end(onMessage: ((message: Buffer) => void) | undefined): void {
    const [only = Buffer.alloc(0)] = this.#parts;
    const message = this.#parts.length > 1 ? Buffer.concat(this.#parts) : only;
    this.#parts = [];
    this.#headRead = 0;
    this.count += 1;
    if (this.#keep) onMessage?.(message);
  }
}
