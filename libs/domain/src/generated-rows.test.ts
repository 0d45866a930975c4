import { describe, expect, it } from 'vitest';
import { generatePart, generateRow, seeded, seedOf } from './generated-rows.ts';
import type { TensorSpec } from './signature.ts';

const spec = (datatype: TensorSpec['datatype'], more: Partial<TensorSpec> = {}): TensorSpec => ({
  ...{ name: 'x', datatype, shape: [-1, 3], dimNames: ['', ''], features: [] },
  ...more,
});
const draw = (input: TensorSpec, shape: readonly number[] = [100], seed = 1) =>
  generateRow(input, shape, 'random', seeded(seed)) as number[];

describe('generated rows', () => {
  it('are the same for the same seed, which is made of a digest', () => {
    expect(draw(spec('FP32'))).toEqual(draw(spec('FP32')));
    expect(draw(spec('FP32'))).not.toEqual(draw(spec('FP32'), [100], 2));
    expect([seedOf('0000000a'.padEnd(64, 'f')), seedOf('f'.repeat(64))]).toEqual([10, 0xffffffff]);
  });

  it('stay in the range of the tensor, or of the column where it has one', () => {
    const features = [
      { name: 'a', min: 5, max: 6, nullable: false },
      { name: 'b', nullable: false },
    ];
    const [a, b] = draw(spec('FP32', { min: -2, max: -1, features }), [2]);
    expect(a! >= 5 && a! <= 6 && b! >= -2 && b! <= -1).toBe(true);
    expect(new Set(draw(spec('INT64', { min: 7, max: 9 })))).toEqual(new Set([7, 8, 9]));
    expect(new Set(draw(spec('UINT8', { min: 254, max: 400 })))).toEqual(new Set([254, 255]));
  });

  it('are small numbers without a range', () => {
    expect(new Set(draw(spec('INT64')))).toEqual(new Set([0, 1]));
    expect(new Set(draw(spec('BOOL')))).toEqual(new Set([0, 1]));
    expect(draw(spec('FP64')).every((value) => Math.abs(value) < 10)).toBe(true);
    expect(generateRow(spec('BYTES'), [50], 'random', seeded(1))).toEqual(
      expect.arrayContaining([expect.stringMatching(/^[0-9]$/)]),
    );
  });

  it('are the same in parts, also in the columns', () => {
    const features = [1, 2, 3].map((min) => ({ name: `${min}`, min, max: min + 0.5, nullable: false }));
    for (const input of [spec('FP32', { features }), spec('INT64', { features }), spec('BYTES')]) {
      const uniform = seeded(3);
      const parts = [0, 2, 7].map((from, at) =>
        generatePart(input, [4, 3], 'random', uniform, { from, to: [2, 7, 12][at]! }),
      );
      expect(parts.flat()).toEqual(draw(input, [4, 3], 3));
    }
  });

  it('are zeros and empty text, as many as the shape has', () => {
    expect(generateRow(spec('FP32', { min: 3, max: 4 }), [2, 3], 'zeros', seeded(1))).toEqual([0, 0, 0, 0, 0, 0]);
    expect(generateRow(spec('BYTES'), [2], 'zeros', seeded(1))).toEqual(['', '']);
    expect(generateRow(spec('FP32'), [], 'zeros', seeded(1))).toEqual([0]);
  });
});
