/**
 * Where blocks find room: in the segment that is written, or in the spare one behind it. Both are on disk in their full length, so
 * that no write of a block can meet a full disk. What is reserved fits into one of them, at all times: into the rest of the first,
 * or into the spare one.
 */
export class Room {
  /** Bytes of frames that a new segment takes. */
  readonly capacity: number;
  #rest = 0;
  #hasSpare = false;
  #reserved = 0;

  constructor(capacity: number) {
    this.capacity = capacity;
  }

  /** Bytes left in the segment that is written. */
  get rest(): number {
    return this.#rest;
  }

  get hasSpare(): boolean {
    return this.#hasSpare;
  }

  get reserved(): number {
    return this.#reserved;
  }

  /** Bytes that are left, reserved ones not counted. */
  get free(): number {
    return Math.max(0, this.#rest + (this.#hasSpare ? this.capacity : 0) - this.#reserved);
  }

  /** @returns false when there is no room, and nothing changed */
  reserve(size: number): boolean {
    if (this.#reserved + size > Math.max(this.#rest, this.#spareRoom)) return false;
    this.#reserved += size;
    return true;
  }

  release(size: number): void {
    this.#reserved -= size;
  }

  /**
   * Takes room for a frame. What it had reserved was released before.
   *
   * @param isOwed whether it may take what others have reserved: it was promised to be written
   * @returns in which segment; the spare one is then the one that is written. Undefined when there is no room
   */
  place(size: number, isOwed: boolean): 'written' | 'spare' | undefined {
    const owed = isOwed ? 0 : this.#reserved;
    if (size <= this.#rest && owed <= Math.max(this.#rest - size, this.#spareRoom)) {
      this.#rest -= size;
      return 'written';
    }
    if (this.#hasSpare && size + owed <= this.capacity) {
      this.roll();
      this.#rest -= size;
      return 'spare';
    }
    return undefined;
  }

  /** The spare segment is the one that is written. */
  roll(): void {
    this.#rest = this.capacity;
    this.#hasSpare = false;
  }

  /** Another spare segment is there. */
  offer(): void {
    this.#hasSpare = true;
  }

  /** The segment that was written takes no more. */
  shut(): void {
    this.#rest = 0;
  }

  get #spareRoom(): number {
    return this.#hasSpare ? this.capacity : 0;
  }
}
