import type { Datatype } from '@sluice/domain/datatype';
import { datatypeBytes } from '@sluice/domain/datatype';
import { invalidArgument } from '@sluice/domain/errors';
import { stringProblem } from './bytes-tensor.ts';
import { wireType, WireReader } from './wire-reader.ts';

/** Where the InferTensorContents of one input lie in its request: start and end of each piece, in order. */
export interface ContentsPlace {
  readonly request: Buffer;
  readonly ranges: readonly number[];
}

const fieldNames = [
  '',
  'bool_contents',
  'int_contents',
  'int64_contents',
  'uint_contents',
  'uint64_contents',
  'fp32_contents',
  'fp64_contents',
  'bytes_contents',
];

/** The field of InferTensorContents that carries a datatype; 0 where there is none. */
const fieldOf: Readonly<Record<Datatype, number>> = {
  BOOL: 1,
  INT8: 2,
  INT16: 2,
  INT32: 2,
  INT64: 3,
  UINT8: 4,
  UINT16: 4,
  UINT32: 4,
  UINT64: 5,
  FP32: 6,
  FP64: 7,
  BYTES: 8,
  FP16: 0,
  BF16: 0,
};

/** Inclusive bounds of datatypes that travel in a wider field. */
const bounds: Partial<Record<Datatype, readonly [number, number]>> = {
  INT8: [-128, 127],
  INT16: [-32768, 32767],
  UINT8: [0, 255],
  UINT16: [0, 65535],
};

/**
 * Walks the typed contents of one input. Without a destination it checks and measures them; with one it writes their
 * raw form. `count` and `written` are the elements seen and the bytes of their raw form.
 */
class ContentsWalk {
  count = 0;
  written = 0;
  readonly #reader: WireReader;
  readonly #datatype: Datatype;
  readonly #tensor: string;
  readonly #into: Uint8Array | undefined;
  readonly #from: number;
  readonly #to: number;
  #pos: number;

  constructor(
    reader: WireReader,
    datatype: Datatype,
    tensor: string,
    target?: { into: Uint8Array; pos: number; from: number; to: number },
  ) {
    this.#reader = reader;
    this.#datatype = datatype;
    this.#tensor = tensor;
    this.#into = target?.into;
    this.#pos = target?.pos ?? 0;
    this.#from = target?.from ?? 0;
    this.#to = target?.to ?? Infinity;
  }

  run(): void {
    const reader = this.#reader;
    const own = fieldOf[this.#datatype];
    while (reader.next()) {
      const name = fieldNames[reader.field];
      if (name === undefined || name === '') {
        reader.skip();
        continue;
      }
      if (reader.field !== own) this.#foreign(name);
      else if (own === 8) this.#bytes();
      else if (own === 6) this.#fixed(4, wireType.fixed32, name);
      else if (own === 7) this.#fixed(8, wireType.fixed64, name);
      else this.#varints(name);
    }
  }

  /** A field of another datatype: an empty packed list says nothing, all else is a mistake. */
  #foreign(name: string): void {
    const reader = this.#reader;
    if (reader.type === wireType.bytes && reader.field !== 8) {
      const end = reader.length(name);
      if (end === reader.pos) return;
    }
    const own = fieldNames[fieldOf[this.#datatype]]!;
    const expected = own === '' ? `raw_input_contents, its only form on the wire` : own;
    throw invalidArgument(`${this.#tensor}: datatype ${this.#datatype} takes ${expected}, got ${name}`);
  }

  #varints(name: string): void {
    const reader = this.#reader;
    if (reader.type === wireType.varint) {
      reader.varint(name);
      this.#store();
      return;
    }
    const outer = reader.enter(name);
    while (reader.pos < reader.end) {
      reader.varint(name);
      this.#store();
    }
    reader.leave(outer);
  }

  #store(): void {
    const { lo, hi } = this.#reader;
    const range = bounds[this.#datatype];
    if (range) {
      const value = fieldOf[this.#datatype] === 2 ? lo | 0 : lo;
      if (value < range[0] || value > range[1]) {
        throw invalidArgument(
          `${this.#tensor}: element ${this.count} is ${value}; ${this.#datatype} goes from ${range[0]} to ${range[1]}`,
        );
      }
    }
    const index = this.count++;
    const size = datatypeBytes[this.#datatype];
    this.written += size;
    const into = this.#into;
    if (!into || index < this.#from || index >= this.#to) return;
    const pos = this.#pos;
    this.#pos = pos + size;
    if (this.#datatype === 'BOOL') {
      into[pos] = lo !== 0 || hi !== 0 ? 1 : 0;
      return;
    }
    for (let byte = 0; byte < size && byte < 4; byte++) into[pos + byte] = lo >>> (8 * byte);
    for (let byte = 4; byte < size; byte++) into[pos + byte] = hi >>> (8 * (byte - 4));
  }

  #fixed(size: number, single: number, name: string): void {
    const reader = this.#reader;
    if (reader.type === single) {
      this.#copyRun(reader.take(size, name), 1, size);
      return;
    }
    const outer = reader.enter(name);
    const bytes = reader.end - reader.pos;
    if (bytes % size !== 0) throw reader.fail(name, `${bytes} bytes are not a multiple of ${size}`);
    this.#copyRun(reader.pos, bytes / size, size);
    reader.leave(outer);
  }

  #copyRun(start: number, elements: number, size: number): void {
    const first = this.count;
    this.count += elements;
    this.written += elements * size;
    const from = Math.max(first, this.#from);
    const to = Math.min(this.count, this.#to);
    if (!this.#into || from >= to) return;
    const source = this.#reader.bytes.subarray(start + (from - first) * size, start + (to - first) * size);
    this.#into.set(source, this.#pos);
    this.#pos += source.length;
  }

  #bytes(): void {
    const reader = this.#reader;
    reader.expect(wireType.bytes, 'bytes_contents');
    const end = reader.length('bytes_contents');
    const start = reader.pos;
    reader.pos = end;
    const index = this.count++;
    const length = end - start;
    this.written += 4 + length;
    if (!this.#into) {
      const problem = stringProblem(reader.bytes, start, end);
      if (problem) throw invalidArgument(`${this.#tensor}: element ${index} ${problem}`);
      return;
    }
    if (index < this.#from || index >= this.#to) return;
    for (let byte = 0; byte < 4; byte++) this.#into[this.#pos + byte] = length >>> (8 * byte);
    this.#into.set(reader.bytes.subarray(start, end), this.#pos + 4);
    this.#pos += 4 + length;
  }
}

function walk(place: ContentsPlace, walker: ContentsWalk, reader: WireReader): void {
  for (let index = 0; index < place.ranges.length; index += 2) {
    reader.pos = place.ranges[index]!;
    reader.end = place.ranges[index + 1]!;
    walker.run();
  }
}

/**
 * Checks typed contents and counts them.
 * @param tensor how error texts name the tensor
 * @throws SluiceError invalid-argument: a field of another datatype, a value out of range, a string that the runtime
 *   cannot carry, malformed bytes
 */
export function measureContents(
  place: ContentsPlace,
  datatype: Datatype,
  tensor: string,
): { readonly elements: number; readonly bytes: number } {
  const reader = new WireReader(place.request, 'InferTensorContents');
  const walker = new ContentsWalk(reader, datatype, tensor);
  walk(place, walker, reader);
  return { elements: walker.count, bytes: walker.written };
}

/** Writes elements `from` to `to` of contents that were measured before, in raw form, at `pos` of `into`. */
export function copyContents(
  place: ContentsPlace,
  datatype: Datatype,
  target: { readonly into: Uint8Array; readonly pos: number; readonly from: number; readonly to: number },
): void {
  const reader = new WireReader(place.request, 'InferTensorContents');
  walk(place, new ContentsWalk(reader, datatype, 'contents', target), reader);
}

/** The strings of BYTES contents that were measured before. */
export function contentStrings(place: ContentsPlace): string[] {
  const reader = new WireReader(place.request, 'InferTensorContents');
  const strings: string[] = [];
  for (let index = 0; index < place.ranges.length; index += 2) {
    reader.pos = place.ranges[index]!;
    reader.end = place.ranges[index + 1]!;
    while (reader.next()) {
      if (reader.field === 8) strings.push(reader.string('bytes_contents'));
      else reader.skip();
    }
  }
  return strings;
}
