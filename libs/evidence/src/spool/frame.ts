import { crc32 } from 'node:zlib';

/**
 * How a segment lies on disk: frames, one behind the other, and zeros behind the last one. A frame is a header, which has a
 * checksum of its own, the encrypted block, and the tag that holds its content. One without a block is a mark: it begins each
 * segment, and says which position the next block has. Numbers are little-endian.
 */

/** `SSP`, and the version of the layout. */
export const frameMagic = Buffer.from([0x53, 0x53, 0x50, 1]);

const at = { magic: 0, length: 4, position: 8, timeMs: 16, checksum: 24 } as const;

export const headerBytes = 28;
export const tagBytes = 16;
/** What a block takes on disk beside its own bytes. */
export const frameOverhead = headerBytes + tagBytes;

export interface FrameHeader {
  /** Of the block; of the next one, in a mark. */
  readonly position: number;
  /** Bytes of the block; 0 in a mark. */
  readonly length: number;
  /** Milliseconds since the epoch, when it was appended. */
  readonly timeMs: number;
}

const twoTo32 = 2 ** 32;

export function writeHeader(bytes: Buffer, from: number, position: number, length: number, timeMs: number): void {
  bytes.set(frameMagic, from + at.magic);
  bytes.writeUInt32LE(length, from + at.length);
  bytes.writeUInt32LE(position % twoTo32, from + at.position);
  bytes.writeUInt32LE(Math.floor(position / twoTo32), from + at.position + 4);
  bytes.writeDoubleLE(timeMs, from + at.timeMs);
  bytes.writeUInt32LE(crc32(bytes.subarray(from, from + at.checksum)), from + at.checksum);
}

/** @returns undefined where no header lies, or a damaged one */
export function readHeader(bytes: Buffer, from: number): FrameHeader | undefined {
  if (from + headerBytes > bytes.length || !bytes.subarray(from, from + 4).equals(frameMagic)) return undefined;
  if (crc32(bytes.subarray(from, from + at.checksum)) !== bytes.readUInt32LE(from + at.checksum)) return undefined;
  const position = bytes.readUInt32LE(from + at.position) + twoTo32 * bytes.readUInt32LE(from + at.position + 4);
  return { position, length: bytes.readUInt32LE(from + at.length), timeMs: bytes.readDoubleLE(from + at.timeMs) };
}

/** Where the next header lies, from `from` on; -1 when there is none. */
export function findHeader(bytes: Buffer, from: number): number {
  for (let found = bytes.indexOf(frameMagic, from); found !== -1; found = bytes.indexOf(frameMagic, found + 1)) {
    if (readHeader(bytes, found) !== undefined) return found;
  }
  return -1;
}
