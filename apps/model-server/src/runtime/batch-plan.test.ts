import { describe, expect, it } from 'vitest';
import {
  capacityFor,
  directoryBytes,
  hasFixedLayout,
  hasOpenOutputs,
  layoutOf,
  rowBytes,
  type BatchPlan,
} from './batch-plan.ts';

const plan: BatchPlan = {
  id: 1,
  batched: true,
  inputs: [
    { name: 'a', datatype: 'FP32', dims: [3] },
    { name: 'b', datatype: 'UINT8', dims: [] },
  ],
  outputs: [
    { name: 'y', datatype: 'FP64', dims: [2] },
    { name: 'open', datatype: 'FP32', dims: undefined },
    { name: 'label', datatype: 'BYTES', dims: [] },
  ],
};

describe('batch layout', () => {
  it('puts tensors one after the other on cache lines, with room for the capacity', () => {
    const layout = layoutOf(plan, 10, []);
    expect(directoryBytes(plan)).toBe(64);
    expect(layout.inputs).toEqual([64, 64 + 128]);
    // 10 rows of 12 bytes need 120, of 1 byte 10; what the run decides has no place.
    expect(layout.outputs).toEqual([64 + 128 + 64, -1, -1]);
    expect(layout.totalBytes).toBe(64 + 128 + 64 + 192);
  });

  it('gives strings the bytes that they have', () => {
    const strings: BatchPlan = { ...plan, inputs: [{ name: 's', datatype: 'BYTES', dims: [2] }, plan.inputs[0]!] };
    expect(layoutOf(strings, 4, [1000, 0]).inputs).toEqual([64, 64 + 1024]);
    expect(hasFixedLayout(strings)).toBe(false);
    expect(hasFixedLayout(plan)).toBe(true);
  });

  it('knows which outputs the run decides', () => {
    expect(hasOpenOutputs(plan)).toBe(true);
    expect(hasOpenOutputs({ ...plan, outputs: [plan.outputs[0]!] })).toBe(false);
  });

  it('counts rows of scalars and of zero-sized dimensions', () => {
    expect(rowBytes({ datatype: 'INT64', dims: [] })).toBe(8);
    expect(rowBytes({ datatype: 'INT64', dims: [4, 0, 2] })).toBe(0);
  });

  it('makes room for the largest batch where that is small, else for the next power of two', () => {
    expect(capacityFor(plan, 1, 32)).toBe(32);
    const large: BatchPlan = { ...plan, inputs: [{ name: 'a', datatype: 'FP32', dims: [2_000_000] }] };
    expect([1, 2, 3, 9, 31, 32, 40].map((rows) => capacityFor(large, rows, 32))).toEqual([1, 2, 4, 16, 32, 32, 40]);
    expect(capacityFor(large, 0, 32)).toBe(1);
  });
});
