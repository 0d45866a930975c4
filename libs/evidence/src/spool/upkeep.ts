import type { Clock, Timer } from '@sluice/domain/clock';
import { SluiceError } from '@sluice/domain/errors';
import type { SpoolEvent } from './contract.ts';
import type { SpoolFiles } from './files.ts';
import { KeptPosition } from './kept-position.ts';
import type { OpenedFolder } from './open-folder.ts';
import type { SpoolSettings } from './options.ts';
import { removeSegments, trimRemains, trimSegment } from './removal.ts';
import type { Room } from './room.ts';
import type { Segment } from './segment.ts';
import { allocate } from './allocate.ts';
import { wrappedBytes } from './segment-key.ts';
import type { SegmentList } from './segment-list.ts';
import { setUnreadableAside } from './unreadable.ts';
import type { Writer } from './writer.ts';

export interface UpkeepPorts {
  readonly files: SpoolFiles;
  readonly clock: Clock;
  readonly randomBytes: (count: number) => Uint8Array;
  readonly onEvent: (event: SpoolEvent) => void;
  /** Segments are gone, or there is another one, or the disk is not as it was. */
  readonly onChange: () => void;
}

/** Makes room ahead, and removes what is not needed any more; one thing at a time, beside the writer. */
export class Upkeep {
  readonly #settings: SpoolSettings;
  readonly #room: Room;
  readonly #segments: SegmentList;
  readonly #writer: Writer;
  readonly #ports: UpkeepPorts;
  #sequence: number;
  /** What is to be set aside, with why. */
  readonly #unreadable = new Map<Segment, unknown>();
  #running: Promise<void> | undefined;
  readonly #kept: KeptPosition;
  #isWoken = false;
  #isStopped = false;
  #timer: Timer | undefined;
  #ageTimer: Timer | undefined;
  #aging: Segment | undefined;
  /** The active segment is to end, full or not. */
  #isSealWanted = false;
  #acknowledged: number;
  #lostBlocks = 0;
  #diskFailed = false;
  #retryAt = 0;
  #upkeepFailed = false;

  constructor(
    settings: SpoolSettings,
    room: Room,
    segments: SegmentList,
    writer: Writer,
    { sequence, acknowledged }: Pick<OpenedFolder, 'sequence' | 'acknowledged'>,
    ports: UpkeepPorts,
  ) {
    this.#settings = settings;
    this.#room = room;
    this.#segments = segments;
    this.#writer = writer;
    this.#sequence = sequence;
    this.#acknowledged = acknowledged;
    this.#kept = new KeptPosition(ports.files, settings.folder, ports.clock, acknowledged);
    this.#ports = ports;
  }

  get diskFailed(): boolean {
    return this.#diskFailed;
  }

  get acknowledged(): number {
    return this.#acknowledged;
  }

  /** Blocks that were dropped before they were acknowledged. */
  get lostBlocks(): number {
    return this.#lostBlocks;
  }

  /** Bytes of blocks that segments could take which may still be made. */
  get possibleBytes(): number {
    if (this.#diskFailed) return 0;
    const left = Math.floor((this.#settings.maxBytes - this.#segments.bytes) / this.#newBytes);
    return Math.max(0, left) * this.#room.capacity;
  }

  acknowledge(position: number): void {
    if (position <= this.#acknowledged) return;
    this.#acknowledged = position;
    this.#kept.changed(position);
    this.wake();
  }

  seal(): void {
    this.#isSealWanted = true;
    this.wake();
  }

  /** The disk does not give a segment: it is set aside, once nothing is written to it any more. */
  setAside(segment: Segment, cause: unknown): void {
    if (!segment.isSealed) this.seal();
    else {
      this.#unreadable.set(segment, cause);
      this.wake();
    }
  }

  /** Looks whether there is something to do, from the end of this turn on. */
  wake(): void {
    this.#isWoken = true;
    if (!this.#isStopped) this.#running ??= this.#run();
  }

  /** Ends when there is nothing to do now. */
  async settled(): Promise<void> {
    while (this.#running) await this.#running;
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#timer?.cancel();
    this.#ageTimer?.cancel();
    await this.settled();
    await this.#kept.close();
  }

  get #newBytes(): number {
    return this.#settings.segmentBytes + wrappedBytes(this.#settings.key);
  }

  async #run(): Promise<void> {
    await Promise.resolve();
    while (this.#isWoken && !this.#isStopped) {
      this.#isWoken = false;
      await this.#setUnreadableAside();
      let failure = await this.#attempt(() => this.#trim());
      failure = (await this.#attempt(() => this.#retire())) ?? failure;
      if (failure !== undefined && !this.#upkeepFailed) {
        this.#ports.onEvent({ kind: 'upkeep-failed', cause: failure });
      }
      this.#upkeepFailed = failure !== undefined;
      await this.#makeRoom();
      this.#rollWhereWanted();
      this.#watchAge();
      if (this.#upkeepFailed || this.#diskFailed) this.#retryLater();
    }
    this.#running = undefined;
  }

  async #setUnreadableAside(): Promise<void> {
    for (const [segment, cause] of this.#unreadable) {
      this.#unreadable.delete(segment);
      if (!segment.isGone && !segment.isUnread)
        await setUnreadableAside(this.#ports, this.#settings.folder, segment, cause);
    }
  }

  async #attempt(work: () => Promise<void>): Promise<unknown> {
    try {
      await work();
      return undefined;
    } catch (error) {
      return error ?? 'unknown';
    }
  }

  #retryLater(): void {
    this.#timer ??= this.#ports.clock.schedule(this.#settings.retryMs, () => {
      this.#timer = undefined;
      this.wake();
    });
  }

  /** Segments that are full, or failed, give back the room that they had ahead. */
  async #trim(): Promise<void> {
    for (const segment of [...this.#segments.all]) {
      if (segment.isSealed && segment.file) await trimSegment(segment);
    }
  }

  async #retire(): Promise<void> {
    const { files } = this.#ports;
    const going = [...this.#segments.all, ...this.#segments.others].filter((each) => this.#isDone(each));
    for (const segment of going) {
      if (segment.isGone) continue;
      segment.isGone = true;
      if (segment.key) this.#lostBlocks += Math.max(0, segment.last - Math.max(this.#acknowledged, segment.first - 1));
    }
    await removeSegments(files, this.#settings.folder, going, this.#segments);
    await trimRemains(files, this.#settings, this.#segments);
    if (going.length > 0) this.#ports.onChange();
  }

  /** Whether a segment may go. */
  #isDone(segment: Segment): boolean {
    if (segment.isGone) return true;
    if (!segment.isSealed) return false;
    const isRead =
      segment.isErased || (segment.key !== undefined && !segment.isUnread && segment.last <= this.#acknowledged);
    const isEmpty = segment.key !== undefined && !segment.hasBlocks;
    return (isRead || isEmpty || segment.isOrdered) && this.#segments.hasSuccessor(segment);
  }

  /** Whether a segment would go if there were one behind it. */
  get #lacksSuccessor(): boolean {
    const { newest } = this.#segments;
    if (!newest?.isSealed || newest.isGone) return false;
    return newest.last <= this.#acknowledged || newest.isOrdered;
  }

  get #isRollWanted(): boolean {
    const { active, hasActiveBlocks } = this.#writer;
    if (!active) return this.#lacksSuccessor;
    return hasActiveBlocks && (this.#isSealWanted || active.isOrdered);
  }

  #rollWhereWanted(): void {
    if (this.#isRollWanted) this.#writer.roll();
    if (!this.#writer.hasActiveBlocks) this.#isSealWanted = false;
  }

  /** The active segment ends some time after its first block. */
  #watchAge(): void {
    const { active, hasActiveBlocks } = this.#writer;
    if (active === undefined || !hasActiveBlocks || active === this.#aging) return;
    this.#aging = active;
    this.#ageTimer?.cancel();
    this.#ageTimer = this.#ports.clock.schedule(this.#settings.segmentMs, () => {
      if (this.#writer.active === active) this.seal();
    });
  }

  /** There is always a spare segment, and as many as reservations need, as far as the bound and the disk allow. */
  async #makeRoom(): Promise<void> {
    const isWanted = this.#room.wantsSpare || (this.#isRollWanted && !this.#room.canRoll);
    // A disk that failed is asked again all the same: what is said of it is to be true.
    if (!isWanted && !this.#diskFailed) return;
    if (this.#segments.bytes + this.#newBytes > this.#settings.maxBytes) {
      this.#writer.refuse(new SluiceError('resource-exhausted', 'the evidence cannot be written: the spool is full'));
      return;
    }
    // However many ask meanwhile.
    if (this.#diskFailed && this.#ports.clock.monotonic() < this.#retryAt) return;
    const sequence = this.#sequence++;
    try {
      const segment = await allocate(this.#ports, this.#settings, sequence, this.#segments);
      this.#diskWorks();
      this.#writer.offer(segment);
      this.#ports.onChange();
    } catch (error) {
      const kind = (error as NodeJS.ErrnoException).code === 'ENOSPC' ? 'resource-exhausted' : 'unavailable';
      this.#writer.refuse(
        new SluiceError(kind, 'the evidence cannot be written: the disk of the spool refuses it', { cause: error }),
      );
      if (!this.#diskFailed) this.#ports.onEvent({ kind: 'disk-failed', cause: error });
      this.#diskFailed = true;
      this.#ports.onChange();
      this.#retryAt = this.#ports.clock.monotonic() + this.#settings.retryMs;
    }
  }

  #diskWorks(): void {
    if (!this.#diskFailed) return;
    this.#diskFailed = false;
    this.#ports.onEvent({ kind: 'disk-recovered' });
  }
}
