import { fieldOverhead } from './header-block.ts';
import { defaultTableSize } from './decoder.ts';
import { staticTable } from './static-table.ts';

/** Fields with secrets are marked so that nobody on the way puts them in a table (RFC 7541, section 7.1.3). */
const neverIndexed: ReadonlySet<string> = new Set([
  'authorization',
  'proxy-authorization',
  'cookie',
  'set-cookie',
  'sluice-token',
]);

const keyOf = (name: string, value: string): string => `${name}\n${value}`;

/** By name and value, and by name alone the first of its entries. */
const staticFields = new Map(staticTable.map(([name, value], at) => [keyOf(name, value), at + 1]));
const staticNames = new Map([...staticTable.entries()].reverse().map(([at, [name]]) => [name, at + 1]));

/**
 * Encodes the header blocks of one direction of one connection (RFC 7541). The dynamic table takes a few fields that are named at the
 * start, when each is sent first, and nothing is ever evicted from it: once they are in, a block of them is one octet a
 * field. All other fields are literals.
 */
export class HpackEncoder {
  readonly #wanted: ReadonlySet<string>;
  /** In the order in which they were added. */
  readonly #added = new Map<string, number>();
  readonly #addedNames = new Map<string, number>();
  readonly #constants = new Map<readonly string[], Buffer>();
  #tableSize = defaultTableSize;
  #used = 0;
  /** Sizes to announce at the start of the next block. */
  #updates: number[] = [];
  #to = Buffer.allocUnsafeSlow(1024);
  #at = 0;

  /** @param repeated names and values in turn: fields of most messages of the connection */
  constructor(repeated: readonly string[]) {
    const wanted = new Set<string>();
    for (let at = 0; at < repeated.length; at += 2) wanted.add(keyOf(repeated[at]!, repeated[at + 1]!));
    this.#wanted = wanted;
  }

  /**
   * The peer's SETTINGS_HEADER_TABLE_SIZE, to be called before it is acknowledged. A smaller one is announced with the next block; a
   * larger one is not made use of.
   */
  allowTableSize(size: number): void {
    if (size >= this.#tableSize) return;
    this.#tableSize = size;
    this.#updates = [size];
    this.#constants.clear();
    if (this.#used <= size) return;
    // What would be evicted depends on the order: with an empty table there is nothing to get wrong.
    this.#updates = size === 0 ? [0] : [0, size];
    this.#used = 0;
    this.#added.clear();
    this.#addedNames.clear();
  }

  /**
   * @param fields names and values in turn, in octets as Latin-1; names in lower case
   * @returns the block; it is gone with the next call
   */
  encode(fields: readonly string[]): Buffer {
    this.#at = 0;
    for (const size of this.#updates) this.#writeInteger(0x20, 5, size);
    this.#updates = [];
    for (let at = 0; at < fields.length; at += 2) this.#writeField(fields[at]!, fields[at + 1]!);
    return this.#to.subarray(0, this.#at);
  }

  /** As `encode`, for an array that is given again and again and never changed: its block is remembered. */
  encodeConstant(fields: readonly string[]): Buffer {
    const known = this.#constants.get(fields);
    const announces = this.#updates.length > 0;
    if (known !== undefined && !announces) return known;
    const before = this.#added.size;
    const block = this.encode(fields);
    // A block that adds to the table means something else the second time, and what is added moves the indices of the rest.
    if (this.#added.size !== before) this.#constants.clear();
    // An update is for one block.
    else if (!announces) this.#constants.set(fields, Buffer.from(block));
    return block;
  }

  #writeField(name: string, value: string): void {
    const key = keyOf(name, value);
    const index = staticFields.get(key) ?? this.#dynamicIndex(this.#added.get(key));
    if (index !== undefined) {
      this.#writeInteger(0x80, 7, index);
      return;
    }
    const nameIndex = staticNames.get(name) ?? this.#dynamicIndex(this.#addedNames.get(name));
    const size = name.length + value.length + fieldOverhead;
    if (this.#wanted.has(key) && this.#used + size <= this.#tableSize) {
      this.#writeLiteral(0x40, 6, nameIndex, name, value);
      this.#addedNames.set(name, this.#added.size);
      this.#added.set(key, this.#added.size);
      this.#used += size;
      // Every index of the dynamic table is one higher now.
      this.#constants.clear();
    } else {
      this.#writeLiteral(neverIndexed.has(name) ? 0x10 : 0x00, 4, nameIndex, name, value);
    }
  }

  /** @param order of the entry among those that were added */
  #dynamicIndex(order: number | undefined): number | undefined {
    return order === undefined ? undefined : staticTable.length + this.#added.size - order;
  }

  #writeLiteral(pattern: number, prefixBits: number, nameIndex: number | undefined, name: string, value: string): void {
    this.#writeInteger(pattern, prefixBits, nameIndex ?? 0);
    if (nameIndex === undefined) this.#writeString(name);
    this.#writeString(value);
  }

  /** Not Huffman-coded: it would save octets on a link that has enough, for CPU that it has not. */
  #writeString(text: string): void {
    this.#writeInteger(0, 7, text.length);
    this.#reserve(text.length);
    this.#to.write(text, this.#at, 'latin1');
    this.#at += text.length;
  }

  #writeInteger(pattern: number, prefixBits: number, value: number): void {
    this.#reserve(8);
    const mask = (1 << prefixBits) - 1;
    if (value < mask) {
      this.#to[this.#at++] = pattern | value;
      return;
    }
    this.#to[this.#at++] = pattern | mask;
    let rest = value - mask;
    for (; rest >= 0x80; rest >>>= 7) this.#to[this.#at++] = (rest & 0x7f) | 0x80;
    this.#to[this.#at++] = rest;
  }

  #reserve(octets: number): void {
    if (this.#at + octets <= this.#to.length) return;
    const larger = Buffer.allocUnsafeSlow(2 * (this.#at + octets));
    this.#to.copy(larger, 0, 0, this.#at);
    this.#to = larger;
  }
}
