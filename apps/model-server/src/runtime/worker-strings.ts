/** Strings between the protocol's form (a little-endian length before each element) and JavaScript's. */

/** Reads `count` elements that lie in `length` bytes from `at`. The main thread has checked lengths and UTF-8. */
export function readStrings(memory: SharedArrayBuffer, at: number, length: number, count: number): string[] {
  const bytes = Buffer.from(memory, at, length);
  const strings = new Array<string>(count);
  let offset = 0;
  for (let index = 0; index < count; index += 1) {
    const size = bytes.readUInt32LE(offset);
    offset += 4;
    strings[index] = bytes.toString('utf8', offset, offset + size);
    offset += size;
  }
  return strings;
}

/** Writes strings in the protocol's form and notes where each of `rows` equal runs of elements starts. */
export function encodeStrings(
  strings: readonly string[],
  rows: number,
): { bytes: Uint8Array<ArrayBuffer>; rowStarts: Uint32Array<ArrayBuffer> } {
  let total = 0;
  const sizes = strings.map((text) => {
    const size = Buffer.byteLength(text);
    total += 4 + size;
    return size;
  });
  const bytes = Buffer.from(new ArrayBuffer(total));
  const rowStarts = new Uint32Array(rows + 1);
  const perRow = rows === 0 ? 0 : strings.length / rows;
  let at = 0;
  strings.forEach((text, index) => {
    if (index % perRow === 0) rowStarts[index / perRow] = at;
    at = bytes.writeUInt32LE(sizes[index]!, at);
    at += bytes.write(text, at);
  });
  rowStarts[rows] = at;
  return { bytes: new Uint8Array(bytes.buffer, bytes.byteOffset, total), rowStarts };
}
