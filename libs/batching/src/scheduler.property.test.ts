import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { propertyRuns } from '../test/property-runs.ts';
import { Simulation, clockStepMs, scenarios, type Scenario, type Story } from '../test/simulation.ts';

function always(check: (simulation: Simulation, scenario: Scenario) => void, atEnd = check): void {
  fc.assert(
    fc.property(scenarios, (scenario) => {
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
      return story.expiresAtMs <= story.answeredAtMs!;
    case 'unavailable':
      return draining;
    default:
      return false;
  }
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
    always((simulation, { options }) => {
      const { rig } = simulation;
      for (const batch of rig.batches) {
        if (options.maxBatchSize > 0) {
          expect(batch.rows).toBeLessThanOrEqual(options.maxBatchSize);
          expect(new Set(batch.parts.map((part) => part.request.bucket)).size).toBe(1);
        } else {
          expect(batch.parts).toHaveLength(1);
        }
      }
      expect(simulation.instancesInUse).toBeLessThanOrEqual(options.instances);
      const waiting = simulation.waiting();
      const stats = rig.scheduler.stats();
      expect(stats.queuedRequests).toBe(waiting.length);
      expect(stats.queuedRows).toBe(
        waiting.reduce((rows, story) => rows + story.request.rows - simulation.takenRows(story), 0),
      );
      if (options.maxQueueSize) expect(waiting.length).toBeLessThanOrEqual(options.maxQueueSize);
    });
  });

  test('P3 first in, first out within a bucket, row by row', () => {
    always(nothing, (simulation, { options }) => {
      const last = new Map<string | number, [number, number]>();
      for (const batch of simulation.rig.batches) {
        let batchRow = 0;
        for (const part of batch.parts) {
          expect(part.batchRow).toBe(batchRow);
          batchRow += part.rows;
          const lane = options.maxBatchSize === 0 ? 0 : part.request.bucket;
          const [arrival, row] = last.get(lane) ?? [-1, 0];
          const own = Number(part.request.label);
          expect(own > arrival || (own === arrival && part.requestRow === row)).toBe(true);
          last.set(lane, [own, part.requestRow + part.rows]);
        }
        expect(batch.rows).toBe(batchRow);
      }
    });
  });

  test('P4 nothing is late by more than a clock step, and nothing expired runs', () => {
    always((simulation, { options }) => {
      const waiting = simulation.waiting();
      for (const story of waiting) expect(story.expiresAtMs + clockStepMs).toBeGreaterThan(simulation.now);
      for (const story of simulation.stories) {
        if (story.request.outcome !== 'deadline-exceeded') continue;
        expect(story.answeredAtMs! - story.expiresAtMs).toBeGreaterThanOrEqual(0);
        expect(story.answeredAtMs! - story.expiresAtMs).toBeLessThan(clockStepMs);
      }
      const byRequest = new Map(simulation.stories.map((story) => [story.request, story]));
      for (const batch of simulation.rig.batches) {
        for (const part of batch.parts) {
          const story = byRequest.get(part.request);
          if (story) expect(story.expiresAtMs).toBeGreaterThan(batch.formedAtMs);
        }
      }
      if (!simulation.settled || simulation.instancesInUse === options.instances) return;
      for (const story of waiting) expect(story.dueAtMs + clockStepMs).toBeGreaterThan(simulation.now);
      for (const bucket of new Set(waiting.map((story) => story.request.bucket))) {
        const own = waiting.filter((story) => story.request.bucket === bucket);
        const rows = own.reduce((sum, story) => sum + story.request.rows - simulation.takenRows(story), 0);
        expect(rows).toBeLessThan(Math.max(1, options.maxBatchSize));
      }
    });
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
});
