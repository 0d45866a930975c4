import type { HeaderBlock } from './header-block.ts';

/** A client that repeats itself has a few blocks: one per method, and of each what differs in deadlines. */
const mostBlocks = 4;
/** Longer ones are not kept: they seldom repeat, and a connection is not to cost memory for them. */
const mostOctets = 512;

interface Kept {
  readonly octets: Uint8Array;
  readonly generation: number;
  readonly block: HeaderBlock;
}

/** What the last few header blocks of a connection meant. The same octets mean the same as long as the dynamic table is the same. */
export class BlockMemory {
  readonly #kept: Kept[] = [];
  #next = 0;

  /** @param generation of the dynamic table */
  find(octets: Uint8Array, start: number, end: number, generation: number): HeaderBlock | undefined {
    for (const kept of this.#kept)
      if (kept.generation === generation && isSame(kept.octets, octets, start, end)) return kept.block;
    return undefined;
  }

  keep(octets: Uint8Array, start: number, end: number, generation: number, block: HeaderBlock): void {
    if (end - start > mostOctets) return;
    this.#kept[this.#next] = { octets: Uint8Array.from(octets.subarray(start, end)), generation, block };
    this.#next = (this.#next + 1) % mostBlocks;
  }
}

function isSame(kept: Uint8Array, octets: Uint8Array, start: number, end: number): boolean {
  if (kept.length !== end - start) return false;
  for (let at = 0; at < kept.length; at++) if (kept[at] !== octets[start + at]) return false;
  return true;
}
