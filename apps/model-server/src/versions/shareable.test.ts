import { describe, expect, it } from 'vitest';
import type { Signature } from '@sluice/domain/signature';
import { identityModel } from '@sluice/testkit/onnx-builder';
import { loopingModel } from '../../test/support/looping-model.ts';
import { hasOpenCost, Slowness } from './shareable.ts';

const of = (...shape: number[]): Signature => {
  const tensor = { name: 'x', datatype: 'FP32' as const, shape, dimNames: [], features: [] };
  return { inputs: [tensor], outputs: [{ ...tensor, name: 'y' }], batched: shape[0] === -1 };
};

describe('hasOpenCost', () => {
  it('is false for rows of fixed shape without control flow', () => {
    expect(hasOpenCost(of(-1, 3), identityModel('FP32', ['batch', 3]))).toBe(false);
    expect(hasOpenCost(of(4), identityModel('FP32', [4]))).toBe(false);
  });

  it('is true for rows of dynamic shape, whatever the graph', () => {
    expect(hasOpenCost(of(-1, -1), identityModel('FP32', ['batch', 'width']))).toBe(true);
  });

  it('is true for a graph with a loop', () => {
    expect(hasOpenCost(of(-1, 1), loopingModel(3))).toBe(true);
  });
});

describe('Slowness', () => {
  it('asks for a thread after three slow batches in a row, not after two and a quick one', () => {
    const slowness = new Slowness();
    expect([3_000, 3_000, 100, 2_001, 2_001, 2_001].map((us) => slowness.ran(us))).toEqual([
      false,
      false,
      false,
      false,
      false,
      true,
    ]);
  });

  it('asks at once after a batch that is far too slow, and never for one of 2 ms', () => {
    const slowness = new Slowness();
    for (let batch = 0; batch < 10; batch += 1) expect(slowness.ran(2_000)).toBe(false);
    expect(slowness.ran(20_001)).toBe(true);
  });
});
