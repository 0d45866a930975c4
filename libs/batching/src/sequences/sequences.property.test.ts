import fc from 'fast-check';
import { expect, test } from 'vitest';
import { propertyRuns } from '../../test/property-runs.ts';
import { SequenceRig, TestStep, type TestSequenceBatch } from '../../test/sequence-rig.ts';
import type { SequencePart } from './contract.ts';

const idleMs = 8;

const action = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('send' as const),
      key: fc.nat(4),
      start: fc.boolean(),
      end: fc.boolean(),
      bucket: fc.nat(1),
      // Seldom one that is near.
      deadlineMs: fc.option(fc.integer({ min: 1, max: 12 }), { nil: undefined, freq: 3 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('cancel' as const), which: fc.nat(30) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('over' as const), which: fc.nat(3), fails: fc.nat(5) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('advance' as const), ms: fc.integer({ min: 1, max: 10 }) }) },
);
type Action = typeof action extends fc.Arbitrary<infer T> ? T : never;

const scenario = fc.record({
  instances: fc.integer({ min: 1, max: 2 }),
  slots: fc.integer({ min: 1, max: 3 }),
  maxQueueSize: fc.nat(6),
  maxQueueDelayMicroseconds: fc.constantFrom(0, 3000),
  minimumSlotUtilization: fc.constantFrom(0, 0.5, 1),
  actions: fc.array(action, { maxLength: 60 }),
});
type Scenario = typeof scenario extends fc.Arbitrary<infer T> ? T : never;

/** Plays a scenario and holds the scheduler to its rules after every action. */
class Play {
  readonly rig: SequenceRig;
  readonly accepted: TestStep[] = [];
  readonly #scenario: Scenario;
  readonly #open: TestSequenceBatch[] = [];
  #seen = 0;
  /** By key, the moment from which it has been idle, where it must live; undefined where nothing is known of it. */
  readonly #idleSince = new Map<string, number>();
  /** What may have changed a sequence. */
  readonly #sent: TestStep[] = [];
  readonly #ran = new Set<TestStep>();

  constructor(scenario: Scenario) {
    this.#scenario = scenario;
    this.rig = new SequenceRig({ ...scenario, maxSequenceIdleMicroseconds: idleMs * 1000 });
  }

  run(): void {
    for (const each of this.#scenario.actions) {
      this.#do(each);
      this.#check();
    }
  }

  /** Ends all that is open until nothing comes any more. */
  finish(): void {
    void this.rig.scheduler.drain(100);
    for (let round = 0; round < 200; round += 1) {
      this.#collect();
      for (const batch of [...this.#open]) this.#over(batch, -1);
      this.rig.clock.advance(1);
    }
  }

  #do(each: Action): void {
    switch (each.do) {
      case 'send': {
        const { key, deadlineMs = Infinity, ...rest } = each;
        const { clock, scheduler } = this.rig;
        const step = new TestStep(`k${key}`, { ...rest, deadlineMs: clock.monotonic() + deadlineMs });
        const refused = scheduler.enqueue(step) !== undefined;
        if (!refused) this.accepted.push(step);
        // A start that is refused ends what there is.
        if (refused && !step.start) break;
        this.#sent.push(step);
        this.#idleSince.delete(String(step.sequence));
        break;
      }
      case 'cancel': {
        const step = this.accepted[each.which];
        if (step) this.rig.scheduler.cancel(step);
        break;
      }
      case 'over': {
        const batch = this.#open[each.which];
        if (batch) this.#over(batch, each.fails);
        break;
      }
      case 'advance':
        this.rig.clock.advance(each.ms);
    }
    this.#collect();
  }

  /** Ends a batch; the part at `fails`, if there is one, fails. */
  #over(batch: TestSequenceBatch, fails: number): void {
    this.#open.splice(this.#open.indexOf(batch), 1);
    for (const [index, part] of batch.parts.entries()) {
      if (index === fails) batch.fail(part, { kind: 'model-failed', message: '' } as never);
      else batch.complete(part, 'ran', part);
      this.#noteIdle(part, index !== fails);
    }
    batch.free();
  }

  #noteIdle({ request }: SequencePart<TestStep>, counted: boolean): void {
    const key = String(request.sequence);
    // With later ones it depends on what became of them: a start that left ends what it would have followed.
    const isLast = this.#sent.findLast((step) => step.sequence === key) === request;
    if (counted && request.start && !request.end && isLast) this.#idleSince.set(key, this.rig.clock.monotonic());
  }

  /** Sees the batches that were formed since. */
  #collect(): void {
    const { batches } = this.rig;
    for (; this.#seen < batches.length; this.#seen += 1) {
      const batch = batches[this.#seen]!;
      this.#open.push(batch);
      expect(batch.parts.length).toBeGreaterThan(0);
      for (const { request, slot } of batch.parts) {
        expect(request.bucket).toBe(batch.bucket);
        expect(request.deadlineMs).toBeGreaterThan(batch.formedAtMs);
        expect(Math.floor(slot / this.#scenario.slots)).toBe(batch.instance);
        expect(request.answers).toEqual([]);
        // First in, first out: nobody of its sequence who came later has run.
        const at = this.accepted.indexOf(request);
        for (const later of this.accepted.slice(at + 1))
          if (later.sequence === request.sequence) expect(this.#ran.has(later)).toBe(false);
        this.#ran.add(request);
      }
    }
  }

  #check(): void {
    const { scheduler, clock } = this.rig;
    const stats = scheduler.stats();
    const { slots, instances, maxQueueSize } = this.#scenario;
    expect(stats.sequences).toBeLessThanOrEqual(slots * instances);
    if (stats.backlog > 0) expect(stats.sequences).toBe(slots * instances);
    const waiting = this.accepted.filter((step) => step.answers.length === 0 && !this.#ran.has(step));
    const queuedBuckets = new Set(waiting.map(({ bucket }) => bucket)).size;
    expect(stats).toMatchObject({ queuedRequests: waiting.length, queuedBuckets });
    if (maxQueueSize > 0) expect(stats.queuedRequests).toBeLessThanOrEqual(maxQueueSize);
    const running = this.#open.flatMap(({ parts }) => parts);
    expect(new Set(running.map(({ request }) => request.sequence)).size).toBe(running.length);
    expect(new Set(running.map(({ slot }) => slot)).size).toBe(running.length);
    expect(new Set(this.#open.map(({ instance }) => instance)).size).toBe(this.#open.length);
    for (const { answers } of this.accepted) expect(answers.length).toBeLessThanOrEqual(1);
    for (const [key, sinceMs] of this.#idleSince) {
      expect([key, scheduler.lives(key)]).toEqual([key, clock.monotonic() < sinceMs + idleMs]);
    }
    const late = this.accepted.filter((step) => step.deadlineMs <= clock.monotonic() && !this.#ran.has(step));
    for (const { answers } of late) expect(answers).toHaveLength(1);
  }
}

test('K44 under random requests, ends, failures, cancellations and times the rules hold and everybody is answered once', () => {
  fc.assert(
    fc.property(scenario, (what) => {
      const play = new Play(what);
      play.run();
      play.finish();
      for (const { answers } of play.accepted) expect(answers).toHaveLength(1);
      expect(play.rig.scheduler.stats()).toMatchObject({ sequences: 0, backlog: 0, queuedRequests: 0, runningRows: 0 });
      expect(play.rig.defects).toEqual([]);
    }),
    propertyRuns,
  );
});
