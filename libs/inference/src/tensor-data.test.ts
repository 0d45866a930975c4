import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { messageOf, propertyRuns } from '../test/fixtures.ts';
import { bfloatToNumber, halfToNumber, numberToBfloat, numberToHalf } from './half.ts';
import { decodeTensor, encodeTensor, rawView } from './tensor-data.ts';

describe('encodeTensor and decodeTensor', () => {
  it('D1 round-trip every datatype', () => {
    const cases = [
      ['BOOL', [0, 1]],
      ['UINT8', [0, 255]],
      ['INT8', [-128, 127]],
      ['UINT16', [0, 65535]],
      ['INT16', [-32768, 32767]],
      ['UINT32', [0, 4294967295]],
      ['INT32', [-2147483648, 2147483647]],
      ['UINT64', [0n, 2n ** 64n - 1n]],
      ['INT64', [-(2n ** 63n), 2n ** 63n - 1n]],
      ['FP16', [1.5, -65504]],
      ['BF16', [1.5, -2]],
      ['FP32', [1.5, -Infinity]],
      ['FP64', [0.1, NaN]],
      ['BYTES', ['', 'é']],
    ] as const;
    for (const [datatype, values] of cases) {
      expect([...decodeTensor(datatype, encodeTensor(datatype, values))], datatype).toEqual([...values]);
    }
    expect([...encodeTensor('BOOL', [true, false])]).toEqual([1, 0]);
    expect([...encodeTensor('INT64', [1])]).toEqual([1, 0, 0, 0, 0, 0, 0, 0]);
  });

  it('D2 decodes bytes that are not aligned', () => {
    const bytes = new Uint8Array(9);
    bytes.set(rawView(Float32Array.of(1, 2)), 1);
    expect([...decodeTensor('FP32', bytes.subarray(1))]).toEqual([1, 2]);
  });

  it('D3 refuses what does not fit, naming the element', () => {
    expect(messageOf(() => encodeTensor('UINT8', [1, 256]))).toBe(
      'invalid-argument: element 1: expected 0 to 255 for UINT8, got number 256',
    );
    expect(messageOf(() => encodeTensor('INT32', [1.5]))).toContain('expected an integer for INT32');
    expect(messageOf(() => encodeTensor('INT64', [NaN]))).toContain('expected an integer for INT64');
    expect(messageOf(() => encodeTensor('FP32', ['1']))).toContain('expected a number for FP32, got string 1');
    expect(messageOf(() => encodeTensor('BOOL', [2]))).toContain('expected true, false, 0 or 1');
    expect(messageOf(() => encodeTensor('BYTES', [1]))).toContain('expected a string for BYTES');
    expect(messageOf(() => decodeTensor('FP32', new Uint8Array(3)))).toContain('3 bytes are not a multiple of 4');
    expect(messageOf(() => decodeTensor('BYTES', Uint8Array.of(9, 0, 0, 0)))).toContain('element 0 is cut off');
  });
});

describe('half precision', { timeout: 20_000 + 10 * propertyRuns }, () => {
  it('D4 reads and writes all 65536 numbers, as the platform has them', () => {
    const bits = new Uint16Array(1);
    const platform = new Float16Array(bits.buffer);
    for (let value = 0; value < 65536; value++) {
      bits[0] = value;
      expect(Object.is(halfToNumber(value), platform[0])).toBe(true);
      const back = numberToHalf(halfToNumber(value));
      if (Number.isNaN(platform[0]!)) expect(Number.isNaN(halfToNumber(back))).toBe(true);
      else expect(back).toBe(value);
    }
  });

  it('D5 rounds as the platform does', () => {
    const platform = new Float16Array(1);
    const bits = new Uint16Array(platform.buffer);
    const close = fc.oneof(
      fc.double({ noNaN: true }),
      fc.float({ noNaN: true }),
      fc.double({ min: -70000, max: 70000, noNaN: true }),
    );
    fc.assert(
      fc.property(close, (value) => {
        platform[0] = value;
        expect(numberToHalf(value)).toBe(bits[0]);
      }),
      { numRuns: propertyRuns },
    );
  });

  it('D6 rounds bfloat16 to the nearest, ties to even', () => {
    for (const [value, expected] of [
      [1, 1],
      [1 + 2 ** -8, 1],
      [1 + 3 * 2 ** -8, 1 + 2 ** -6],
      [1 + 2 ** -8 + 2 ** -20, 1 + 2 ** -7],
      [-Infinity, -Infinity],
      [3.4e38, Infinity],
    ] as const) {
      expect(bfloatToNumber(numberToBfloat(value))).toBe(expected);
    }
    expect(bfloatToNumber(numberToBfloat(NaN))).toBeNaN();
  });
});
