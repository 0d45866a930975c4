import { describe, expect, it } from 'vitest';
import type { Datatype } from '@sluice/domain/datatype';
import { type ServingConfig, servingDefaults, type Signature } from '@sluice/domain/signature';
import { boundedServing } from './batch-bound.ts';

const tensor = (shape: readonly number[], datatype: Datatype = 'FP32') => ({
  name: 't',
  datatype,
  shape,
  dimNames: [],
  features: [],
});
const signature = (input: readonly number[], output: readonly number[], batched = true): Signature => ({
  inputs: [tensor(input)],
  outputs: [tensor(output)],
  batched,
});
const serving: ServingConfig = { ...servingDefaults, maxBatchSize: 64, preferredBatchSize: [2, 16, 64] };
const MiB = 1 << 20;

describe('boundedServing', () => {
  it('leaves batches alone that fit into 256 MiB, to the byte', () => {
    // 64 rows of 4 MiB: 1 MiB elements in all tensors of a row.
    const fits = signature([-1, MiB - 10], [-1, 10]);
    expect(boundedServing(fits, serving)).toBe(serving);
    const over = signature([-1, MiB - 10], [-1, 11]);
    expect(boundedServing(over, serving)).toMatchObject({ maxBatchSize: 63, preferredBatchSize: [2, 16] });
  });

  it('allows one row always, and counts dynamic dimensions as 1', () => {
    expect(boundedServing(signature([-1, 1024 * MiB], [-1]), serving)).toMatchObject({
      maxBatchSize: 1,
      preferredBatchSize: [],
    });
    expect(boundedServing(signature([-1, -1], [-1, -1]), serving)).toBe(serving);
  });

  it('makes the largest allowed size that fits the maximum, or the bound where none does', () => {
    const over = signature([-1, MiB - 10], [-1, 11]);
    const bounded = (allowedBatchSizes: number[]) =>
      boundedServing(over, { ...serving, preferredBatchSize: [2, 16, 40], allowedBatchSizes });
    expect(bounded([8, 32, 64])).toMatchObject({
      maxBatchSize: 32,
      allowedBatchSizes: [8, 32],
      preferredBatchSize: [2, 16],
    });
    expect(bounded([64])).toMatchObject({ maxBatchSize: 63, allowedBatchSizes: [63] });
    expect(bounded([])).toMatchObject({ maxBatchSize: 63, allowedBatchSizes: [] });
  });

  it('has nothing to bound without batching', () => {
    const off = { ...serving, maxBatchSize: 0 };
    expect(boundedServing(signature([-1, 1024 * MiB], [-1]), off)).toBe(off);
    expect(boundedServing(signature([1024 * MiB], [1], false), serving)).toBe(serving);
  });
});
