import { mix } from '../runtimes/rendezvous.ts';

/** 64 bits that were made of a text, in two halves. */
export interface TextHash {
  readonly a: number;
  readonly b: number;
}

/** Something that gets a share of all units. */
export interface UnitShare {
  /** In proportion to those of the others; 0 gets none. */
  readonly weight: number;
  /** Of its name. */
  readonly hash: TextHash;
}

/** Where a hash begins that has no seed. */
const unseeded: TextHash = { a: 0x243f6a88, b: 0x85a308d3 };

/** The hash of a name or of a seed's id. */
export function hashOf(text: string): TextHash {
  const { length } = text;
  let { a, b } = unseeded;
  for (let index = 0; index < length; index++) {
    a = stepA(a, text.charCodeAt(index));
    b = stepB(b, text.charCodeAt(index));
  }
  const last = mix(a ^ length);
  return { a: last, b: mix(b + last) };
}

/**
 * Whose a unit is: weighted rendezvous hashing (Schindelhauer and Schomaker, "Weighted distributed hash tables", SPAA 2005: the
 * logarithmic method). Unit, seed and name give each share a number u that is even in (0, 1); -ln(u) / weight is then
 * exponential with the weight as its rate, and the least of them is that of a share as often as its weight says. No share
 * depends on another one, so that a weight that changes moves only the units that its share gains or loses. Every router
 * comes to the same, and so does the next process. ADR 88 has why, and what must not change.
 *
 * @returns undefined when no share has a weight
 */
export function ownerOf<Share extends UnitShare>(
  shares: readonly Share[],
  seed: TextHash,
  unit: string,
): Share | undefined {
  const { length } = unit;
  let { a, b } = seed;
  for (let index = 0; index < length; index++) {
    const code = unit.charCodeAt(index);
    a = stepA(a, code);
    b = stepB(b, code);
  }
  a = mix(a ^ length);
  b = mix(b + a);
  let owner: Share | undefined;
  let least = Infinity;
  // No iterator: this runs for every request that has a unit key.
  for (let index = 0; index < shares.length; index++) {
    const share = shares[index]!;
    // 53 bits, and half of the last one, so that it is never 0.
    const bits = mix(b ^ share.hash.a) * 0x20_0000 + (mix(a ^ share.hash.b) >>> 11);
    const wait = -Math.log((bits + 0.5) * 2 ** -53) / share.weight;
    if (wait < least) {
      least = wait;
      owner = share;
    }
  }
  return owner;
}

// Each multiplies by an odd number, which loses nothing, and brings what went up down again.
function stepA(state: number, code: number): number {
  const next = Math.imul(state ^ code, 0x9e3779b1);
  return next ^ (next >>> 15);
}

function stepB(state: number, code: number): number {
  const next = Math.imul(state ^ code, 0x85ebca77);
  return next ^ (next >>> 13);
}
