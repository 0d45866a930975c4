import { describe, expect, it } from 'vitest';
import { canonicalCodes, codeLengths, eos } from './huffman-code.ts';
import { decodeHuffman, maxDecoded } from './huffman.ts';

const codes = canonicalCodes();

/** Bits of the code of each octet, and ones to the end of the last octet. */
function encode(octets: readonly number[], padding?: string): Uint8Array {
  let bits = octets.map((octet) => codes[octet]!.toString(2).padStart(codeLengths[octet]!, '0')).join('');
  bits += padding ?? '1'.repeat((8 - (bits.length % 8)) % 8);
  return Uint8Array.from(bits.match(/.{8}/g) ?? [], (octet) => parseInt(octet, 2));
}

function decode(coded: Uint8Array): number[] | undefined {
  const to = new Uint8Array(maxDecoded(coded.length));
  const length = decodeHuffman(coded, 0, coded.length, to);
  return length < 0 ? undefined : [...to.subarray(0, length)];
}

describe('the Huffman code', () => {
  it('is complete: every sequence of bits begins a code', () => {
    expect(codeLengths).toHaveLength(257);
    expect(codeLengths.reduce((sum, length) => sum + 2 ** -length, 0)).toBe(1);
  });

  it('has the codes of RFC 7541, appendix B', () => {
    // The first of each length, and EOS.
    const some = {
      0x30: 0x0,
      0x20: 0x14,
      0x3a: 0x5c,
      0x26: 0xf8,
      0x21: 0x3f8,
      0x27: 0x7fa,
      0x23: 0xffa,
      0x00: 0x1ff8,
      0x5e: 0x3ffc,
      0x3c: 0x7ffc,
      0x5c: 0x7fff0,
      0x80: 0xfffe6,
      0x99: 0x1fffdc,
      0x81: 0x3fffd2,
      0x01: 0x7fffd8,
      0x09: 0xffffea,
      0xc7: 0x1ffffec,
      0xc0: 0x3ffffe0,
      0xcb: 0x7ffffde,
      0x02: 0xfffffe2,
      0x0a: 0x3ffffffc,
    };
    for (const [octet, code] of Object.entries({ ...some, [eos]: 0x3fffffff }))
      expect([octet, codes[Number(octet)]]).toEqual([octet, code]);
  });

  it('decodes every octet, alone and in a row with every other', () => {
    for (let octet = 0; octet < 256; octet++) {
      expect(decode(encode([octet]))).toEqual([octet]);
      const row = [octet, 255 - octet, 0x61, octet];
      expect(decode(encode(row))).toEqual(row);
    }
  });

  it('decodes to no more octets than are said', () => {
    expect(decode(encode(new Array<number>(800).fill(0x30)))).toHaveLength(800);
    expect(maxDecoded(encode(new Array<number>(800).fill(0x30)).length)).toBe(800);
  });

  it('ends with less than an octet of ones', () => {
    // "0" has five bits, "&" eight.
    expect(decode(encode([0x30]))).toEqual([0x30]);
    for (const padding of ['110', '011', '000']) expect(decode(encode([0x30], padding))).toBeUndefined();
    expect(decode(encode([0x26], ''))).toEqual([0x26]);
    expect(decode(encode([0x26], '11111111'))).toBeUndefined();
    expect(decode(Uint8Array.of(0xff))).toBeUndefined();
  });

  it('has no EOS in it', () => {
    expect(decode(encode([0x30, eos, 0x30]))).toBeUndefined();
    expect(decode(Uint8Array.of(0xff, 0xff, 0xff, 0xff))).toBeUndefined();
  });
});
