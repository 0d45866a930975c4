import { ConnectionError } from '../errors.ts';
import { BlockMemory } from './block-memory.ts';
import { DynamicTable } from './dynamic-table.ts';
import { fieldOverhead } from './header-block.ts';
import type { HeaderBlock } from './header-block.ts';
import { decodeHuffman, maxDecoded } from './huffman.ts';
import { staticTable } from './static-table.ts';

/** What a table may hold before any setting (RFC 9113, section 6.5.2). */
export const defaultTableSize = 4096;
/** Larger integers are refused (RFC 7541, section 5.1): nothing here has so many octets or entries. */
const largestInteger = 2 ** 28;

export interface HpackDecoderOptions {
  /** Of a decoded list, as SETTINGS_MAX_HEADER_LIST_SIZE counts; what is over it is decoded and not kept. */
  readonly maxListSize: number;
  /** Of a decoded list likewise: fields, and each further value that stands in one of bytes ("-bin"), where commas part them; default: no bound. */
  readonly maxFields?: number;
}

const staticNames = ['', ...staticTable.map(([name]) => name)];
const staticValues = ['', ...staticTable.map(([, value]) => value)];
const firstDynamic = staticNames.length;

/** Decoders work one block at a time, and a string is made of it before the next. */
let scratch = Buffer.allocUnsafeSlow(8 * 1024);

/**
 * Decodes the header blocks of one direction of one connection (RFC 7541). Every fault of the peer is a ConnectionError with
 * COMPRESSION_ERROR, after which the decoder is not to be used.
 */
export class HpackDecoder {
  readonly #maxListSize: number;
  readonly #maxFields: number;
  readonly #table = new DynamicTable(defaultTableSize);
  readonly #memory = new BlockMemory();
  /** What we allow the peer's encoder. */
  #maxTableSize = defaultTableSize;
  #announcedSize = defaultTableSize;
  /** The peer has acknowledged a smaller table and has to begin its next block with that. */
  #updateDue = false;
  #block: Buffer = scratch;
  #at = 0;
  #end = 0;
  #fields: string[] = [];
  #listSize = 0;
  /** Fields of the list, and values in those of bytes beside the first of each. */
  #values = 0;

  constructor(options: HpackDecoderOptions) {
    this.#maxListSize = options.maxListSize;
    this.#maxFields = options.maxFields ?? Infinity;
  }

  /** What the dynamic table has now, the newest first. */
  get table(): readonly (readonly [name: string, value: string])[] {
    return this.#table.entries();
  }
  /** Octets of it, as section 4.1 counts. */
  get tableSize(): number {
    return this.#table.size;
  }

  /** The peer has acknowledged SETTINGS_HEADER_TABLE_SIZE. */
  allowTableSize(size: number): void {
    this.#maxTableSize = size;
    if (size < this.#announcedSize) this.#updateDue = true;
  }

  /** @param block all of it, from `start` to `end`: its fragments in one piece */
  decode(block: Buffer, start = 0, end = block.length): HeaderBlock {
    const { generation } = this.#table;
    const known = this.#memory.find(block, start, end, generation);
    if (known !== undefined && !this.#updateDue) return known;
    this.#block = block;
    this.#at = start;
    this.#end = end;
    this.#fields = [];
    this.#listSize = 0;
    this.#values = 0;
    this.#readSizeUpdates();
    while (this.#at < end) this.#readField();
    const tooLong = this.#isTooLong;
    const result: HeaderBlock = {
      fields: tooLong ? [] : this.#fields,
      listSize: this.#listSize,
      values: this.#values,
      tooLong,
      meaning: undefined,
    };
    this.#fields = [];
    this.#block = scratch;
    if (generation === this.#table.generation && !tooLong) this.#memory.keep(block, start, end, generation, result);
    return result;
  }

  /** Updates come before the first field of a block and nowhere else (section 4.2). */
  #readSizeUpdates(): void {
    while (this.#at < this.#end && (this.#block[this.#at]! & 0xe0) === 0x20) {
      const size = this.#readInteger(5);
      if (size > this.#maxTableSize) throw fault(`a dynamic table of ${size} octets, of ${this.#maxTableSize} allowed`);
      this.#table.resize(size);
      this.#announcedSize = size;
      this.#updateDue = false;
    }
    if (this.#updateDue) throw fault(`no update to the dynamic table size of ${this.#maxTableSize}`);
  }

  #readField(): void {
    const first = this.#block[this.#at]!;
    if (first & 0x80) {
      const index = this.#readInteger(7);
      this.#keep(this.#nameAt(index), this.#valueAt(index));
    } else if (first & 0x40) {
      const name = this.#readName(6);
      const value = this.#readString();
      this.#table.add(name, value);
      this.#keep(name, value);
    } else if (first & 0x20) {
      throw fault('an update of the dynamic table size behind a field');
    } else {
      // Without indexing, or never indexed: a difference to those that send it on, which nobody does here.
      const name = this.#readName(4);
      this.#keep(name, this.#readString());
    }
  }

  #keep(name: string, value: string): void {
    this.#listSize += name.length + value.length + fieldOverhead;
    // Of a list that is too long nothing is kept: a small block can stand for megabytes.
    if (this.#isTooLong) return;
    this.#values += isBinary(name) ? 1 + commasIn(value, this.#maxFields) : 1;
    this.#fields.push(name, value);
  }

  get #isTooLong(): boolean {
    return this.#listSize > this.#maxListSize || this.#values > this.#maxFields;
  }

  #readName(prefixBits: number): string {
    const index = this.#readInteger(prefixBits);
    return index === 0 ? this.#readString() : this.#nameAt(index);
  }

  #nameAt(index: number): string {
    if (index < firstDynamic && index > 0) return staticNames[index]!;
    return this.#table.name(this.#dynamicIndex(index));
  }

  #valueAt(index: number): string {
    if (index < firstDynamic && index > 0) return staticValues[index]!;
    return this.#table.value(this.#dynamicIndex(index));
  }

  #dynamicIndex(index: number): number {
    const dynamic = index - firstDynamic;
    if (index === 0 || dynamic >= this.#table.count) throw fault(`index ${index}, which no table has`);
    return dynamic;
  }

  #readString(): string {
    if (this.#at >= this.#end) throw fault('a block that ends within a field');
    const huffman = (this.#block[this.#at]! & 0x80) !== 0;
    const length = this.#readInteger(7);
    const start = this.#at;
    const end = start + length;
    if (end > this.#end) throw fault('a block that ends within a string');
    this.#at = end;
    if (length === 0) return '';
    if (!huffman) return this.#block.toString('latin1', start, end);
    const most = maxDecoded(length);
    if (most > scratch.length) scratch = Buffer.allocUnsafeSlow(2 * most);
    const decoded = decodeHuffman(this.#block, start, end, scratch);
    if (decoded < 0) throw fault('a string that is not Huffman-coded');
    return scratch.toString('latin1', 0, decoded);
  }

  /** Section 5.1. */
  #readInteger(prefixBits: number): number {
    const mask = (1 << prefixBits) - 1;
    let value = this.#block[this.#at++]! & mask;
    if (value < mask) return value;
    for (let shift = 0; ; shift += 7) {
      if (this.#at >= this.#end) throw fault('a block that ends within an integer');
      const octet = this.#block[this.#at++]!;
      value += (octet & 0x7f) * 2 ** shift;
      // Zeros without end would not make it larger.
      if (value > largestInteger || shift > 28) throw fault('an integer that is too large');
      if (octet < 0x80) return value;
    }
  }
}

const lastOfBinary = 'n'.charCodeAt(0);
/** Names of bytes end with "-bin": few end with its last letter. */
const isBinary = (name: string): boolean => name.charCodeAt(name.length - 1) === lastOfBinary && name.endsWith('-bin');

/** @param most enough of them: no more are looked for */
function commasIn(value: string, most: number): number {
  let count = 0;
  for (let at = value.indexOf(','); at >= 0 && count <= most; at = value.indexOf(',', at + 1)) count++;
  return count;
}

const fault = (what: string): ConnectionError => new ConnectionError('COMPRESSION_ERROR', `HPACK: ${what}`);
