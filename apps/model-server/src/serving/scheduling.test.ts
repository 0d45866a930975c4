import { describe, expect, it } from 'vitest';
import { compileOptions } from '@sluice/batching/options';
import { servingDefaults } from '@sluice/domain/signature';
import type { Parameters } from '@sluice/inference/parameters';
import { paddedRows, schedulingOf, wishesOf } from './scheduling.ts';

describe('schedulingOf', () => {
  it('hands every knob on, under the names of the scheduler', () => {
    const policy = { defaultTimeoutMicroseconds: 10, allowTimeoutOverride: true, maxQueueSize: 3 };
    const serving = {
      ...{ ...servingDefaults, ...policy, timeoutAction: 'delay' as const, maxBatchSize: 8 },
      ...{
        preferredBatchSize: [4],
        allowedBatchSizes: [2, 4, 8],
        maxQueueDelayMicroseconds: 7,
        preserveOrdering: true,
      },
      ...{ priorityLevels: 3, defaultPriorityLevel: 2 },
      priorityQueuePolicies: [{ ...policy, level: 1, timeoutAction: 'reject' as const, maxQueueSize: 1 }],
    };
    const scheduling = schedulingOf({ batched: true }, serving);
    expect(scheduling).toEqual({
      ...{ ...policy, timeoutAction: 'DELAY', maxBatchSize: 8 },
      ...{
        preferredBatchSize: [4],
        allowedBatchSizes: [2, 4, 8],
        maxQueueDelayMicroseconds: 7,
        preserveOrdering: true,
      },
      ...{ priorityLevels: 3, defaultPriorityLevel: 2 },
      priorityQueuePolicy: { 1: { ...policy, timeoutAction: 'REJECT', maxQueueSize: 1 } },
    });
    expect(compileOptions({ name: 'm version 1', ...scheduling }).policies).toHaveLength(3);
  });

  it('has no sizes of batches where nothing is batched', () => {
    const serving = { ...servingDefaults, maxBatchSize: 8, preferredBatchSize: [4], allowedBatchSizes: [8] };
    const off = { maxBatchSize: 0, preferredBatchSize: [], allowedBatchSizes: [] };
    expect(schedulingOf({ batched: false }, serving)).toMatchObject(off);
    expect(schedulingOf({ batched: true }, { ...serving, maxBatchSize: 0 })).toMatchObject(off);
  });
});

describe('wishesOf', () => {
  const parameters: Parameters = new Map([
    ['priority', { kind: 'uint64', value: 3n }],
    ['timeout', { kind: 'int64', value: 2_000n }],
  ]);

  it('reads priority and time-out', () => {
    expect(wishesOf(parameters, 3)).toEqual({ priority: 3, timeoutMicroseconds: 2_000 });
    expect(wishesOf(new Map(), 3)).toEqual({ priority: 0, timeoutMicroseconds: 0 });
  });

  it('knows no priority where there are no levels', () => {
    expect(wishesOf(parameters, 0)).toEqual({ priority: 0, timeoutMicroseconds: 2_000 });
  });

  it('takes the largest numbers for long', () => {
    const huge: Parameters = new Map([['timeout', { kind: 'uint64', value: 2n ** 64n - 1n }]]);
    expect(wishesOf(huge, 0).timeoutMicroseconds).toBe(Number.MAX_SAFE_INTEGER);
  });
});

describe('paddedRows', () => {
  it('is the smallest size that is allowed and large enough', () => {
    expect([0, 1, 2, 3, 8].map((rows) => paddedRows([2, 4, 8], rows))).toEqual([0, 2, 2, 4, 8]);
    expect(paddedRows([], 3)).toBe(3);
  });
});
