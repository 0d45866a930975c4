import { SluiceError } from '@sluice/domain/errors';
import { describe, expect, test } from 'vitest';
import { Rig, TestRequest, type TestBatch } from '../test/rig.ts';

const broken = new SluiceError('unavailable', 'the worker is gone');

describe('instances', () => {
  test('I1 never more batches than instances, each on an instance of its own', () => {
    const rig = new Rig({ maxBatchSize: 1, instances: 3 });
    for (let i = 0; i < 5; i++) rig.add(1);
    expect(rig.batches.map((batch) => batch.instance)).toEqual([0, 1, 2]);
    expect(rig.scheduler.stats().freeInstances).toBe(0);
    rig.finish(1);
    expect(rig.batches[3]!.instance).toBe(1);
  });

  test('I2 freed first: the next batch starts before the answers of this one are out', () => {
    const rig = new Rig({ maxBatchSize: 1 });
    const first = rig.add(1);
    rig.add(1);
    rig.batches[0]!.free();
    expect(rig.shapes()).toEqual(['a:1', 'b:1']);
    expect(first.outcome).toBe('waiting');
    rig.batches[0]!.complete('result', 1);
    expect(first.outcome).toBe('ok');
  });

  test('I3 answered first: the instance takes nothing until it is freed', () => {
    const rig = new Rig({ maxBatchSize: 1 });
    rig.add(1);
    rig.add(1);
    rig.batches[0]!.fail(broken);
    expect(rig.batches).toHaveLength(1);
    rig.batches[0]!.free();
    expect(rig.batches).toHaveLength(2);
  });

  test('I4 a runner that throws fails its batch, and its instance goes on', () => {
    const batches: TestBatch[] = [];
    const rig = new Rig(
      { maxBatchSize: 1 },
      {
        run: (batch) => {
          batches.push(batch);
          if (batches.length === 1) throw broken;
        },
      },
    );
    const first = rig.add(1);
    const second = rig.add(1);
    expect([first.outcome, second.outcome]).toEqual(['unavailable', 'waiting']);
    expect(batches).toHaveLength(2);
  });

  test('I4 a runner that throws after it has ended its batch is a defect, and harms nobody', () => {
    const rig = new Rig(
      { maxBatchSize: 1 },
      {
        run: (batch) => {
          batch.free();
          batch.complete('result', 1);
          throw broken;
        },
      },
    );
    expect(rig.add(1).outcome).toBe('ok');
    expect(rig.defects).toEqual([broken]);
    expect(rig.scheduler.stats().freeInstances).toBe(1);
  });

  test('I5 a batch is freed once and answered once; more is a defect that changes nothing', () => {
    const rig = new Rig({ maxBatchSize: 1 });
    const request = rig.add(1);
    const batch = rig.batches[0]!;
    rig.finish(0);
    expect(() => batch.free()).toThrow('batch 1: free() was called when it was freed already');
    expect(() => batch.complete('again', 1)).toThrow('batch 1: complete() was called when it was answered already');
    expect(() => batch.fail(broken)).toThrow('batch 1: fail() was called when it was answered already');
    expect(request.outcome).toBe('ok');
    expect(rig.scheduler.stats()).toMatchObject({ freeInstances: 1, runningBatches: 0 });
  });

  test('I6 a runner may end a batch inside its own call, however many follow', () => {
    const rig = new Rig(
      { maxBatchSize: 1 },
      {
        run: (batch) => {
          batch.complete('result', batch.rows);
          batch.free();
        },
      },
    );
    let left = 20_000;
    const chain = (): void => {
      if (left-- === 0) return;
      const request = new TestRequest('chained', 1);
      request.onAnswer = chain;
      expect(rig.scheduler.enqueue(request)).toBeUndefined();
    };
    chain();
    expect(rig.scheduler.stats()).toMatchObject({ accepted: 20_000, succeeded: 20_000, freeInstances: 1 });
  });
});

describe('results', () => {
  test('R1 a result with one row too few or too many resolves nothing: all fail', () => {
    for (const rows of [2, 4]) {
      const rig = new Rig({ maxBatchSize: 4 });
      rig.add(4, { bucket: 'busy' });
      const requests = [rig.add(1), rig.add(2)];
      rig.finish(0);
      rig.batches[1]!.complete('result', rows);
      expect(requests.map((request) => request.outcome)).toEqual(['internal', 'internal']);
      expect(requests.map((request) => request.parts.length)).toEqual([0, 0]);
    }
  });

  test('R2 a request that cannot take its rows fails alone', () => {
    const rig = new Rig({ maxBatchSize: 4 });
    rig.add(4, { bucket: 'busy' });
    const bad = rig.add(1);
    const good = rig.add(1);
    bad.onRows = () => {
      throw new SluiceError('resource-exhausted', 'the answer is too large');
    };
    rig.finish(0);
    rig.finish(1);
    expect([bad.outcome, good.outcome]).toEqual(['resource-exhausted', 'ok']);
  });

  test('R3 a throw while an answer is told reaches onDefect and nobody else', () => {
    const rig = new Rig({ maxBatchSize: 4 });
    rig.add(4, { bucket: 'busy' });
    const bad = rig.add(1);
    const good = rig.add(1);
    const thrown = new Error('socket gone');
    bad.onAnswer = () => {
      throw thrown;
    };
    rig.finish(0);
    rig.finish(1);
    const cancelled = rig.add(1);
    cancelled.onAnswer = bad.onAnswer;
    rig.scheduler.cancel(cancelled);
    expect([bad.outcome, good.outcome, cancelled.outcome]).toEqual(['ok', 'ok', 'cancelled']);
    expect(rig.defects).toEqual([thrown, thrown]);
  });

  test('R4 what an answered caller asks for happens after the last answer of its batch', () => {
    const rig = new Rig({ maxBatchSize: 4 });
    rig.add(4, { bucket: 'busy' });
    const requests = [rig.add(1), rig.add(1)];
    const seen: string[] = [];
    for (const request of requests) {
      request.onAnswer = () => {
        seen.push(`${request.label}, batches ${rig.batches.length}`);
        rig.add(1);
      };
    }
    rig.finish(0);
    rig.finish(1);
    expect(seen).toEqual(['b, batches 2', 'c, batches 2']);
    expect(rig.shape(2)).toBe('d:1 e:1');
  });

  test('R5 a failed run fails every request of the batch with its error', () => {
    const rig = new Rig({ maxBatchSize: 4 });
    rig.add(4, { bucket: 'busy' });
    const requests = [rig.add(1), rig.add(1)];
    rig.finish(0);
    rig.batches[1]!.fail(broken);
    expect(requests.map((request) => request.answers)).toEqual([[broken], [broken]]);
  });
});
