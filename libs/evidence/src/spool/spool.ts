import { failedPrecondition, invalidArgument, unavailable } from '@sluice/domain/errors';
import type { Reservation, SpoolPorts, SpoolStatus, Synced } from './contract.ts';
import { Cursor } from './cursor.ts';
import { frameOverhead } from './frame.ts';
import type { FolderLock } from './files.ts';
import { keepProbability } from './keep-probability.ts';
import { setAsideFolder } from './names.ts';
import { openFolder } from './open-folder.ts';
import type { OpenedFolder } from './open-folder.ts';
import { compileOptions, maxBlockBytes } from './options.ts';
import type { SpoolOptions, SpoolSettings } from './options.ts';
import { Room } from './room.ts';
import type { Segment } from './segment.ts';
import type { SegmentList } from './segment-list.ts';
import { Upkeep } from './upkeep.ts';
import { Writer } from './writer.ts';

/**
 * Opens a spool: makes its folder where there is none, repairs it where a crash left it torn or a disk damaged it, and makes room
 * for the first blocks. A disk that is full is no reason to fail: the spool opens without room.
 *
 * @throws SluiceError invalid-argument for wrong options; failed-precondition when another process has the folder;
 *   resource-exhausted or unavailable when the folder cannot be used
 */
export async function openSpool(options: SpoolOptions, ports: SpoolPorts): Promise<Spool> {
  const settings = compileOptions(options);
  const spool = new Spool(settings, ports, await openFolder(settings, ports));
  await spool.ready();
  return spool;
}

/** Keeps blocks of bytes on disk until they are acknowledged. SPEC.md beside this file has its rules. */
export class Spool {
  /** Names the folder for as long as it lives. */
  readonly spoolId: string;
  readonly #settings: SpoolSettings;
  readonly #ports: SpoolPorts;
  readonly #lock: FolderLock;
  readonly #segments: SegmentList;
  readonly #room: Room;
  readonly #writer: Writer;
  readonly #upkeep: Upkeep;
  readonly #cursors = new Set<Cursor>();
  #more = Promise.withResolvers<undefined>();
  #keepProbability: number | undefined;
  #droppedBlocks = 0;
  #droppedRecords = 0;
  #unreadBlocks = 0;
  #isClosed = false;

  /** @param opened the folder, which is the spool's from here on */
  constructor(settings: SpoolSettings, ports: SpoolPorts, opened: OpenedFolder) {
    this.spoolId = opened.spoolId;
    this.#settings = settings;
    this.#ports = ports;
    this.#lock = opened.lock;
    this.#segments = opened.segments;
    const { segments, position } = opened;
    const onChange = () => this.#changed();
    this.#room = new Room(settings.segmentBytes - frameOverhead);
    this.#writer = new Writer(settings, this.#room, segments, position, { ...ports, onChange });
    this.#upkeep = new Upkeep(settings, this.#room, segments, this.#writer, opened, { ...ports, onChange });
  }

  /** Ends when room was made, or the disk refused it. */
  async ready(): Promise<void> {
    this.#upkeep.wake();
    await this.#upkeep.settled();
  }

  /**
   * Reserves room for a durable block, so that it can be written whatever comes: the room is on disk. More is made while
   * reservations take more than half of it, up to the bound; an eighth of a segment is left to best-effort blocks.
   *
   * @param bytes of the block, at most
   * @returns undefined when there is no room
   */
  reserve(bytes: number): Reservation | undefined {
    this.#checkSize(bytes);
    const size = frameOverhead + bytes;
    if (this.#isClosed || this.#writer.isOwing) return undefined;
    const isReserved = this.#room.reserve(size);
    if (this.#room.wantsSpare && this.#upkeep.possibleBytes > 0) this.#upkeep.wake();
    if (!isReserved) return undefined;
    this.#changedRoom();
    return new ReservedRoom(size, {
      append: (block, records, isReserved) => this.#append(block, records, isReserved),
      join: (one, other, joined) => {
        const isJoined = this.#room.join(one, other, joined);
        this.#changedRoom();
        return isJoined;
      },
      release: (reserved) => {
        this.#room.release(reserved);
        this.#changedRoom();
      },
    });
  }

  /**
   * Appends a best-effort block, which is on disk some time later.
   *
   * @param records how many it has, for the counts
   * @returns its position; undefined when there was no room: it is dropped and counted
   */
  append(block: Uint8Array, records: number): number | undefined {
    return this.#append(block, records, false);
  }

  /**
   * Calls once all blocks up to a position are on disk: at once when they are already. With an error (resource-exhausted,
   * unavailable) when the disk refuses them: then they may come to it later, or never.
   */
  synced(position: number, callback: Synced): void {
    if (!(position <= this.#writer.position)) {
      throw invalidArgument(`spool: there is no position ${position} yet: the last one is ${this.#writer.position}`);
    }
    if (this.#isClosed) callback(unavailable('the spool is closed'));
    else this.#writer.whenSynced(position, callback);
  }

  /** Writes and syncs what was appended. */
  flush(): void {
    this.#writer.flush();
  }

  /** Reads from behind a position on: 0 for all that is there. Any number of cursors can read at once; each is to be closed. */
  read(after: number): Cursor {
    const { files, onEvent } = this.#ports;
    const cursor = new Cursor(this.#settings.folder, this.#segments, after, {
      ...{ files, onEvent, onLost: () => this.#unreadBlocks++, more: () => this.#more.promise },
      onUnreadable: (segment, cause) => this.#upkeep.setAside(segment, cause),
      onClose: (closed) => {
        this.#cursors.delete(closed);
        this.#nudge();
      },
    });
    this.#cursors.add(cursor);
    if (this.#isClosed) void cursor.close();
    return cursor;
  }

  /**
   * All blocks up to a position are stored elsewhere: the segments that have no others are deleted. After a restart delivery begins
   * behind it, or a little before: it is kept once a second, and at `close`.
   */
  acknowledge(position: number): void {
    if (!(position <= this.#writer.syncedPosition)) {
      throw failedPrecondition(`spool: position ${position} is not on disk, so nobody can have stored it`);
    }
    this.#upkeep.acknowledge(position);
  }

  /** Ends the segment that is written, full or not, so that it goes as soon as all of it is acknowledged. */
  seal(): void {
    this.#upkeep.seal();
  }

  /**
   * Ends when no block up to a position can be read any more: all were acknowledged or dropped, and the keys of their segments are deleted.
   * The segment that is written is sealed for that. A segment whose key is not known here holds it up until it is dropped.
   *
   * @throws SluiceError unavailable when the spool is closed before
   */
  async drained(position: number): Promise<void> {
    this.seal();
    for (;;) {
      const more = this.#more.promise;
      await this.#upkeep.settled();
      if (this.#isDrained(position)) return;
      if (this.#isClosed) throw unavailable('the spool was closed');
      await more;
    }
  }

  /**
   * Deletes all segments that have a block from before a time, acknowledged or not, also those that were set aside. Blocks that are appended
   * from now on are not among them.
   *
   * @param timeMs milliseconds since the epoch
   * @returns ends when nothing of them can be read any more; a full disk delays that for the segment that is being written
   */
  async dropOlderThan(timeMs: number): Promise<void> {
    this.#writer.order(timeMs);
    this.#upkeep.wake();
    for (;;) {
      const more = this.#more.promise;
      await this.#upkeep.settled();
      if (!this.#writer.isOrdered) return;
      if (this.#isClosed) throw unavailable('the spool was closed');
      await more;
    }
  }

  /** When the oldest block that can still be read was appended, milliseconds since the epoch; undefined without one. */
  get oldestMs(): number | undefined {
    let oldest: number | undefined;
    for (const segment of this.#segments.all) {
      const isActive = segment === this.#writer.active;
      const hasBlocks = isActive ? this.#writer.hasActiveBlocks : segment.hasBlocks || segment.key === undefined;
      if (segment.isErased || !hasBlocks) continue;
      oldest = Math.min(oldest ?? Infinity, segment.sinceMs);
    }
    return oldest;
  }

  /** With which probability a best-effort record is to be kept now, 0.01 to 1; it belongs into the record. */
  keepProbability(): number {
    return (this.#keepProbability ??= keepProbability(this.#fill));
  }

  /** Up to here all is stored elsewhere. */
  get acknowledged(): number {
    return this.#upkeep.acknowledged;
  }

  get status(): SpoolStatus {
    return {
      ...{ spoolId: this.spoolId, segments: this.#segments.all.length, bytes: this.#segments.bytes },
      ...{ maxBytes: this.#settings.maxBytes, usedBytes: this.#usedBytes, reservedBytes: this.#room.reserved },
      ...{ bufferedBytes: this.#writer.bufferedBytes, position: this.#writer.position },
      ...{ synced: this.#writer.syncedPosition, acknowledged: this.acknowledged },
      keepProbability: this.keepProbability(),
      ...{ droppedBlocks: this.#droppedBlocks, droppedRecords: this.#droppedRecords },
      lostBlocks: this.#upkeep.lostBlocks + this.#unreadBlocks,
      diskFailed: this.#upkeep.diskFailed,
      unreadableSegments: this.#segments.all.filter(isUnreadable).length,
      setAside: [...this.#segments.all, ...this.#segments.remains]
        .map(({ path }) => path)
        .filter((path) => path.startsWith(setAsideFolder)),
      oldestMs: this.oldestMs,
    };
  }

  /** Writes what there is, as far as the disk takes it, and gives the folder back. Who still waits is refused. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await this.#upkeep.stop();
    this.#writer.flush();
    await this.#writer.settled();
    this.#writer.refuseAll(unavailable('the spool was closed'));
    this.#nudge();
    await Promise.all([...this.#cursors].map((cursor) => cursor.close()));
    for (const segment of [...this.#segments.all, ...this.#segments.others]) await segment.file?.close();
    this.#lock.release();
  }

  #isDrained(position: number): boolean {
    if (this.#writer.syncedPosition < position) return false;
    // Of one that is to be deleted, what a crash or a disk left torn may still be on disk, with its key.
    if ([...this.#segments.others].some(({ isGone }) => isGone)) return false;
    return !this.#segments.all.some(
      ({ isErased, key, first }) => !isErased && (key === undefined || first <= position),
    );
  }

  #append(block: Uint8Array, records: number, isReserved: boolean): number | undefined {
    if (block.length === 0) throw invalidArgument('spool: a block must have at least one byte');
    const position = this.#isClosed ? undefined : this.#writer.append(block, isReserved);
    if (position === undefined) {
      this.#droppedBlocks++;
      this.#droppedRecords += records;
    }
    this.#changedRoom();
    return position;
  }

  #checkSize(bytes: number): void {
    const most = maxBlockBytes(this.#settings);
    if (bytes >= 1 && bytes <= most) return;
    throw invalidArgument(`spool: a block must have 1 to ${most} bytes, which a segment has room for, not ${bytes}`);
  }

  /** Bytes that blocks have, on disk or on their way. */
  get #usedBytes(): number {
    let used = this.#writer.activeBytes;
    for (const segment of this.#segments.all) if (segment !== this.#writer.active) used += segment.bytes;
    return used;
  }

  /** How short room is for best-effort blocks, 0 to 1: on disk, in what is there of it now, and in memory. */
  get #fill(): number {
    if (this.#writer.isOwing) return 1;
    const { free, reserved, bestEffortBytes } = this.#room;
    const used = this.#usedBytes + reserved;
    const onDisk = used === 0 ? 0 : used / (used + free + this.#upkeep.possibleBytes);
    const now = 1 - free / (2 * bestEffortBytes);
    return Math.max(onDisk, now, this.#writer.bufferedBytes / this.#settings.bufferBytes);
  }

  #changedRoom(): void {
    this.#keepProbability = undefined;
  }

  #changed(): void {
    this.#changedRoom();
    this.#upkeep.wake();
    this.#nudge();
  }

  /** Whoever waits for something looks again. */
  #nudge(): void {
    const { resolve } = this.#more;
    this.#more = Promise.withResolvers<undefined>();
    resolve(undefined);
  }
}

const isUnreadable = ({ readFailures, isUnread, key, isErased }: Segment): boolean =>
  readFailures > 0 || isUnread || (key === undefined && !isErased);

interface RoomOwner {
  append(block: Uint8Array, records: number, isReserved: boolean): number | undefined;
  join(one: number, other: number, joined: number): boolean;
  release(size: number): void;
}

class ReservedRoom implements Reservation {
  #size: number;
  readonly #owner: RoomOwner;
  #isUsed = false;

  constructor(size: number, owner: RoomOwner) {
    this.#size = size;
    this.#owner = owner;
  }

  append(block: Uint8Array, records: number): number | undefined {
    if (this.#isUsed) throw failedPrecondition('spool: a reservation holds one block');
    this.release();
    return this.#owner.append(block, records, frameOverhead + block.length <= this.#size);
  }

  join(other: Reservation, bytes: number): boolean {
    if (!(other instanceof ReservedRoom) || other === this || other.#isUsed || this.#isUsed)
      throw failedPrecondition('spool: only two reservations that hold room can be joined');
    const size = frameOverhead + bytes;
    if (!this.#owner.join(this.#size, other.#size, size)) return false;
    this.#size = size;
    other.#isUsed = true;
    return true;
  }

  release(): void {
    if (this.#isUsed) return;
    this.#isUsed = true;
    this.#owner.release(this.#size);
  }
}
