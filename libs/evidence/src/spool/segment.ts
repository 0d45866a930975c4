import type { SpoolFile } from './files.ts';
import type { SegmentKey } from './segment-key.ts';

/** One segment, as far as it is on disk for good. */
export class Segment {
  readonly sequence: number;
  /** Undefined where it cannot be had: such a segment is kept and never read. */
  readonly key: SegmentKey | undefined;
  /** Its file, and its key's, from the folder of the spool on. */
  path: string;
  keyPath: string;
  /** Sizes of these, room that was made ahead included. */
  fileBytes: number;
  keyFileBytes: number;
  /** Position of its first block. */
  first = 0;
  /** Position of the last one that is on disk for good; `first` - 1 when there is none. */
  last = -1;
  /** End of that. */
  end = 0;
  /** When its oldest block was appended, milliseconds since the epoch; its mark, while it has none. */
  sinceMs = 0;
  /** Nothing is written to it any more. */
  isSealed = false;
  isDamaged = false;
  /** How often in a row the disk did not give something of it. */
  readFailures = 0;
  /** It was set aside since then: some of it may not have been delivered. */
  isUnread = false;
  /** It is to be dropped, acknowledged or not. */
  isOrdered = false;
  /** Its key was deleted: nothing of it is left to be read. */
  isErased = false;
  /** Deleted, or about to be: not to be read any more. */
  isGone = false;
  /** Open while it is written. */
  file: SpoolFile | undefined = undefined;

  constructor(
    sequence: number,
    key: SegmentKey | undefined,
    paths: { path: string; keyPath: string },
    sizes: [number, number],
  ) {
    this.sequence = sequence;
    this.key = key;
    this.path = paths.path;
    this.keyPath = paths.keyPath;
    [this.fileBytes, this.keyFileBytes] = sizes;
  }

  /** It takes the next blocks. */
  begin(first: number, sinceMs: number): void {
    this.first = first;
    this.last = first - 1;
    this.end = 0;
    this.sinceMs = sinceMs;
  }

  /** Of its files. */
  get bytes(): number {
    return this.fileBytes + this.keyFileBytes;
  }

  get hasBlocks(): boolean {
    return this.last >= this.first;
  }
}
