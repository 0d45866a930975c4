import type { Segment } from './segment.ts';

/** A file of a segment that is gone, kept because it was damaged. */
export interface Remains {
  readonly path: string;
  readonly bytes: number;
}

/** All segments in the order of their positions, and what else takes room in the folder. */
export class SegmentList {
  readonly #segments: Segment[] = [];
  /** Segments without a position: the spare one, and those that are to be deleted. */
  readonly others = new Set<Segment>();
  /** The oldest first. */
  readonly remains: Remains[] = [];
  /** Bytes of the other files. */
  readonly #fixedBytes: number;

  constructor(fixedBytes: number) {
    this.#fixedBytes = fixedBytes;
  }

  get all(): readonly Segment[] {
    return this.#segments;
  }

  /** Of all files. */
  get bytes(): number {
    let sum = this.#fixedBytes;
    for (const { bytes } of this.#segments) sum += bytes;
    for (const { bytes } of this.others) sum += bytes;
    for (const { bytes } of this.remains) sum += bytes;
    return sum;
  }

  get newest(): Segment | undefined {
    return this.#segments.at(-1);
  }

  add(segment: Segment): void {
    this.#segments.push(segment);
  }

  remove(segment: Segment): void {
    const index = this.#segments.indexOf(segment);
    if (index >= 0) this.#segments.splice(index, 1);
    this.others.delete(segment);
  }

  /** The first one behind a number that can be read. */
  after(sequence: number): Segment | undefined {
    return this.#segments.find((each) => each.sequence > sequence && each.key !== undefined && !each.isGone);
  }

  /** Whether one behind it says which positions are taken, so that it may go. */
  hasSuccessor(segment: Segment): boolean {
    return this.newest !== undefined && this.newest.sequence > segment.sequence && this.newest.end > 0;
  }
}
