import type { Clock, Timer } from '@sluice/domain/clock';
import type { SluiceError } from '@sluice/domain/errors';
import { Batch } from './batch.ts';
import type { SpoolEvent, Synced } from './contract.ts';
import { frameOverhead, readHeader } from './frame.ts';
import type { SpoolSettings } from './options.ts';
import type { Room } from './room.ts';
import type { Segment } from './segment.ts';
import type { SegmentList } from './segment-list.ts';
import { Waiters, call } from './waiters.ts';

export interface WriterPorts {
  readonly clock: Clock;
  readonly onEvent: (event: SpoolEvent) => void;
  /** More is on disk, or the state of a segment is another. */
  readonly onChange: () => void;
}

/** A block whose segment failed, until there is another one. */
interface Owed {
  readonly position: number;
  readonly timeMs: number;
  readonly block: Uint8Array;
}

/**
 * Puts blocks into segments: into room that is there, in the order of their positions. Group commit: one write and one sync are
 * under way, and all that comes meanwhile goes with the next.
 */
export class Writer {
  readonly #settings: SpoolSettings;
  readonly #room: Room;
  readonly #segments: SegmentList;
  readonly #ports: WriterPorts;
  readonly #waiters = new Waiters();
  readonly #nothing = Buffer.alloc(0);
  /** The one that takes blocks. */
  #active: Segment | undefined;
  /** What comes after it, by number. */
  readonly #spares: Segment[] = [];
  /** Where the next frame goes in the active segment. */
  #end = 0;
  #position: number;
  #synced: number;
  /** What is not on disk, oldest first; the first one may be on its way. */
  #batches: Batch[] = [];
  #inFlight: Batch | undefined;
  /** All batches are to be written, not only those behind which others wait. */
  #isWanted = false;
  #running: Promise<void> | undefined;
  #memory: Buffer | undefined;
  #timer: Timer | undefined;
  #owed: Owed[] = [];
  #owedBytes = 0;
  /** Up to here, blocks are to be dropped. */
  #orderedPosition = 0;
  /** Why nobody can say when the owed blocks will be on disk. */
  #refusal: SluiceError | undefined;

  constructor(settings: SpoolSettings, room: Room, segments: SegmentList, position: number, ports: WriterPorts) {
    this.#settings = settings;
    this.#room = room;
    this.#segments = segments;
    this.#position = position;
    this.#synced = position;
    this.#ports = ports;
  }

  /** Of the last block that was appended. */
  get position(): number {
    return this.#position;
  }

  /** Of the last one that is on disk. */
  get syncedPosition(): number {
    return this.#synced;
  }

  get active(): Segment | undefined {
    return this.#active;
  }

  /** Whether the active segment has blocks, written or not. */
  get hasActiveBlocks(): boolean {
    return this.#active !== undefined && this.#position >= this.#active.first;
  }

  /** Bytes of the active segment that are taken. */
  get activeBytes(): number {
    return this.#active === undefined ? 0 : this.#end;
  }

  /** Blocks wait for a segment. */
  get isOwing(): boolean {
    return this.#owed.length > 0;
  }

  get bufferedBytes(): number {
    let sum = this.#owedBytes;
    for (const { length } of this.#batches) sum += length;
    return sum;
  }

  /**
   * @param isReserved whether room for it was reserved, and released just now
   * @returns its position; undefined when it has no room
   */
  append(block: Uint8Array, isReserved: boolean): number | undefined {
    const size = frameOverhead + block.length;
    const isOwing = this.isOwing;
    if (!isReserved && (isOwing || this.bufferedBytes + size > this.#settings.bufferBytes)) return undefined;
    const where = isOwing ? undefined : this.#room.place(size, false);
    if (where === undefined && !isReserved) return undefined;
    const position = ++this.#position;
    const timeMs = this.#ports.clock.now();
    if (where === undefined) this.#owe({ position, timeMs, block: Uint8Array.from(block) });
    else this.#put(where, { position, timeMs, block });
    this.#flushSoon();
    return position;
  }

  /** Calls when all up to a position is on disk; at once when it is already. */
  whenSynced(position: number, synced: Synced): void {
    if (position <= this.#synced) {
      call(synced);
      return;
    }
    const owed = this.#owed[0];
    if (this.#refusal !== undefined && owed !== undefined && position >= owed.position) {
      call(synced, this.#refusal);
      return;
    }
    this.#waiters.add(position, synced);
    if (this.#inFlight === undefined || position > this.#inFlight.last) this.flush();
  }

  /** Writes and syncs what there is, from the end of this turn on. */
  flush(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#isWanted = true;
    this.#running ??= this.#run();
  }

  /** Ends when nothing is being written. */
  async settled(): Promise<void> {
    while (this.#running) await this.#running;
  }

  /** Takes a segment that is on disk in its full length, with nothing in it. */
  offer(segment: Segment): void {
    this.#spares.push(segment);
    this.#room.offer();
    this.#refusal = undefined;
    this.#settle();
  }

  /** Writes on in a spare segment; nothing without one, or where what is reserved needs the rest of this one. */
  roll(): void {
    if (this.#room.canRoll) this.#part(this.#position + 1);
  }

  /**
   * All segments that have a block from before a time are to be dropped. What comes from now on goes into others: it is not to be
   * dropped with them.
   */
  order(beforeMs: number): void {
    const { all } = this.#segments;
    for (const [index, segment] of all.entries()) {
      const hasBlocks = segment === this.#active ? this.hasActiveBlocks : !segment.isErased;
      if (!hasBlocks || segment.sinceMs >= beforeMs) continue;
      segment.isOrdered = true;
      if (segment.key) this.#orderedPosition = all[index + 1] ? all[index + 1]!.first - 1 : this.#position;
    }
    if (this.isOwing) this.#orderedPosition = this.#position;
    if (this.#active?.isOrdered) this.#part(this.#position + 1);
  }

  /** Whether anything is left that an order was given for. */
  get isOrdered(): boolean {
    const owed = this.#owed[0];
    if (owed !== undefined && owed.position <= this.#orderedPosition) return true;
    return this.#segments.all.some((segment) => segment.isOrdered);
  }

  /** There will be no segment for some time: those who wait for one are told. */
  refuse(error: SluiceError): void {
    const first = this.#owed[0];
    if (first === undefined) return;
    this.#refusal = error;
    this.#waiters.refuseFrom(first.position, error);
  }

  /** Tells all who wait. */
  refuseAll(error: SluiceError): void {
    this.#timer?.cancel();
    this.#waiters.refuseFrom(0, error);
  }

  #put(where: 'written' | 'spare', { position, timeMs, block }: Owed): void {
    if (where === 'spare') this.#begin(position, timeMs);
    const segment = this.#active!;
    // A clock may go back.
    segment.sinceMs = position === segment.first ? timeMs : Math.min(segment.sinceMs, timeMs);
    segment.isOrdered ||= position <= this.#orderedPosition;
    const batch = this.#batchOf(segment);
    batch.add(position, timeMs, block);
    this.#end = batch.end;
  }

  /** The spare segment becomes the active one. Its mark is written with its first blocks. */
  #begin(first: number, timeMs: number): void {
    const [before, segment] = [this.#active, this.#spares.shift()!];
    this.#active = segment;
    segment.begin(first, timeMs);
    this.#segments.others.delete(segment);
    this.#segments.add(segment);
    this.#end = 0;
    const batch = this.#batchOf(segment);
    batch.add(first, timeMs, this.#nothing);
    this.#end = batch.end;
    if (before && !this.#isPending(before)) before.isSealed = true;
    this.#ports.onChange();
  }

  /** The active segment takes no more; another one does, as soon as there is one. */
  #part(first: number): void {
    if (!this.#room.hasSpare) {
      this.#room.shut();
      return;
    }
    this.#room.roll();
    this.#begin(first, this.#ports.clock.now());
    this.flush();
  }

  #isPending(segment: Segment): boolean {
    return this.#batches.some((batch) => batch.segment === segment);
  }

  #batchOf(segment: Segment): Batch {
    const newest = this.#batches.at(-1);
    if (newest !== undefined && newest.segment === segment && newest !== this.#inFlight) return newest;
    const last = newest?.last ?? this.#synced;
    const batch = new Batch(segment, segment.key!, this.#end, last, this.#memory);
    this.#memory = undefined;
    this.#batches.push(batch);
    return batch;
  }

  /** For those who do not wait. */
  #flushSoon(): void {
    const { flushMs, flushBytes } = this.#settings;
    const newest = this.#batches.at(-1);
    if (newest === undefined || newest === this.#inFlight) return;
    if (flushMs === 0 || newest.length >= flushBytes) this.flush();
    else this.#timer ??= this.#ports.clock.schedule(flushMs, () => this.flush());
  }

  async #run(): Promise<void> {
    // What comes in the same turn goes with it.
    await Promise.resolve();
    while (this.#batches.length > 1 || (this.#batches.length === 1 && this.#isWanted)) {
      const batch = this.#batches[0]!;
      if (this.#batches.length === 1) this.#isWanted = false;
      this.#inFlight = batch;
      try {
        await batch.segment.file!.write(batch.bytes, batch.at);
        await batch.segment.file!.sync();
      } catch (error) {
        this.#inFlight = undefined;
        this.#failed(batch.segment, error);
        continue;
      }
      this.#inFlight = undefined;
      this.#written(batch);
    }
    this.#running = undefined;
  }

  #written(batch: Batch): void {
    const { segment } = batch;
    this.#batches.shift();
    segment.end = batch.end;
    segment.last = batch.last;
    this.#synced = batch.last;
    this.#memory ??= batch.memory;
    if (segment !== this.#active && !this.#isPending(segment)) segment.isSealed = true;
    this.#waiters.upTo(this.#synced);
    this.#ports.onChange();
  }

  /**
   * A write or a sync failed. What was to be written is in doubt then, and a later sync of this file would succeed without it: the
   * operating system reports a page that it could not write once, and forgets it. So the segment ends where it was known to be on
   * disk, and everything behind goes into another one.
   */
  #failed(segment: Segment, cause: unknown): void {
    const batches = this.#batches;
    this.#batches = [];
    const owed = [...batches.flatMap(blocksOf), ...this.#owed];
    for (const each of new Set(batches.map((batch) => batch.segment))) if (each !== segment) this.#unused(each);
    segment.isSealed = true;
    this.#active = undefined;
    this.#end = 0;
    this.#room.shut();
    this.#owed = [];
    this.#owedBytes = 0;
    for (const each of owed) this.#owe(each);
    this.#ports.onEvent({ kind: 'write-failed', segment: segment.path, blocks: owed.length, cause });
    this.#settle();
    this.#ports.onChange();
  }

  /** Nothing of it was written: it is a spare one again. */
  #unused(segment: Segment): void {
    this.#segments.remove(segment);
    this.#segments.others.add(segment);
    this.#spares.push(segment);
    // Positions ascend with the numbers of segments.
    this.#spares.sort((one, other) => one.sequence - other.sequence);
    this.#room.offer();
  }

  #owe(owed: Owed): void {
    this.#owed.push(owed);
    this.#owedBytes += frameOverhead + owed.block.length;
  }

  /** Puts what is owed into segments, as far as there are any. */
  #settle(): void {
    let settled = 0;
    for (const owed of this.#owed) {
      if (this.#active?.isOrdered && owed.position > this.#orderedPosition) this.#part(owed.position);
      const where = this.#room.place(frameOverhead + owed.block.length, true);
      if (where === undefined) break;
      this.#put(where, owed);
      this.#owedBytes -= frameOverhead + owed.block.length;
      settled++;
    }
    if (settled === 0) return;
    this.#owed = this.#owed.slice(settled);
    if (this.#active?.isOrdered && !this.isOwing) this.#part(this.#position + 1);
    this.flush();
  }
}

/** What was to be written, read back from memory. */
function blocksOf(batch: Batch): Owed[] {
  const blocks: Owed[] = [];
  for (let at = 0; at < batch.length;) {
    const header = readHeader(batch.bytes, at)!;
    const { position, timeMs } = header;
    if (header.length > 0) blocks.push({ position, timeMs, block: batch.key.open(batch.bytes, at, header)! });
    at += frameOverhead + header.length;
  }
  return blocks;
}
