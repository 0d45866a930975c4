import { invalidArgument, type SluiceError } from '@sluice/domain/errors';
import { clip } from '@sluice/domain/names';
import { textProblem } from '@sluice/domain/text';
import type { ByteSource } from '../artifacts/artifact-store.ts';

export interface WireLimits {
  /** Fields read in all before the file counts as hostile. */
  readonly maxFields: number;
  /** Bytes of names and other text kept in all. */
  readonly maxTextBytes: number;
  /** Bytes read at a time. */
  readonly windowBytes: number;
}

/** One field of a protobuf message as it is met. */
export interface WireField {
  readonly number: number;
  /** 0 varint, 1 eight bytes, 2 length-delimited, 5 four bytes. */
  readonly wire: number;
  /** The varint as a signed 64-bit number; precise up to 2^53. 0 for other wire types. */
  readonly value: number;
  /** Where the payload begins and ends. */
  readonly start: number;
  readonly end: number;
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

/**
 * Reads protobuf from a byte source forwards, seeking over what nobody asks for. It never reads past the message it
 * is in, and every failure is `invalid-argument` with the byte offset and the path of the field.
 */
export class WireReader {
  readonly #source: ByteSource;
  readonly #limits: WireLimits;
  readonly #path: string[] = [];
  #window: Uint8Array = new Uint8Array();
  #windowStart = 0;
  #position = 0;
  #fields = 0;
  #text = 0;

  constructor(source: ByteSource, limits: WireLimits) {
    this.#source = source;
    this.#limits = limits;
  }

  get size(): number {
    return this.#source.size;
  }

  /** Where the reader stands, in bytes from the start. */
  get position(): number {
    return this.#position;
  }

  fail(message: string, offset = this.#position, inside?: string): SluiceError {
    const path = inside === undefined ? this.#path : [...this.#path, inside];
    const field = path.length === 0 ? 'model' : path.join('.');
    return invalidArgument(`ONNX graph: ${field} at byte ${offset}: ${message}`);
  }

  /** Calls `onField` for each field up to `end`; whatever it leaves unread of a field is skipped. */
  async message(
    end: number,
    names: Readonly<Record<number, string>>,
    onField: (field: WireField) => Promise<void> | undefined,
  ): Promise<void> {
    while (this.#position < end) {
      const field = await this.#next(end, names);
      this.#path.push(names[field.number] ?? `field ${field.number}`);
      const pending = onField(field);
      if (pending) await pending;
      this.#path.pop();
      this.#position = field.end;
    }
  }

  /** The field's bytes as text. */
  async text(field: WireField): Promise<string> {
    const length = field.end - field.start;
    this.#expect(field, 2);
    this.#text += length;
    if (this.#text > this.#limits.maxTextBytes) {
      throw this.fail(`more than ${this.#limits.maxTextBytes} bytes of names and text`, field.start);
    }
    const bytes = await this.#bytes(field.start, length);
    let text: string;
    try {
      text = utf8.decode(bytes);
    } catch {
      throw this.fail(`not valid UTF-8: "${clip(Buffer.from(bytes).toString('latin1'), 40)}"`, field.start);
    }
    const problem = textProblem(text);
    if (problem) throw this.fail(`the text ${problem}`, field.start);
    return text;
  }

  integer(field: WireField): number {
    this.#expect(field, 0);
    return field.value;
  }

  /** Refuses a field that came with another wire type than the schema has. */
  #expect(field: WireField, wire: number): void {
    if (field.wire !== wire) throw this.fail(`wire type ${field.wire}, expected ${wire}`, field.start);
  }

  /** The end of an embedded message. */
  embedded(field: WireField): number {
    this.#expect(field, 2);
    return field.end;
  }

  async #next(end: number, names: Readonly<Record<number, string>>): Promise<WireField> {
    this.#fields += 1;
    if (this.#fields > this.#limits.maxFields) {
      throw this.fail(`more than ${this.#limits.maxFields} fields; no real graph has as many`);
    }
    const at = this.#position;
    const tag = await this.#varint(end, 'tag');
    const number = Math.floor(tag / 8);
    const wire = tag % 8;
    if (tag < 8 || number > 0x1fff_ffff) throw this.fail(`no field number in the tag ${tag}`, at);
    const name = names[number] ?? `field ${number}`;
    if (wire === 0) {
      const value = await this.#varint(end, name);
      return { number, wire, value, start: this.#position, end: this.#position };
    }
    if (wire === 1 || wire === 5) return this.#sized(number, wire, wire === 1 ? 8 : 4, end, name);
    if (wire !== 2) throw this.fail(`wire type ${wire}, which ONNX does not use`, at, name);
    const length = await this.#varint(end, name);
    return this.#sized(number, wire, length, end, name);
  }

  #sized(number: number, wire: number, length: number, end: number, name: string): WireField {
    const start = this.#position;
    if (length < 0 || start + length > end) {
      throw this.fail(`it says ${length} bytes where ${end - start} are left: truncated or corrupt`, start, name);
    }
    return { number, wire, value: 0, start, end: start + length };
  }

  async #varint(end: number, name: string): Promise<number> {
    const start = this.#position;
    if (start + 10 > this.#windowStart + this.#window.length || start < this.#windowStart) await this.#fill(start);
    const window = this.#window;
    const offset = start - this.#windowStart;
    let value = 0;
    for (let index = 0; index < 10; index += 1) {
      if (start + index >= end || offset + index >= window.length) {
        throw this.fail('it ends inside a number: truncated or corrupt', start, name);
      }
      const byte = window[offset + index]!;
      if (index < 7) value += (byte & 0x7f) * 2 ** (7 * index);
      if (byte < 0x80) {
        this.#position = start + index + 1;
        return index < 7 ? value : long(window.subarray(offset, offset + index + 1));
      }
    }
    throw this.fail('a number of more than ten bytes', start, name);
  }

  async #fill(start: number): Promise<void> {
    this.#window = await this.#source.read(start, this.#limits.windowBytes);
    this.#windowStart = start;
    if (this.#window.length < Math.min(this.#limits.windowBytes, this.#source.size - start)) {
      throw this.fail(`the file ends at byte ${start + this.#window.length} of ${this.#source.size}`, start);
    }
  }

  async #bytes(start: number, length: number): Promise<Uint8Array> {
    const offset = start - this.#windowStart;
    if (offset >= 0 && offset + length <= this.#window.length) return this.#window.subarray(offset, offset + length);
    if (length > this.#limits.windowBytes) {
      const bytes = await this.#source.read(start, length);
      if (bytes.length < length) throw this.fail(`the file ends at byte ${start + bytes.length}`, start);
      return bytes;
    }
    await this.#fill(start);
    return this.#window.subarray(0, length);
  }
}

/** A varint of eight to ten bytes as a signed 64-bit number. */
function long(bytes: Uint8Array): number {
  let value = 0n;
  for (const [index, byte] of bytes.entries()) value |= BigInt(byte & 0x7f) << BigInt(7 * index);
  return Number(BigInt.asIntN(64, value));
}
