import { findHeader, frameOverhead, readHeader } from './frame.ts';
import type { SegmentKey } from './segment-key.ts';

/** What is in a segment, as far as it can be told. */
export interface Scan {
  /** Blocks that are whole. */
  readonly blocks: number;
  /** Position of the first block: also of one that is yet to come. Undefined when there is no frame at all. */
  readonly first: number | undefined;
  /** Whether `first` is what the segment began with, and not the first that is left. */
  readonly isFirstKnown: boolean;
  /** Of the last one; `first` - 1 when there is none. */
  readonly last: number;
  /** When the oldest block that is left was appended, or the mark when there is none; undefined without any frame. */
  readonly sinceMs: number | undefined;
  /** End of the last frame that is whole. */
  readonly end: number;
  /** Something between the frames is no frame, or a block is not what was written. */
  readonly isDamaged: boolean;
  /** Bytes behind `end` up to the last one that is not zero. */
  readonly restBytes: number;
}

/**
 * Reads a segment whole. A block counts when its content is what was written.
 *
 * @param bytes of its file
 * @param key undefined when there is none: then contents cannot be checked, and no block counts
 * @param before blocks from this position on are not of this segment: they were written again into the next one
 */
export function scanSegment(bytes: Buffer, key: SegmentKey | undefined, before: number): Scan {
  const found = {
    ...{ blocks: 0, first: undefined as number | undefined, isFirstKnown: false, last: 0 },
    sinceMs: undefined as number | undefined,
  };
  let end = 0;
  let isDamaged = false;
  for (let at = 0; ;) {
    const header = readHeader(bytes, at);
    const next = header === undefined ? 0 : at + frameOverhead + header.length;
    const isWhole =
      header !== undefined && next <= bytes.length && (key === undefined || key.open(bytes, at, header) !== undefined);
    if (header === undefined || !isWhole) {
      // A later frame says that this is a hole; without one it is the end.
      const later = findHeader(bytes, at + 1);
      if (later === -1) break;
      at = later;
      continue;
    }
    if (header.position >= before && header.length > 0) break;
    isDamaged ||= at !== end || (found.first !== undefined && header.length > 0 && header.position !== found.last + 1);
    if (found.first === undefined) {
      found.first = header.position;
      found.isFirstKnown = at === 0;
      found.last = header.position - 1;
      found.sinceMs = header.timeMs;
    }
    if (header.length > 0) {
      if (found.last < found.first || header.timeMs < found.sinceMs!) found.sinceMs = header.timeMs;
      if (key) found.blocks++;
      found.last = header.position;
    }
    end = next;
    at = next;
  }
  return { ...found, end, isDamaged, restBytes: restBytes(bytes, end) };
}

function restBytes(bytes: Buffer, from: number): number {
  let end = bytes.length;
  while (end > from && bytes[end - 1] === 0) end--;
  return end - from;
}
