import { join } from 'node:path';
import type { SpoolEvent, StoredBlock } from './contract.ts';
import type { SpoolFile, SpoolFiles } from './files.ts';
import { findHeader, frameOverhead, headerBytes, readHeader } from './frame.ts';
import type { FrameHeader } from './frame.ts';
import type { Segment } from './segment.ts';
import type { SegmentList } from './segment-list.ts';
import { readAround, readTries } from './unreadable.ts';

export interface CursorPorts {
  readonly files: SpoolFiles;
  readonly onEvent: (event: SpoolEvent) => void;
  /** A block could not be read. */
  readonly onLost: () => void;
  /** The disk has not given a segment so often that it is to be set aside. */
  readonly onUnreadable: (segment: Segment, cause: unknown) => void;
  /** Ends when more is on disk than there was, a segment is gone, or something was closed. */
  readonly more: () => Promise<unknown>;
  /** It gives nothing any more; `more` is to end. */
  readonly onClose: (cursor: Cursor) => void;
}

/** It may be so after any wait. */
const isGone = (segment: Segment): boolean => segment.isGone;

/** Bytes that are read at once; more where a block is larger. */
const windowBytes = 256 * 1024;

/**
 * Reads blocks in the order of their positions, and follows what is appended. It has one piece of a segment in memory at a time,
 * whatever waits on disk, and gives nothing that a crash could take back.
 */
export class Cursor {
  readonly #folder: string;
  readonly #segments: SegmentList;
  readonly #ports: CursorPorts;
  /** Of the last block that was given, or passed. */
  #position: number;
  #segment: Segment | undefined;
  /** Number of the last segment that was looked at. */
  #sequence = -1;
  #file: SpoolFile | undefined;
  readonly #nothing = Buffer.alloc(0);
  #memory: Buffer = this.#nothing;
  /** A piece of the segment, and where it begins. */
  #window: Buffer = this.#nothing;
  #windowAt = 0;
  #at = 0;
  #isClosed = false;
  /** A call is under way. */
  #isBusy = false;

  constructor(folder: string, segments: SegmentList, after: number, ports: CursorPorts) {
    this.#folder = folder;
    this.#segments = segments;
    this.#position = after;
    this.#ports = ports;
  }

  /**
   * The next block, as soon as there is one on disk. One call at a time.
   *
   * @returns undefined when the cursor or the spool was closed
   * @throws the error of the file system; the next call tries again
   */
  next(): Promise<StoredBlock | undefined> {
    return this.#give(() => this.#ports.more());
  }

  /** The next block if it is on disk already; undefined where `next` would wait, too. */
  poll(): Promise<StoredBlock | undefined> {
    return this.#give(() => undefined);
  }

  /** @param wait gives what is to be waited for where there is nothing; undefined for not at all */
  async #give(wait: () => Promise<unknown> | undefined): Promise<StoredBlock | undefined> {
    this.#isBusy = true;
    try {
      while (!this.#isClosed) {
        // Before it looks, so that nothing comes between.
        const more = wait();
        const found = await this.#take();
        if (found === 'nothing') {
          if (more === undefined) return undefined;
          await more;
        } else if (found !== 'again') return found;
      }
      return undefined;
    } finally {
      this.#isBusy = false;
      // It was closed while a block was read, which is given all the same: nobody will ask for another.
      if (this.#isClosed) await this.#leave();
    }
  }

  /** Ends it, and a call that waits: with undefined. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#ports.onClose(this);
    if (!this.#isBusy) await this.#leave();
  }

  async #take(): Promise<StoredBlock | 'nothing' | 'again'> {
    const segment = this.#segment;
    if (!segment) return this.#enter();
    if (segment.isGone || (segment.isSealed && this.#at >= segment.end)) {
      await this.#leave();
      return 'again';
    }
    if (this.#at >= segment.end) return 'nothing';
    const header = (await this.#has(headerBytes)) ? readHeader(this.#window, this.#at - this.#windowAt) : undefined;
    if (isGone(segment)) return 'again';
    return header === undefined ? this.#skipDamage(segment) : this.#read(segment, header);
  }

  async #read(segment: Segment, header: FrameHeader): Promise<StoredBlock | 'again'> {
    const { position, length, timeMs } = header;
    const end = this.#at + frameOverhead + length;
    const isNew = length > 0 && position > this.#position;
    if (!isNew) {
      this.#at = end;
      return 'again';
    }
    const isThere = end <= segment.end && (await this.#has(frameOverhead + length));
    if (isGone(segment)) return 'again';
    const block = isThere ? segment.key!.open(this.#window, this.#at - this.#windowAt, header) : undefined;
    if (!block) return this.#skipDamage(segment);
    this.#at = end;
    this.#position = position;
    return { position, block, timeMs };
  }

  /** Goes to the next frame that is whole. */
  async #skipDamage(segment: Segment): Promise<'again'> {
    const rest = Buffer.alloc(segment.end - this.#at);
    const length = await this.#readInto(rest, this.#at);
    const found = findHeader(rest.subarray(0, length), 1);
    if (!segment.isGone && !segment.isDamaged) {
      // What a start found damaged was told then.
      this.#ports.onEvent({ kind: 'damaged', segment: segment.path, position: this.#position + 1 });
      this.#ports.onLost();
    }
    this.#at = found === -1 ? segment.end : this.#at + found;
    return 'again';
  }

  /** Makes the window hold so much from here on. */
  async #has(bytes: number): Promise<boolean> {
    const until = this.#at + bytes;
    if (this.#at >= this.#windowAt && until <= this.#windowAt + this.#window.length) return true;
    const length = Math.min(Math.max(bytes, windowBytes), this.#segment!.end - this.#at);
    if (length < bytes) return false;
    // What is there of it already is not read again. A block is a copy: the memory can be used once more.
    const kept = this.#at < this.#windowAt ? this.#nothing : this.#window.subarray(this.#at - this.#windowAt);
    const memory = this.#memoryFor(length);
    memory.set(kept);
    this.#window = memory.subarray(0, kept.length);
    this.#windowAt = this.#at;
    const read = await this.#readInto(memory.subarray(kept.length, length), this.#at + kept.length);
    this.#window = memory.subarray(0, kept.length + read);
    return this.#window.length >= bytes;
  }

  /** Memory is that of one window, but while a block is larger. */
  #memoryFor(bytes: number): Buffer {
    const isRight = this.#memory.length >= bytes && this.#memory.length <= Math.max(bytes, windowBytes);
    if (!isRight) this.#memory = Buffer.allocUnsafeSlow(Math.max(bytes, windowBytes));
    return this.#memory;
  }

  /** Reads; zeros where a segment was set aside because the disk does not give it. */
  async #readInto(bytes: Buffer, at: number): Promise<number> {
    const segment = this.#segment!;
    if (segment.isUnread) return readAround(this.#file!, bytes, at);
    try {
      const read = await this.#file!.read(bytes, at);
      segment.readFailures = 0;
      return read;
    } catch (error) {
      this.#failed(segment, error);
      throw error;
    }
  }

  #failed(segment: Segment, cause: unknown): void {
    segment.readFailures++;
    if (segment.readFailures === 1) this.#ports.onEvent({ kind: 'read-failed', segment: segment.path, cause });
    if (segment.readFailures >= readTries) this.#ports.onUnreadable(segment, cause);
  }

  async #enter(): Promise<'nothing' | 'again'> {
    const segment = this.#segments.after(this.#sequence);
    if (!segment) return 'nothing';
    if (segment.isSealed && segment.last <= this.#position) {
      this.#sequence = segment.sequence;
      return 'again';
    }
    const { path } = segment;
    try {
      this.#file = await this.#ports.files.open(join(this.#folder, path));
    } catch (error) {
      // It was deleted or moved meanwhile.
      if (segment.isGone || segment.path !== path) return 'again';
      if (!segment.isUnread) {
        this.#failed(segment, error);
        throw error;
      }
      // Nothing of it can be read.
      this.#sequence = segment.sequence;
      return 'again';
    }
    this.#segment = segment;
    this.#sequence = segment.sequence;
    this.#at = 0;
    this.#windowAt = 0;
    this.#window = this.#nothing;
    return 'again';
  }

  async #leave(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    this.#segment = undefined;
    await file?.close();
  }
}
