import { Sizes } from './sizes.ts';

/** Part of a segment that reservations leave to best-effort blocks. */
const bestEffortShare = 1 / 8;

/**
 * Where blocks find room: in the segment that is written, then in the spare ones behind it, one after the other. All are on disk in
 * their full length, so that no write of a block can meet a full disk. What is reserved fits at all times, in whatever order it
 * comes: a block goes into the next segment where the rest of one is too short for it, and that rest, which is shorter than the
 * largest reservation, is lost.
 */
export class Room {
  /** Bytes of frames that a new segment takes. */
  readonly capacity: number;
  /** Bytes that best-effort blocks find beside all reservations but a single one. */
  readonly bestEffortBytes: number;
  #rest = 0;
  #spares = 0;
  #reserved = 0;
  readonly #sizes = new Sizes();
  /** What was refused last: all that would be reserved with it, and the largest of it. */
  #asked = 0;
  #askedLargest = 0;

  constructor(capacity: number) {
    this.capacity = capacity;
    this.bestEffortBytes = Math.floor(capacity * bestEffortShare);
  }

  /** Bytes left in the segment that is written. */
  get rest(): number {
    return this.#rest;
  }

  get hasSpare(): boolean {
    return this.#spares > 0;
  }

  /** Bytes that are reserved. */
  get reserved(): number {
    return this.#reserved;
  }

  /** Bytes that are left for best-effort blocks. */
  get free(): number {
    return Math.max(0, this.#all - this.#needed(this.#reserved, this.#sizes.largest));
  }

  /**
   * Another spare segment is to be made, if it can be: there is none, or reservations have half of what they can get, or one was
   * refused that it would help.
   */
  get wantsSpare(): boolean {
    if (this.#spares === 0) return true;
    const largest = Math.max(this.#sizes.largest, this.#askedLargest);
    // Of large ones so many segments would be needed that they are made for those alone that are asked for.
    const ahead = 2 * largest > this.capacity ? 0 : 2 * this.#reserved;
    const bytes = Math.max(ahead, this.#asked);
    if (bytes === 0) return false;
    const needed = this.#needed(bytes, largest) + this.bestEffortBytes;
    return needed > this.#all && needed < Infinity;
  }

  /** Whether the next segment can be begun, and what is reserved still fits. */
  get canRoll(): boolean {
    return this.#spares > 0 && this.#holds(this.capacity, this.#spares - 1, this.#reserved, this.#sizes.largest);
  }

  /** @returns false when there is no room, and nothing is reserved */
  reserve(size: number): boolean {
    const bytes = this.#reserved + size;
    const largest = Math.max(this.#sizes.largest, size);
    const isAlone = this.#reserved === 0;
    const leaves = this.#all - this.#needed(bytes, largest);
    if (!this.#holds(this.#rest, this.#spares, bytes, largest) || (!isAlone && leaves < this.bestEffortBytes)) {
      this.#asked = bytes;
      this.#askedLargest = largest;
      return false;
    }
    this.#take(size);
    return true;
  }

  /**
   * One reservation instead of two. It may be larger than either, and then more can be lost between two segments than was counted for: what is left
   * beside all reservations says whether they still fit.
   *
   * @returns false when they would not, or best-effort blocks would lose of their share: nothing has changed
   */
  join(one: number, other: number, size: number): boolean {
    const free = this.free;
    this.release(one);
    this.release(other);
    const bytes = this.#reserved + size;
    const largest = Math.max(this.#sizes.largest, size);
    const leaves = this.#all - this.#needed(bytes, largest);
    const isJoined = size <= one + other && leaves >= Math.min(free, this.bestEffortBytes);
    for (const each of isJoined ? [size] : [one, other]) this.#take(each);
    return isJoined;
  }

  release(size: number): void {
    this.#reserved -= size;
    this.#sizes.remove(size);
  }

  /**
   * Takes room for a frame. What it had reserved was released before.
   *
   * @param isOwed whether it may take what others have reserved: it was promised to be written
   * @returns in which segment; the next spare one is then the one that is written. Undefined when there is no room
   */
  place(size: number, isOwed: boolean): 'written' | 'spare' | undefined {
    const reserved = isOwed ? 0 : this.#reserved;
    const { largest } = this.#sizes;
    if (size <= this.#rest && this.#holds(this.#rest - size, this.#spares, reserved, largest)) {
      this.#rest -= size;
      return 'written';
    }
    if (this.#spares > 0 && size <= this.capacity) {
      if (!this.#holds(this.capacity - size, this.#spares - 1, reserved, largest)) return undefined;
      this.roll();
      this.#rest -= size;
      return 'spare';
    }
    return undefined;
  }

  /** The next spare segment is the one that is written. */
  roll(): void {
    this.#rest = this.capacity;
    this.#spares--;
  }

  /** Another spare segment is there. */
  offer(): void {
    this.#spares++;
    this.#asked = this.#askedLargest = 0;
  }

  /** The segment that was written takes no more. */
  shut(): void {
    this.#rest = 0;
  }

  #take(size: number): void {
    this.#reserved += size;
    this.#sizes.add(size);
  }

  get #all(): number {
    return this.#rest + this.#spares * this.capacity;
  }

  /**
   * Whether blocks find room in any order: in the rest of a segment and some spare ones. Each time that one does not fit into a
   * segment, less than its own size is lost there; so `spares` segments take, to the last one, as much as they have less `largest`
   * for each but one of them, and a rest before them adds what it has less `largest`.
   *
   * @param bytes of all of them
   * @param largest bytes of the largest one
   */
  #holds(rest: number, spares: number, bytes: number, largest: number): boolean {
    if (bytes <= rest) return true;
    if (spares === 0) return false;
    const inSpares = spares * this.capacity - (spares - 1) * largest;
    return bytes <= Math.max(inSpares, inSpares + rest - largest);
  }

  /** Bytes of whole segments that blocks take: their own, and what is lost between them. */
  #needed(bytes: number, largest: number): number {
    if (bytes <= this.capacity) return bytes;
    if (largest >= this.capacity) return Infinity;
    return bytes + Math.ceil((bytes - this.capacity) / (this.capacity - largest)) * largest;
  }
}
