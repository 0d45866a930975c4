import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { propertyRuns } from '../test/property-runs.ts';
import { Rig, TestRequest, type TestBatch } from '../test/rig.ts';
import type { PlacedBatch } from './contract.ts';

type Step =
  | { readonly do: 'arrive'; readonly rows: number; readonly bucket: number; readonly withinMs: number | undefined }
  | { readonly do: 'cancel' | 'begin' | 'finish'; readonly which: number }
  | { readonly do: 'wait'; readonly ms: number };

const which = fc.nat({ max: 100 });
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('arrive' as const),
      rows: fc.oneof({ weight: 5, arbitrary: fc.nat({ max: 3 }) }, { weight: 1, arbitrary: fc.nat({ max: 12 }) }),
      bucket: fc.nat({ max: 1 }),
      withinMs: fc.option(fc.constantFrom(1, 3, 8), { nil: undefined }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('cancel' as const), which }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constantFrom('begin' as const, 'finish' as const), which }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.constantFrom(1, 2, 5) }) },
);

/** Instances whose batches begin one after the other, each at a moment of its own choice. */
class Machine {
  readonly rig: Rig;
  readonly requests: TestRequest[] = [];
  readonly #queues: TestBatch[][];
  /** What each batch had when it began. */
  readonly begun = new Map<TestBatch, readonly TestRequest[]>();
  readonly withdrawn = new Set<TestBatch>();
  readonly room: number;

  constructor(options: { maxBatchSize: number; instances: number; ahead: number; sizes: number[]; room: number }) {
    const { sizes, room, ...own } = options;
    this.room = room;
    this.#queues = Array.from({ length: options.instances }, () => []);
    this.rig = new Rig(
      { ...own, allowedBatchSizes: sizes },
      {
        run: (batch) => {
          this.rig.batches.push(batch);
          const queue = this.#queues[batch.instance]!;
          queue.push(batch);
          expect(queue.length).toBeLessThanOrEqual(1 + own.ahead);
          batch.place(this.#placed(batch));
        },
      },
    );
  }

  #placed(batch: TestBatch): PlacedBatch<TestRequest> {
    const isOpen = (): boolean => !this.begun.has(batch) && !this.withdrawn.has(batch);
    return {
      get open() {
        return isOpen();
      },
      join: (_parts, rows) => isOpen() && rows <= this.room,
      leave: (stay) => {
        if (!isOpen()) return false;
        if (stay.length === 0) this.withdrawn.add(batch);
        return true;
      },
    };
  }

  /** A batch that has not begun stands behind another although an instance has nothing to do. */
  get waitsWhileIdle(): boolean {
    const idle = this.#queues.some((queue) => queue.length === 0);
    return idle && this.#queues.some((queue) => queue.slice(1).some((batch) => !this.withdrawn.has(batch)));
  }

  get now(): number {
    return this.rig.clock.monotonic();
  }

  perform(step: Step): void {
    const queue = 'which' in step ? this.#queues[step.which % this.#queues.length]! : [];
    switch (step.do) {
      case 'arrive': {
        const deadlineMs = step.withinMs === undefined ? Infinity : this.now + step.withinMs;
        const label = String(this.requests.length);
        const request = new TestRequest(label, step.rows, { bucket: step.bucket, deadlineMs });
        this.requests.push(request);
        expect(this.rig.scheduler.enqueue(request)).toBeUndefined();
        return;
      }
      case 'cancel': {
        const request = this.requests[step.which % Math.max(1, this.requests.length)];
        if (request) this.rig.scheduler.cancel(request);
        return;
      }
      case 'begin':
        this.#begin(queue);
        return;
      case 'finish':
        if (this.#begin(queue)) this.#finish(queue);
        return;
      case 'wait':
        this.rig.clock.advance(step.ms);
    }
  }

  /** True when the first batch of the queue has begun. */
  #begin(queue: TestBatch[]): boolean {
    while (queue[0] && this.withdrawn.has(queue[0])) queue.shift()!.free();
    const batch = queue[0];
    if (!batch) return false;
    if (!this.begun.has(batch)) {
      for (const part of batch.parts) expect(part.request.outcome).toBe('waiting');
      this.begun.set(
        batch,
        batch.parts.map((part) => part.request),
      );
    }
    return true;
  }

  #finish(queue: TestBatch[]): void {
    const batch = queue.shift()!;
    batch.free();
    batch.complete('result', batch.paddedRows);
  }

  end(): void {
    for (let i = 0; i < 400; i++) this.perform({ do: 'finish', which: i });
  }
}

test('P10 with batches in place: nobody who has ended reaches a run, nobody is lost, late or answered twice', () => {
  const options = fc
    .record({
      maxBatchSize: fc.integer({ min: 1, max: 6 }),
      instances: fc.integer({ min: 1, max: 2 }),
      ahead: fc.integer({ min: 1, max: 2 }),
      padded: fc.boolean(),
      room: fc.constantFrom(100, 2),
    })
    .map(({ padded, ...rest }) => ({
      ...rest,
      sizes: padded ? [...new Set([Math.ceil(rest.maxBatchSize / 2), rest.maxBatchSize])] : [],
    }));
  fc.assert(
    fc.property(options, fc.array(step, { maxLength: 60, size: 'max' }), (chosen, steps) => {
      const machine = new Machine(chosen);
      for (const each of steps) {
        machine.perform(each);
        for (const batch of machine.rig.batches) checkBatch(batch, chosen);
        expect(machine.waitsWhileIdle).toBe(false);
        const { now } = machine;
        const beginning = new Set([...machine.begun.values()].flat());
        for (const request of machine.requests) {
          if (request.deadlineMs > now || beginning.has(request)) continue;
          expect(request.outcome).not.toBe('waiting');
        }
      }
      machine.end();
      for (const request of machine.requests) {
        expect(request.answers).toHaveLength(1);
        if (request.outcome === 'ok')
          expect(request.parts.reduce((rows, part) => rows + part.rows, 0)).toBe(request.rows);
      }
      const { runningBatches, runningRows, queuedRequests, freeInstances } = machine.rig.scheduler.stats();
      expect([runningBatches, runningRows, queuedRequests, freeInstances]).toEqual([0, 0, 0, chosen.instances]);
      void machine.rig.scheduler.drain(0);
      expect(machine.rig.clock.pendingTimers).toBe(0);
      if (chosen.instances === 1) checkOrder(machine);
    }),
    propertyRuns,
  );
});

function checkBatch(batch: TestBatch, { maxBatchSize, sizes }: { maxBatchSize: number; sizes: number[] }): void {
  let row = 0;
  for (const part of batch.parts) {
    expect([part.batchRow, part.request.bucket]).toEqual([row, batch.bucket]);
    row += part.rows;
  }
  expect(batch.rows).toBe(row);
  expect(batch.rows).toBeLessThanOrEqual(maxBatchSize);
  expect(batch.paddedRows).toBe(row === 0 || sizes.length === 0 ? row : sizes.find((size) => size >= row));
}

/** First in, first out within a bucket: in the order in which batches were formed. */
function checkOrder({ rig, begun }: Machine): void {
  const last = new Map<string | number, number>();
  for (const batch of rig.batches) {
    for (const request of begun.get(batch) ?? []) {
      const arrival = Number(request.label);
      expect(arrival).toBeGreaterThanOrEqual(last.get(batch.bucket) ?? -1);
      last.set(batch.bucket, arrival);
    }
  }
}
