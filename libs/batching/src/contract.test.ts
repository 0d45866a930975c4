import { SluiceError } from '@sluice/domain/errors';
import { FakeClock } from '@sluice/testkit/fake-clock';
import { describe, expect, test } from 'vitest';
import { TestRequest, type TestBatch } from '../test/rig.ts';
import type { Scheduler } from './contract.ts';
import { PuppetScheduler } from './puppet.ts';
import { BatchScheduler } from './scheduler.ts';

interface Subject {
  readonly scheduler: Scheduler<TestRequest>;
  /** Lets what waits form one batch, and returns it. */
  readonly form: () => TestBatch;
}

function real(): Subject {
  const clock = new FakeClock();
  const batches: TestBatch[] = [];
  const scheduler = BatchScheduler.create<TestRequest, string>(
    { name: 'digits version 3', maxBatchSize: 100, maxQueueDelayMicroseconds: 1000, instances: 10 },
    { clock, run: (batch) => batches.push(batch), onDefect: () => undefined },
  );
  const form = (): TestBatch => {
    clock.advance(1);
    return batches.at(-1)!;
  };
  return { scheduler, form };
}

function puppet(): Subject {
  const scheduler = new PuppetScheduler<TestRequest, string>(() => undefined);
  return { scheduler, form: () => scheduler.form() };
}

describe.each([
  ['BatchScheduler', real],
  ['PuppetScheduler', puppet],
])('%s', (_name, make) => {
  test('X1 contract: each request of a batch gets its rows, then its answer', () => {
    const { scheduler, form } = make();
    const requests = [new TestRequest('a', 2), new TestRequest('b', 0), new TestRequest('c', 3)];
    for (const request of requests) expect(scheduler.enqueue(request)).toBeUndefined();
    const batch = form();
    expect([batch.rows, batch.paddedRows]).toEqual([5, 5]);
    batch.complete('result', 5);
    expect(requests.map((request) => request.outcome)).toEqual(['ok', 'ok', 'ok']);
    expect(requests.map((request) => request.parts)).toMatchObject([
      [{ requestRow: 0, batchRow: 0, rows: 2 }],
      [{ requestRow: 0, batchRow: 2, rows: 0 }],
      [{ requestRow: 0, batchRow: 2, rows: 3 }],
    ]);
    expect(scheduler.stats()).toMatchObject({
      accepted: 3,
      succeeded: 3,
      batches: 1,
      batchedRows: 5,
      paddingRows: 0,
      runningBatches: 1,
    });
    batch.free();
    expect(scheduler.stats().runningBatches).toBe(0);
  });

  test('X1 contract: a wrong number of rows resolves nothing', () => {
    const { scheduler, form } = make();
    const request = new TestRequest('a', 2);
    scheduler.enqueue(request);
    form().complete('result', 1);
    expect([request.outcome, request.parts.length]).toEqual(['internal', 0]);
  });

  test('X1 contract: a failed batch fails its requests, one that cannot take its rows fails alone', () => {
    const { scheduler, form } = make();
    const failed = new TestRequest('a', 1);
    scheduler.enqueue(failed);
    form().fail(new SluiceError('unavailable', 'gone'));
    const [bad, good] = [new TestRequest('b', 1), new TestRequest('c', 1)];
    bad.onRows = () => {
      throw new SluiceError('resource-exhausted', 'too large');
    };
    scheduler.enqueue(bad);
    scheduler.enqueue(good);
    form().complete('result', 2);
    expect([failed, bad, good].map((request) => request.outcome)).toEqual(['unavailable', 'resource-exhausted', 'ok']);
  });

  test('X1 contract: cancelling answers once, waiting or running, and what it touches stays answered', () => {
    const { scheduler, form } = make();
    const [waiting, running, done] = [new TestRequest('a', 1), new TestRequest('b', 1), new TestRequest('c', 1)];
    for (const request of [waiting, running, done]) scheduler.enqueue(request);
    expect(scheduler.cancel(waiting)).toBe(true);
    const batch = form();
    expect(batch.parts.map((part) => part.request.label)).toEqual(['b', 'c']);
    expect(scheduler.cancel(running)).toBe(true);
    expect(batch.parts.map((part) => batch.wanted(part))).toEqual([false, true]);
    batch.complete('result', 2);
    expect([waiting, running, done].map((request) => scheduler.cancel(request))).toEqual([false, false, false]);
    expect([waiting, running, done].map((request) => request.outcome)).toEqual(['cancelled', 'cancelled', 'ok']);
  });

  test('X1 contract: a batch is answered once and freed once, and batches that run have instances of their own', () => {
    const { scheduler, form } = make();
    scheduler.enqueue(new TestRequest('a', 1));
    const first = form();
    scheduler.enqueue(new TestRequest('b', 1));
    const second = form();
    expect([first.instance, second.instance]).toEqual([0, 1]);
    first.free();
    scheduler.enqueue(new TestRequest('c', 1));
    expect(form().instance).toBe(0);
    first.complete('result', 1);
    expect(() => first.free()).toThrow(SluiceError);
    expect(() => first.complete('result', 1)).toThrow(SluiceError);
    expect(() => first.fail(new SluiceError('internal', 'no'))).toThrow(SluiceError);
  });

  test('X1 contract: a request object is used once, and none is taken after stop', () => {
    const { scheduler } = make();
    const request = new TestRequest('a', 1);
    scheduler.enqueue(request);
    expect(scheduler.enqueue(request)?.kind).toBe('internal');
    scheduler.stop();
    expect(scheduler.enqueue(new TestRequest('b', 1))?.kind).toBe('unavailable');
  });

  test('X1 contract: a drain ends when all is answered and freed, or at its time', async () => {
    const patient = make();
    patient.scheduler.enqueue(new TestRequest('a', 1));
    const batch = patient.form();
    const drained = patient.scheduler.drain(1000);
    batch.free();
    batch.complete('result', 1);
    expect(await drained).toEqual({ failed: 0, runningBatches: 0 });

    const hasty = make();
    const running = new TestRequest('a', 1);
    hasty.scheduler.enqueue(running);
    hasty.form();
    const waiting = new TestRequest('b', 1);
    hasty.scheduler.enqueue(waiting);
    expect(await hasty.scheduler.drain(0)).toEqual({ failed: 1, runningBatches: 1 });
    expect([running.outcome, waiting.outcome]).toEqual(['waiting', 'unavailable']);
  });
});

test('X2 the puppet forms a batch of the requests it is told to, and none by itself', () => {
  const batches: TestBatch[] = [];
  const scheduler = new PuppetScheduler<TestRequest, string>((batch) => batches.push(batch));
  const [a, b, c] = [new TestRequest('a', 1), new TestRequest('b', 1), new TestRequest('c', 1)];
  for (const request of [a, b, c]) scheduler.enqueue(request);
  expect(batches).toHaveLength(0);
  scheduler.form([c, a]);
  expect(batches[0]!.parts.map((part) => part.request.label)).toEqual(['c', 'a']);
  expect(scheduler.waiting).toEqual([b]);
  expect(() => scheduler.form([a])).toThrow('not waiting');
});

test('X2 the puppet forms a batch of the requests it is told to, padded as it is told', () => {
  const scheduler = new PuppetScheduler<TestRequest, string>(() => undefined);
  const [a, b] = [new TestRequest('a', 3), new TestRequest('b', 1)];
  for (const request of [a, b]) scheduler.enqueue(request);
  const padded = scheduler.form([a], 4);
  expect([padded.rows, padded.paddedRows]).toEqual([3, 4]);
  padded.complete('result', 3);
  expect(a.outcome).toBe('internal');
  const plain = scheduler.form([b]);
  expect(plain.paddedRows).toBe(1);
  plain.complete('result', 1);
  expect([b.outcome, scheduler.stats().paddingRows]).toEqual(['ok', 1]);
});

test('X3 the puppet refuses the next request and fails a waiting one as it is told', () => {
  const scheduler = new PuppetScheduler<TestRequest, string>(() => undefined);
  const full = new SluiceError('resource-exhausted', 'full', { retryAfterMs: 7 });
  scheduler.refuseNext(full);
  expect(scheduler.enqueue(new TestRequest('a', 1))).toBe(full);
  const late = new TestRequest('b', 1);
  expect(scheduler.enqueue(late)).toBeUndefined();
  scheduler.failWaiting(late, new SluiceError('deadline-exceeded', 'too late'));
  expect(late.outcome).toBe('deadline-exceeded');
});
