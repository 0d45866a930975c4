import { canonicalCodes, codeLengths, eos } from './huffman-code.ts';

// A machine that reads four bits at a time. As no code is shorter than five bits, a step ends at most one symbol.
// An entry of the table: the next state in bits 0 to 8, flags, and the symbol from bit 16 on.
const stateMask = 0x1ff;
/** The step has ended a symbol. */
const emits = 1 << 9;
/** The step has met EOS, which is not a symbol of any text. */
const fails = 1 << 10;

interface Machine {
  /** 16 entries for each state. */
  readonly steps: Uint32Array;
  /** 1 for each state in which a text may end: what is left over is at most seven bits, all of them ones. */
  readonly mayEnd: Uint8Array;
}

const machine = build();

/**
 * Decodes a Huffman-coded string (RFC 7541, section 5.2).
 * @param to has room for what `maxDecoded` says
 * @returns how many octets were written, or -1: EOS in the text, padding of more than seven bits, or padding that is not the beginning of EOS
 */
export function decodeHuffman(from: Uint8Array, start: number, end: number, to: Uint8Array): number {
  const { steps, mayEnd } = machine;
  let state = 0;
  let length = 0;
  for (let at = start; at < end; at++) {
    const octet = from[at]!;
    let step = steps[(state << 4) | (octet >> 4)]!;
    if (step & emits) to[length++] = step >> 16;
    let failed = step & fails;
    step = steps[((step & stateMask) << 4) | (octet & 0xf)]!;
    if (step & emits) to[length++] = step >> 16;
    failed |= step & fails;
    if (failed) return -1;
    state = step & stateMask;
  }
  return mayEnd[state] === 1 ? length : -1;
}

/** Octets that a coded string can have at most when it is decoded: no code is shorter than five bits. */
export const maxDecoded = (codedLength: number): number => Math.floor((codedLength * 8) / 5);

/** Every state is a place inside the tree of codes. */
function build(): Machine {
  const codes = canonicalCodes();
  // Children of inner nodes: another inner node, or ~symbol.
  const children: [number | undefined, number | undefined][] = [[undefined, undefined]];
  const mayEnd = [1];
  for (const [symbol, length] of codeLengths.entries()) {
    let node = 0;
    for (let bit = length - 1; bit >= 0; bit--) {
      const side = (codes[symbol]! >>> bit) & 1;
      if (bit === 0) {
        children[node]![side] = ~symbol;
      } else if (children[node]![side] === undefined) {
        children[node]![side] = children.push([undefined, undefined]) - 1;
        // EOS is all ones: a path of ones of up to seven bits is padding.
        mayEnd.push(side === 1 && mayEnd[node] === 1 && length - bit <= 7 ? 1 : 0);
      }
      node = children[node]![side]!;
    }
  }
  const steps = new Uint32Array(children.length * 16);
  for (let state = 0; state < children.length; state++)
    for (let bits = 0; bits < 16; bits++) steps[state * 16 + bits] = stepFrom(children, state, bits);
  return { steps, mayEnd: Uint8Array.from(mayEnd) };
}

function stepFrom(children: readonly (readonly (number | undefined)[])[], state: number, bits: number): number {
  let node = state;
  let result = 0;
  for (let bit = 3; bit >= 0; bit--) {
    const next = children[node]![(bits >> bit) & 1]!;
    if (next >= 0) {
      node = next;
      continue;
    }
    if (~next === eos) return fails;
    result = emits | (~next << 16);
    node = 0;
  }
  return result | node;
}
