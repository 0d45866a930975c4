import type { Timer } from '@sluice/domain/clock';
import { SluiceError } from '@sluice/domain/errors';
import { FakeClock } from '@sluice/testkit/fake-clock';
import * as fc from 'fast-check';
import type { SchedulerOptions } from '../src/options.ts';
import { Rig, TestRequest } from './rig.ts';

/** One clock step of the simulated machine, in milliseconds: timers fire on its multiples only. */
export const clockStepMs = 1;

/** A clock as coarse as a real one: a timer fires at the first whole step that is late enough. */
class CoarseClock extends FakeClock {
  override schedule(ms: number, fn: () => void): Timer {
    const at = Math.ceil((this.monotonic() + ms) / clockStepMs) * clockStepMs;
    return super.schedule(at - this.monotonic(), fn);
  }
}

type Step =
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'arrive'; readonly rows: number; readonly bucket: number; readonly withinMs: number | undefined }
  | { readonly do: 'cancel' | 'free' | 'complete' | 'fail' | 'miscount'; readonly which: number }
  | { readonly do: 'endTurn' };

export interface Scenario {
  readonly options: Partial<SchedulerOptions> & { readonly maxBatchSize: number; readonly instances: number };
  readonly deferred: boolean;
  readonly steps: readonly Step[];
  readonly drainMs: number;
}

/** What became of one request. */
export interface Story {
  readonly request: TestRequest;
  readonly acceptedAtMs: number;
  /** Its deadline or the queue's time-out. */
  readonly expiresAtMs: number;
  readonly dueAtMs: number;
  answeredAtMs: number | undefined;
  cancelled: boolean;
  /** A batch with rows of it failed, or was answered with a wrong number of rows. */
  harmed: boolean;
}

const pick = fc.nat({ max: 1000 });
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.constantFrom(0.25, 0.5, 1, 3, 10) }) },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('arrive' as const),
      rows: fc.oneof({ weight: 6, arbitrary: fc.nat({ max: 4 }) }, { weight: 1, arbitrary: fc.nat({ max: 30 }) }),
      bucket: fc.nat({ max: 2 }),
      withinMs: fc.option(fc.constantFrom(0.5, 1, 2, 5, 20), { nil: undefined }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('cancel' as const), which: pick }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constantFrom('free' as const, 'complete' as const), which: pick }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('fail' as const, 'miscount' as const), which: pick }) },
  { weight: 2, arbitrary: fc.constant({ do: 'endTurn' as const }) },
);

export const scenarios: fc.Arbitrary<Scenario> = fc.nat({ max: 10 }).chain((maxBatchSize) =>
  fc.record({
    options: fc.record({
      maxBatchSize: fc.constant(maxBatchSize),
      instances: fc.integer({ min: 1, max: 3 }),
      preferredBatchSize:
        maxBatchSize === 0 ? fc.constant([]) : fc.array(fc.integer({ min: 1, max: maxBatchSize }), { maxLength: 2 }),
      maxQueueDelayMicroseconds: fc.constantFrom(0, 0, 500, 2000, 7000),
      maxQueueSize: fc.constantFrom(0, 1, 3, 10),
      defaultTimeoutMicroseconds: fc.constantFrom(0, 0, 1500, 8000),
    }),
    deferred: fc.boolean(),
    steps: fc.array(step, { maxLength: 80, size: 'max' }),
    drainMs: fc.constantFrom(0, 3, 1000),
  }),
);

/** Plays a scenario against the real scheduler, and calls `check` after each step, when everything is settled. */
export class Simulation {
  readonly clock: FakeClock = new CoarseClock();
  readonly rig: Rig;
  readonly stories: Story[] = [];
  readonly refused: TestRequest[] = [];
  readonly #scenario: Scenario;
  readonly #byRequest = new Map<TestRequest, Story>();
  readonly #freed = new Set<number>();
  readonly #answered = new Set<number>();
  #turn: (() => void) | undefined = undefined;

  constructor(scenario: Scenario) {
    this.#scenario = scenario;
    this.rig = new Rig(scenario.options, {
      clock: this.clock,
      ...(scenario.deferred ? { defer: (form: () => void) => (this.#turn = form) } : {}),
    });
  }

  get now(): number {
    return this.clock.monotonic();
  }

  /** True when batches that may leave have had their chance: no turn is open. */
  get settled(): boolean {
    return this.#turn === undefined;
  }

  get instancesInUse(): number {
    return this.rig.batches.length - this.#freed.size;
  }

  takenRows(story: Story): number {
    let rows = 0;
    for (const batch of this.rig.batches) {
      for (const part of batch.parts) if (part.request === story.request) rows += part.rows;
    }
    return rows;
  }

  /** Accepted, not answered, and not wholly in batches. */
  waiting(): Story[] {
    const inBatch = new Set(this.rig.batches.flatMap((batch) => batch.parts.map((part) => part.request)));
    return this.stories.filter(
      (story) =>
        story.answeredAtMs === undefined && (!inBatch.has(story.request) || this.takenRows(story) < story.request.rows),
    );
  }

  play(check: (simulation: this) => void): this {
    for (const step of this.#scenario.steps) {
      this.#perform(step);
      check(this);
    }
    void this.rig.scheduler.drain(this.#scenario.drainMs);
    check(this);
    for (let i = 0; i < this.rig.batches.length; i++) {
      this.clock.advance(0.5);
      if (!this.#freed.has(i)) this.#perform({ do: 'free', which: i });
      if (!this.#answered.has(i)) this.#perform({ do: 'complete', which: i });
      check(this);
    }
    return this;
  }

  #perform(step: Step): void {
    switch (step.do) {
      case 'wait':
        this.#endTurn();
        this.clock.advance(step.ms);
        return;
      case 'endTurn':
        this.#endTurn();
        return;
      case 'arrive':
        this.#arrive(step.rows, step.bucket, step.withinMs);
        return;
      case 'cancel': {
        const story = this.stories[step.which % Math.max(1, this.stories.length)];
        if (!story) return;
        story.cancelled ||= story.answeredAtMs === undefined;
        this.rig.scheduler.cancel(story.request);
        return;
      }
      case 'free':
      case 'complete':
      case 'fail':
      case 'miscount':
        this.#end(step.do, step.which);
    }
  }

  #endTurn(): void {
    const turn = this.#turn;
    this.#turn = undefined;
    turn?.();
  }

  #arrive(rows: number, bucket: number, withinMs: number | undefined): void {
    const { maxQueueDelayMicroseconds = 0, defaultTimeoutMicroseconds = 0 } = this.#scenario.options;
    const deadlineMs = withinMs === undefined ? Infinity : this.now + withinMs;
    const request = new TestRequest(`${this.stories.length}`, rows, { bucket, deadlineMs });
    const timeoutMs = defaultTimeoutMicroseconds === 0 ? Infinity : defaultTimeoutMicroseconds / 1000;
    const expiresAtMs = Math.min(deadlineMs, this.now + timeoutMs);
    const patienceMs = Math.min(maxQueueDelayMicroseconds / 1000, (expiresAtMs - this.now) / 2);
    const story: Story = {
      request,
      acceptedAtMs: this.now,
      expiresAtMs,
      dueAtMs: this.now + patienceMs,
      answeredAtMs: undefined,
      cancelled: false,
      harmed: false,
    };
    request.onAnswer = () => (story.answeredAtMs = this.now);
    if (this.rig.scheduler.enqueue(request)) {
      this.refused.push(request);
    } else {
      this.stories.push(story);
      this.#byRequest.set(request, story);
    }
  }

  #end(how: 'free' | 'complete' | 'fail' | 'miscount', which: number): void {
    const over = how === 'free' ? this.#freed : this.#answered;
    const open = this.rig.batches.map((_, index) => index).filter((index) => !over.has(index));
    const index = open.includes(which) ? which : open[which % Math.max(1, open.length)];
    if (index === undefined) return;
    over.add(index);
    const batch = this.rig.batches[index]!;
    if (how === 'fail' || how === 'miscount') {
      for (const part of batch.parts) this.#byRequest.get(part.request)!.harmed = true;
    }
    if (how === 'free') batch.free();
    else if (how === 'complete') batch.complete('result', batch.rows);
    else if (how === 'miscount') batch.complete('result', batch.rows + 1);
    else batch.fail(new SluiceError('internal', 'the run failed'));
  }
}
