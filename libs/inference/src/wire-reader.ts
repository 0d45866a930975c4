import { isUtf8 } from 'node:buffer';
import { invalidArgument } from '@sluice/domain/errors';
import type { SluiceError } from '@sluice/domain/errors';

/** Wire types of protocol buffers that we take; groups (3 and 4) are long deprecated and refused. */
export const wireType = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const;

const wireNames = ['varint', 'fixed64', 'length-delimited', 'group start', 'group end', 'fixed32'];

/** A view on the same memory with Node's string decoders. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** True when no byte of the range is above 0x7f. */
export function isAscii(bytes: Uint8Array, start: number, end: number): boolean {
  for (let index = start; index < end; index++) if (bytes[index]! > 0x7f) return false;
  return true;
}

/**
 * A cursor over the bytes of one protobuf message. It reads nothing beyond `end`, and every problem is an
 * `invalid-argument` that names the message, the field and the byte offset.
 */
export class WireReader {
  readonly bytes: Buffer;
  pos = 0;
  end: number;
  /** Number of the field that was read last, and its wire type. */
  field = 0;
  type = 0;
  /** The two unsigned halves of the last 64-bit varint. */
  lo = 0;
  hi = 0;
  readonly #message: string;

  /** @param message the message's name, for error texts */
  constructor(bytes: Uint8Array, message: string) {
    this.bytes = asBuffer(bytes);
    this.end = bytes.byteLength;
    this.#message = message;
  }

  fail(field: string, problem: string, offset = this.pos): SluiceError {
    return invalidArgument(`${this.#message} is malformed: ${field} at byte ${offset}: ${problem}`);
  }

  /** Reads the next tag into `field` and `type`; false at the end. */
  next(): boolean {
    if (this.pos >= this.end) return false;
    const at = this.pos;
    this.varint('a field tag');
    if (this.hi !== 0) throw this.fail('a field tag', 'the field number is out of range', at);
    this.field = this.lo >>> 3;
    this.type = this.lo & 7;
    if (this.field === 0) throw this.fail('a field tag', 'field number 0 does not exist', at);
    return true;
  }

  /** Refuses a field that came with another wire type than its own. */
  expect(type: number, field: string): void {
    if (this.type === type) return;
    throw this.fail(field, `expected wire type ${name(type)}, got ${name(this.type)}`);
  }

  /** Reads a varint of up to 64 bits into `lo` and `hi`. */
  varint(field: string): void {
    const { bytes, end } = this;
    const at = this.pos;
    let pos = at;
    let lo = 0;
    let hi = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      if (pos >= end) throw this.fail(field, 'the varint is cut off', at);
      const byte = bytes[pos++]!;
      const bits = byte & 0x7f;
      if (shift < 28) lo |= bits << shift;
      else if (shift === 28) {
        lo |= bits << 28;
        hi = bits >>> 4;
      } else if (shift < 63) hi |= bits << (shift - 32);
      else if (byte > 1) throw this.fail(field, 'the varint has more than 64 bits', at);
      else hi |= bits << 31;
      if (byte < 0x80) {
        this.pos = pos;
        this.lo = lo >>> 0;
        this.hi = hi >>> 0;
        return;
      }
    }
    throw this.fail(field, 'the varint has more than 64 bits', at);
  }

  /** Reads a signed 64-bit varint; beyond 2^53 the result loses precision but keeps its sign and is never safe. */
  int64(field: string): number {
    this.varint(field);
    return (this.hi | 0) * 2 ** 32 + this.lo;
  }

  /** The last varint as a signed or unsigned 64-bit integer. */
  bigint(signed: boolean): bigint {
    const value = (BigInt(this.hi) << 32n) | BigInt(this.lo);
    return signed ? BigInt.asIntN(64, value) : value;
  }

  /** Reads a length and checks that so many bytes follow; `pos` is then the first of them, the result the end. */
  length(field: string): number {
    const at = this.pos;
    this.varint(field);
    const length = this.hi * 2 ** 32 + this.lo;
    if (length > this.end - this.pos) {
      throw this.fail(field, `length ${length} runs past the end, ${this.end - this.pos} bytes are left`, at);
    }
    return this.pos + length;
  }

  /** Steps over a fixed32, fixed64 or plain number of bytes; the result is where they start. */
  take(count: number, field: string): number {
    const at = this.pos;
    if (count > this.end - at) throw this.fail(field, `expected ${count} bytes, ${this.end - at} are left`, at);
    this.pos = at + count;
    return at;
  }

  /** Enters a length-delimited field: reading now ends where it ends. Give the result to `leave`. */
  enter(field: string): number {
    this.expect(wireType.bytes, field);
    const outer = this.end;
    this.end = this.length(field);
    return outer;
  }

  leave(outer: number): void {
    this.pos = this.end;
    this.end = outer;
  }

  /** Reads a string field; invalid UTF-8 is refused. */
  string(field: string): string {
    this.expect(wireType.bytes, field);
    const end = this.length(field);
    const start = this.pos;
    this.pos = end;
    return this.text(start, end, field);
  }

  /** Decodes a range as UTF-8. */
  text(start: number, end: number, field: string): string {
    if (start === end) return '';
    if (isAscii(this.bytes, start, end)) return this.bytes.toString('latin1', start, end);
    if (!isUtf8(this.bytes.subarray(start, end))) throw this.fail(field, 'the text is not valid UTF-8', start);
    return this.bytes.toString('utf8', start, end);
  }

  /** Steps over a field that nobody knows. */
  skip(): void {
    const field = `field ${this.field}`;
    switch (this.type) {
      case wireType.varint:
        this.varint(field);
        return;
      case wireType.fixed64:
        this.take(8, field);
        return;
      case wireType.bytes:
        this.pos = this.length(field);
        return;
      case wireType.fixed32:
        this.take(4, field);
        return;
      default:
        throw this.fail(field, `wire type ${name(this.type)} is not supported`);
    }
  }
}

function name(type: number): string {
  return `${type} (${wireNames[type] ?? 'unassigned'})`;
}
