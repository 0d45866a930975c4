import { describe, expect, test } from 'vitest';
import { Rig } from '../test/rig.ts';

describe('allowedBatchSizes', () => {
  test('N1 a batch is padded to the smallest allowed size that holds its rows: one row more takes the next', () => {
    const rig = new Rig({ maxBatchSize: 8, allowedBatchSizes: [2, 4, 8] });
    for (const [i, rows] of [1, 2, 3, 4, 5, 8].entries()) {
      rig.add(rows);
      rig.finish(i);
    }
    expect(rig.batches.map((batch) => [batch.rows, batch.paddedRows])).toEqual([
      [1, 2],
      [2, 2],
      [3, 4],
      [4, 4],
      [5, 8],
      [8, 8],
    ]);
    expect(rig.scheduler.stats()).toMatchObject({ batchedRows: 23, paddingRows: 5 });
  });

  test('N2 without the option, and without rows, nothing is padded', () => {
    const plain = new Rig({ maxBatchSize: 8 });
    plain.add(3);
    expect(plain.batches[0]!.paddedRows).toBe(3);
    const rig = new Rig({ maxBatchSize: 8, allowedBatchSizes: [4, 8] });
    const empty = rig.add(0);
    expect(rig.batches[0]!.paddedRows).toBe(0);
    rig.finish(0);
    expect(empty.outcome).toBe('ok');
    const alone = new Rig({ maxBatchSize: 0 });
    alone.add(7);
    expect(alone.batches[0]!.paddedRows).toBe(7);
  });

  test('N3 the result must have the rows of the padded batch; each request gets its own', () => {
    const rig = new Rig({ maxBatchSize: 8, allowedBatchSizes: [4, 8] });
    const short = rig.add(3);
    rig.batches[0]!.complete('result', 3);
    expect([short.parts.length, short.answers]).toMatchObject([
      0,
      [
        {
          kind: 'internal',
          message: expect.stringContaining('the model answered 3 rows to a batch of 3, padded to 4') as string,
        },
      ],
    ]);
    rig.batches[0]!.free();
    const good = rig.add(3);
    rig.batches[1]!.complete('result', 4);
    expect([good.outcome, good.parts]).toMatchObject(['ok', [{ requestRow: 0, batchRow: 0, rows: 3 }]]);
  });

  test('N4 what rides together is the same as without it: a batch is not cut to save padding', () => {
    const shapes = [{}, { allowedBatchSizes: [4, 8] }].map((options) => {
      const rig = new Rig({ maxBatchSize: 8, preferredBatchSize: [4], ...options });
      rig.add(8);
      rig.add(3);
      rig.add(2);
      for (let i = 0; i < 6; i++) rig.add(1, { bucket: 'x' });
      for (let i = 0; i < 4; i++) rig.finish(i);
      return rig.shapes();
    });
    expect(shapes[0]).toEqual(['a:8', 'b:3 c:2', 'd:1 e:1 f:1 g:1', 'h:1 i:1']);
    expect(shapes[1]).toEqual(shapes[0]);
  });

  test('N5 parts of a split request are padded like any batch', () => {
    const rig = new Rig({ maxBatchSize: 4, allowedBatchSizes: [2, 4] });
    const split = rig.add(9);
    for (let i = 0; i < 3; i++) rig.finish(i);
    expect(rig.batches.map((batch) => [batch.rows, batch.paddedRows])).toEqual([
      [4, 4],
      [4, 4],
      [1, 2],
    ]);
    expect(split.outcome).toBe('ok');
  });
});
