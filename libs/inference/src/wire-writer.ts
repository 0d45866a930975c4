import { copyBytes } from './copy-bytes.ts';

/** Bytes that a varint of a non-negative safe integer takes. */
export function varintSize(value: number): number {
  let size = 1;
  while (value >= 0x80) {
    value = Math.floor(value / 0x80);
    size++;
  }
  return size;
}

/** Bytes of a length-delimited field whose number is under 16. */
export function fieldSize(length: number): number {
  return 1 + varintSize(length) + length;
}

/** Writes protobuf fields into a buffer of the exact size, which the caller has added up with the functions above. */
export class WireWriter {
  readonly bytes: Buffer;
  pos = 0;

  constructor(size: number) {
    this.bytes = Buffer.allocUnsafe(size);
  }

  varint(value: number): void {
    while (value >= 0x80) {
      this.bytes[this.pos++] = (value % 0x80) | 0x80;
      value = Math.floor(value / 0x80);
    }
    this.bytes[this.pos++] = value;
  }

  /** A 64-bit varint; negative numbers take ten bytes. */
  varint64(value: bigint): void {
    let rest = BigInt.asUintN(64, value);
    while (rest >= 0x80n) {
      this.bytes[this.pos++] = Number(rest & 0x7fn) | 0x80;
      rest >>= 7n;
    }
    this.bytes[this.pos++] = Number(rest);
  }

  /** Tag and length of a length-delimited field. */
  open(field: number, length: number): void {
    this.bytes[this.pos++] = (field << 3) | 2;
    this.varint(length);
  }

  /** A string field; `length` is its size in UTF-8. */
  string(field: number, text: string, length: number): void {
    this.open(field, length);
    this.text(text, length);
  }

  /** The text alone. */
  text(text: string, length: number): void {
    this.pos += this.bytes.write(text, this.pos, length, length === text.length ? 'latin1' : 'utf8');
  }

  raw(bytes: Uint8Array): void {
    copyBytes(bytes, this.bytes, this.pos);
    this.pos += bytes.length;
  }
}
