import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { propertyRuns } from '../test/property-runs.ts';
import { floods, scenarios, type Scenario } from '../test/scenarios.ts';
import { Simulation, clockStepMs, type Formation, type Story } from '../test/simulation.ts';
import { batchesThatPassOver } from './request-queue.ts';

/** Batches that instances have at most: those that run, and those that stand behind. */
const placesOf = ({ instances, ahead = 0 }: Scenario['options']): number => instances * (1 + ahead);

type Check = (simulation: Simulation, scenario: Scenario) => void;

function always(
  check: Check,
  atEnd = check,
  among = fc.oneof({ weight: 9, arbitrary: scenarios }, { weight: 1, arbitrary: floods }),
): void {
  fc.assert(
    fc.property(among, (scenario) => {
      const simulation = new Simulation(scenario).play((now) => check(now, scenario));
      atEnd(simulation, scenario);
    }),
    propertyRuns,
  );
}

const nothing = (): void => undefined;

/** Whether the answer is one that the request's history can explain. */
function explained(story: Story, draining: boolean): boolean {
  switch (story.request.outcome) {
    case 'ok':
      return true;
    case 'cancelled':
      return story.cancelled;
    case 'internal':
      return story.harmed;
    case 'deadline-exceeded':
      return story.endsAtMs <= story.answeredAtMs!;
    case 'unavailable':
      return draining;
    default:
      return false;
  }
}

/** The requests of the batch's bucket, in the order in which they are served. */
function lane({ batch, before }: Formation, { options }: Scenario): readonly Story[] {
  return options.maxBatchSize === 0 ? before : before.filter((story) => story.request.bucket === batch.bucket);
}

/** The request that came first of the first of each level below `level`, in each bucket. */
function longestWaitingBelow(level: number, before: readonly Story[], { options }: Scenario): Story | undefined {
  const first = new Map<string, Story>();
  for (const story of before) {
    const key = `${story.level} ${options.maxBatchSize === 0 ? '' : story.request.bucket}`;
    if (story.level > level && !first.has(key)) first.set(key, story);
  }
  return [...first.values()].toSorted((a, b) => a.arrival - b.arrival)[0];
}

describe('under random arrivals, sizes, deadlines, cancellations and failures', () => {
  test('P1 every request is answered exactly once, as its history explains, and a refused one never', () => {
    always(nothing, (simulation) => {
      for (const story of simulation.stories) {
        expect(story.request.answers).toHaveLength(1);
        expect(explained(story, true)).toBe(true);
      }
      for (const request of simulation.refused) expect(request.outcome).toBe('waiting');
      const { accepted, succeeded, lost, queuedRequests, runningBatches } = simulation.rig.scheduler.stats();
      const answered = succeeded + lost.expired + lost.cancelled + lost.stopped + lost['batch-failed'];
      expect([accepted, queuedRequests, runningBatches]).toEqual([answered, 0, 0]);
      expect(lost.refused).toBe(simulation.refused.length);
      expect(simulation.rig.defects).toEqual([]);
      expect(simulation.clock.pendingTimers).toBe(0);
    });
  });

  test('P2 no bound is ever broken: rows of a batch, buckets, instances, the queue, its counts', () => {
    const atEnd: Check = (simulation, { options }) => {
      for (const batch of simulation.rig.batches) {
        if (options.maxBatchSize > 0) {
          expect(batch.rows).toBeLessThanOrEqual(options.maxBatchSize);
          expect(new Set(batch.parts.map((part) => part.request.bucket)).size).toBe(1);
        } else {
          expect(batch.parts).toHaveLength(1);
        }
      }
    };
    always((simulation, { options }) => {
      expect(simulation.instancesInUse).toBeLessThanOrEqual(placesOf(options));
      const waiting = simulation.waiting();
      const stats = simulation.rig.scheduler.stats();
      expect(stats.queuedRequests).toBe(waiting.length);
      expect(stats.queuedRows).toBe(waiting.reduce((rows, story) => rows + story.request.rows - story.takenRows, 0));
      for (let level = 1; level <= Math.max(1, options.priorityLevels ?? 0); level++) {
        const { maxQueueSize } = options.priorityQueuePolicy?.[`${level}`] ?? options;
        const own = waiting.filter((story) => story.level === level);
        if (maxQueueSize) expect(own.length).toBeLessThanOrEqual(maxQueueSize);
      }
    }, atEnd);
  });

  test('P3 first in, first out within a bucket and a level, delayed ones last, and row by row', () => {
    always(nothing, (simulation, scenario) => {
      const rowsTaken = new Map<unknown, number>();
      for (const formation of simulation.formations) {
        const { batch } = formation;
        const order = lane(formation, scenario);
        const start = order.findIndex((story) => story.request === batch.parts[0]!.request);
        // It may begin with a lower level, but then with the first of that level.
        if (start > 0) expect(order[start - 1]!.level).toBeLessThan(order[start]!.level);
        let batchRow = 0;
        for (const [i, part] of batch.parts.entries()) {
          expect(part.request).toBe(order[(start + i) % order.length]!.request);
          expect(part.batchRow).toBe(batchRow);
          expect(part.requestRow).toBe(rowsTaken.get(part.request) ?? 0);
          rowsTaken.set(part.request, part.requestRow + part.rows);
          batchRow += part.rows;
        }
        expect(batch.rows).toBe(batchRow);
      }
    });
  });

  test('P4 nothing is late by more than a clock step, and nothing expired runs', () => {
    const atEnd: Check = (simulation) => {
      for (const story of simulation.stories) {
        if (story.request.outcome !== 'deadline-exceeded') continue;
        expect(story.answeredAtMs! - story.endsAtMs).toBeGreaterThanOrEqual(0);
        expect(story.answeredAtMs! - story.endsAtMs).toBeLessThan(clockStepMs);
      }
      for (const { batch } of simulation.formations) {
        const ends = batch.parts.map((part) => simulation.byRequest.get(part.request)!.endsAtMs);
        expect(Math.min(...ends)).toBeGreaterThan(batch.formedAtMs);
      }
    };
    always((simulation, { options }) => {
      const waiting = simulation.waiting();
      const late = (atMs: number): boolean => atMs + clockStepMs <= simulation.now;
      expect(waiting.filter((story) => late(story.endsAtMs))).toEqual([]);
      if (!simulation.settled || simulation.instancesInUse === placesOf(options)) return;
      expect(waiting.filter((story) => late(story.dueAtMs))).toEqual([]);
      for (const bucket of new Set(waiting.map((story) => story.request.bucket))) {
        const own = waiting.filter((story) => story.request.bucket === bucket);
        const rows = own.reduce((sum, story) => sum + story.request.rows - story.takenRows, 0);
        expect(rows).toBeLessThan(Math.max(1, options.maxBatchSize));
      }
    }, atEnd);
  });

  test('P5 every row is handed over exactly once', () => {
    always(nothing, (simulation) => {
      for (const { request } of simulation.stories) {
        if (request.outcome !== 'ok') continue;
        const parts = request.parts.toSorted((a, b) => a.requestRow - b.requestRow);
        let row = 0;
        for (const part of parts) {
          expect(part.requestRow).toBe(row);
          row += part.rows;
        }
        expect(row).toBe(request.rows);
        expect(parts.length).toBeGreaterThan(0);
      }
    });
  });

  test('P7 the highest level is served, and after 16 batches that passed a lower one over, that', () => {
    const check: Check = (simulation, scenario) => {
      let passedOver = 0;
      let passedLowest = 0;
      for (const { batch, before, after } of simulation.formations) {
        const head = simulation.byRequest.get(batch.parts[0]!.request)!;
        const turn =
          passedOver === batchesThatPassOver ? longestWaitingBelow(before[0]!.level, before, scenario) : undefined;
        expect(head).toBe(turn ?? before[0]);
        const passes = after.some((story) => story.level > head.level);
        passedOver = !turn && passes ? passedOver + 1 : 0;
        passedLowest = passes && after.some((story) => story.level === 2) ? passedLowest + 1 : 0;
        if (scenario.options.priorityLevels === 2) expect(passedLowest).toBeLessThanOrEqual(batchesThatPassOver);
      }
    };
    // Without a delay every request that waits could leave, so nothing but the levels decides.
    always(nothing, check, floods);
  });

  test('P8 with preserveOrdering no request that ran is answered before an older one, nor later than it must', () => {
    const check: Check = (simulation, { options }) => {
      if (options.preserveOrdering !== true) return;
      const open = simulation.stories.filter((story) => story.answeredAtMs === undefined);
      const oldest = open[0];
      if (!oldest) return;
      expect(simulation.waiting().includes(oldest) || simulation.runs(oldest)).toBe(true);
    };
    always(check, (simulation, { options }) => {
      if (options.preserveOrdering !== true) return;
      const answered = new Set<Story>();
      let oldestOpen = 0;
      for (const story of simulation.answered) {
        answered.add(story);
        while (oldestOpen < simulation.stories.length && answered.has(simulation.stories[oldestOpen]!)) oldestOpen++;
        if (['ok', 'internal'].includes(story.request.outcome)) expect(oldestOpen).toBeGreaterThan(story.arrival);
      }
    });
  });

  test('P9 a batch is padded to the smallest allowed size that holds it, and one without rows is not', () => {
    always(nothing, (simulation, { options }) => {
      const { allowedBatchSizes = [] } = options;
      let padding = 0;
      for (const { rows, paddedRows } of simulation.rig.batches) {
        const fitting = rows === 0 ? [] : allowedBatchSizes.filter((size) => size >= rows);
        expect(paddedRows).toBe(fitting.length > 0 ? Math.min(...fitting) : rows);
        padding += paddedRows - rows;
      }
      expect(simulation.rig.scheduler.stats().paddingRows).toBe(padding);
    });
  });
});
