import { describe, expect, it } from 'vitest';
import { phasesBetween, readCounts, type ServerCounts } from './phases.ts';

const counts = (count: number, ms: number): ServerCounts => {
  const duration = (factor: number) => ({ count, ns: count * ms * factor * 1e6 });
  return {
    success: duration(10),
    queue: duration(1),
    computeInput: duration(2),
    computeInfer: duration(3),
    computeOutput: duration(4),
  };
};

describe("the server's phases", () => {
  it('are means between two counts', () => {
    expect(phasesBetween(counts(10, 1), counts(30, 1))).toEqual({
      requests: 20,
      queue: 1,
      computeInput: 2,
      computeInfer: 3,
      computeOutput: 4,
    });
  });

  it('are none when nothing was counted, or the counts went back', () => {
    expect(phasesBetween(counts(10, 1), counts(10, 1))).toBeUndefined();
    expect(phasesBetween(counts(10, 1), counts(5, 1))).toBeUndefined();
    expect(phasesBetween({ ...counts(10, 1), queue: { count: 50, ns: 9 } }, counts(30, 1))).toBeUndefined();
  });

  it('of a phase that nothing went through are 0', () => {
    const none = { count: 0, ns: 0 };
    expect(phasesBetween({ ...counts(1, 1), queue: none }, { ...counts(2, 1), queue: none })?.queue).toBe(0);
  });

  it('are those of all versions that the server names', async () => {
    const duration = { count: '2', ns: '500' };
    const stats = {
      success: duration,
      queue: duration,
      computeInput: null,
      computeInfer: duration,
      computeOutput: null,
    };
    const asked: unknown[] = [];
    const rpc = {
      modelStatistics: (request: unknown) => {
        asked.push(request);
        return Promise.resolve({
          modelStats: [{ inferenceStats: stats }, { inferenceStats: stats }, { inferenceStats: null }],
        });
      },
    };
    const read = await readCounts(rpc as never, 'm', '3', new AbortController().signal);
    expect(asked).toEqual([{ name: 'm', version: '3' }]);
    expect(read).toMatchObject({ success: { count: 4, ns: 1000 }, computeInput: { count: 0, ns: 0 } });
  });
});
