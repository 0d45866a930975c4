import { isUtf8 } from 'node:buffer';
import { invalidArgument } from '@sluice/domain/errors';
import { asBuffer } from './wire-reader.ts';

/** Why ONNX Runtime could not carry these bytes as a string; undefined when it can. */
export function stringProblem(bytes: Uint8Array, start: number, end: number): string | undefined {
  let ascii = true;
  for (let index = start; index < end; index++) {
    const byte = bytes[index]!;
    if (byte === 0) return 'contains a NUL byte, which the runtime cannot carry';
    if (byte > 0x7f) ascii = false;
  }
  return ascii || isUtf8(bytes.subarray(start, end)) ? undefined : 'is not valid UTF-8, which the runtime cannot carry';
}

/** Reads the little-endian length of the element at `pos`. */
function lengthAt(bytes: Uint8Array, pos: number): number {
  return (bytes[pos]! | (bytes[pos + 1]! << 8) | (bytes[pos + 2]! << 16) | (bytes[pos + 3]! << 24)) >>> 0;
}

/**
 * Checks a BYTES tensor in raw form: every element is a 4-byte little-endian length and so many bytes of valid UTF-8
 * without NUL.
 * @param tensor how error texts name the tensor
 * @throws SluiceError invalid-argument naming the element
 */
export function checkBytesTensor(bytes: Uint8Array, elements: number, tensor: string): void {
  let pos = 0;
  let index = 0;
  while (pos < bytes.length) {
    if (index === elements) {
      throw invalidArgument(
        `${tensor}: expected ${elements} elements, but ${bytes.length - pos} bytes follow the last of them`,
      );
    }
    if (bytes.length - pos < 4) throw invalidArgument(`${tensor}: element ${index}: its length is cut off`);
    const start = pos + 4;
    const length = lengthAt(bytes, pos);
    if (length > bytes.length - start) {
      throw invalidArgument(
        `${tensor}: element ${index}: expected ${length} bytes, ${bytes.length - start} are left in the tensor`,
      );
    }
    pos = start + length;
    const problem = stringProblem(bytes, start, pos);
    if (problem) throw invalidArgument(`${tensor}: element ${index} ${problem}`);
    index++;
  }
  if (index < elements) throw invalidArgument(`${tensor}: expected ${elements} elements, got ${index}`);
}

/**
 * Decodes a BYTES tensor in raw form into strings; bytes that are not UTF-8 become U+FFFD.
 * @throws SluiceError invalid-argument when lengths do not fit the bytes
 */
export function decodeStrings(raw: Uint8Array): string[] {
  const bytes = asBuffer(raw);
  const strings: string[] = [];
  let pos = 0;
  while (pos < bytes.length) {
    const start = pos + 4;
    const end = start > bytes.length ? Infinity : start + lengthAt(bytes, pos);
    if (end > bytes.length) throw invalidArgument(`BYTES tensor: element ${strings.length} is cut off`);
    strings.push(bytes.toString('utf8', start, end));
    pos = end;
  }
  return strings;
}

/** Where each element of a BYTES tensor in raw form starts, its length included, and where the last ends. */
export function elementOffsets(raw: Uint8Array, elements: number): Uint32Array {
  const offsets = new Uint32Array(elements + 1);
  let pos = 0;
  for (let index = 0; index < elements; index++) {
    pos += 4 + lengthAt(raw, pos);
    offsets[index + 1] = pos;
  }
  return offsets;
}

/** Bytes of a BYTES tensor in raw form. */
export function stringsSize(strings: readonly string[]): number {
  let size = 4 * strings.length;
  for (const text of strings) size += Buffer.byteLength(text);
  return size;
}

/** Writes strings as a BYTES tensor in raw form at `pos`; returns where it ends. */
export function writeStrings(strings: readonly string[], into: Buffer, pos: number): number {
  for (const text of strings) {
    const length = into.write(text, pos + 4, 'utf8');
    into.writeUInt32LE(length, pos);
    pos += 4 + length;
  }
  return pos;
}

/** Encodes strings as a BYTES tensor in raw form. */
export function encodeStrings(strings: readonly string[]): Buffer {
  const bytes = Buffer.allocUnsafe(stringsSize(strings));
  writeStrings(strings, bytes, 0);
  return bytes;
}
