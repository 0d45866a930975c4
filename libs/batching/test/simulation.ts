import type { Timer } from '@sluice/domain/clock';
import { SluiceError } from '@sluice/domain/errors';
import { FakeClock } from '@sluice/testkit/fake-clock';
import { Rig, TestRequest, type TestBatch } from './rig.ts';
import type { Arrival, Scenario, Step } from './scenarios.ts';

/** One clock step of the simulated machine, in milliseconds: timers fire on its multiples only. */
export const clockStepMs = 1;

/** A clock as coarse as a real one: a timer fires at the first whole step that is late enough. */
class CoarseClock extends FakeClock {
  override schedule(ms: number, fn: () => void): Timer {
    const at = Math.ceil((this.monotonic() + ms) / clockStepMs) * clockStepMs;
    return super.schedule(at - this.monotonic(), fn);
  }
}

/** What became of one request, and what its scheduler has to make of it. */
export interface Story {
  readonly request: TestRequest;
  /** Counts the accepted ones. */
  readonly arrival: number;
  readonly level: number;
  /** Too late from then on: its deadline, or its time-out where that rejects. */
  readonly endsAtMs: number;
  /** Behind the others of its level from then on; `Infinity` for never. */
  delayedAtMs: number;
  readonly dueAtMs: number;
  takenRows: number;
  inBatches: TestBatch[];
  answeredAtMs: number | undefined;
  cancelled: boolean;
  /** A batch with rows of it failed, or was answered with a wrong number of rows. */
  harmed: boolean;
}

/** A batch, and what waited in the moment before it was formed, in the order in which it is served. */
export interface Formation {
  readonly batch: TestBatch;
  readonly before: readonly Story[];
  /** Those of them that still wait after it. */
  readonly after: readonly Story[];
}

/** Plays a scenario against the real scheduler, and calls `check` after each step, when everything is settled. */
export class Simulation {
  readonly clock: FakeClock = new CoarseClock();
  readonly rig: Rig;
  readonly stories: Story[] = [];
  readonly refused: TestRequest[] = [];
  readonly formations: Formation[] = [];
  /** In the order in which they were answered. */
  readonly answered: Story[] = [];
  readonly byRequest = new Map<TestRequest, Story>();
  readonly #scenario: Scenario;
  readonly #freed = new Set<number>();
  readonly #over = new Set<number>();
  #turn: (() => void) | undefined = undefined;

  constructor(scenario: Scenario) {
    this.#scenario = scenario;
    this.rig = new Rig(scenario.options, {
      clock: this.clock,
      run: (batch) => this.#formed(batch),
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

  get levels(): number {
    return this.#scenario.options.priorityLevels ?? 0;
  }

  /** Accepted, its end not settled, and not wholly in batches. */
  waiting(): Story[] {
    return this.stories.filter(
      (story) =>
        story.answeredAtMs === undefined &&
        !story.cancelled &&
        !story.harmed &&
        story.request.ticket !== undefined &&
        (story.inBatches.length === 0 || story.takenRows < story.request.rows),
    );
  }

  /** Whether a batch with rows of it is not answered yet. */
  runs(story: Story): boolean {
    return story.inBatches.some((batch) => !this.#over.has(this.rig.batches.indexOf(batch)));
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
      if (!this.#over.has(i)) this.#perform({ do: 'complete', which: i });
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
        for (let i = 0; i < step.times; i++) this.#arrive(step);
        return;
      case 'cancel': {
        const story = this.stories[step.which % Math.max(1, this.stories.length)];
        if (!story) return;
        story.cancelled ||= story.answeredAtMs === undefined;
        this.rig.scheduler.cancel(story.request);
        return;
      }
      case 'spin':
        for (let i = 0; i < step.times; i++) {
          this.#end('free', 0);
          this.#end('complete', 0);
        }
        return;
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

  #arrive(arrival: Arrival): void {
    const deadlineMs = arrival.withinMs === undefined ? Infinity : this.now + arrival.withinMs;
    const { rows, bucket, timeoutMicroseconds } = arrival;
    const priority = arrival.priority % (this.levels + 1);
    const label = `${this.stories.length}`;
    const request = new TestRequest(label, rows, { bucket, deadlineMs, priority, timeoutMicroseconds });
    const story = this.#story(request);
    request.onAnswer = () => {
      story.answeredAtMs = this.now;
      this.answered.push(story);
    };
    // Before it is enqueued, for it may be in a batch before that returns.
    this.stories.push(story);
    this.byRequest.set(request, story);
    if (!this.rig.scheduler.enqueue(request)) return;
    this.stories.pop();
    this.refused.push(request);
  }

  #story(request: TestRequest): Story {
    const { options } = this.#scenario;
    const level = (request.priority === 0 ? options.defaultPriorityLevel : request.priority) ?? 1;
    const policy = options.priorityQueuePolicy?.[`${level}`] ?? options;
    const asked = policy.allowTimeoutOverride === true ? request.timeoutMicroseconds : 0;
    const limits = [asked, policy.defaultTimeoutMicroseconds ?? 0].filter((limit) => limit > 0);
    const timesOutAtMs = this.now + Math.min(Infinity, ...limits) / 1000;
    const leavesAtMs = Math.min(request.deadlineMs, timesOutAtMs);
    const delays = policy.timeoutAction === 'DELAY';
    return {
      request,
      arrival: this.stories.length,
      level,
      endsAtMs: delays ? request.deadlineMs : leavesAtMs,
      delayedAtMs: delays ? timesOutAtMs : Infinity,
      dueAtMs: this.now + Math.min((options.maxQueueDelayMicroseconds ?? 0) / 1000, (leavesAtMs - this.now) / 2),
      takenRows: 0,
      inBatches: [],
      answeredAtMs: undefined,
      cancelled: false,
      harmed: false,
    };
  }

  #formed(batch: TestBatch): void {
    const { now } = this;
    // What has expired, or is failed by the drain, has left, though it may not have been told yet.
    const before = this.waiting().filter((story) => story.endsAtMs > now);
    before.sort((a, b) => compare(a, b, now));
    this.rig.batches.push(batch);
    for (const part of batch.parts) {
      const story = this.byRequest.get(part.request)!;
      story.takenRows += part.rows;
      story.inBatches.push(batch);
      // Its first rows run, and the rest keeps its place.
      if (story.takenRows < story.request.rows && story.delayedAtMs > now) story.delayedAtMs = Infinity;
    }
    const left = new Set(this.waiting());
    this.formations.push({ batch, before, after: before.filter((story) => left.has(story)) });
  }

  #end(how: 'free' | 'complete' | 'fail' | 'miscount', which: number): void {
    const over = how === 'free' ? this.#freed : this.#over;
    const open = this.rig.batches.map((_, index) => index).filter((index) => !over.has(index));
    const index = open.includes(which) ? which : open[which % Math.max(1, open.length)];
    if (index === undefined) return;
    over.add(index);
    const batch = this.rig.batches[index]!;
    if (how === 'fail' || how === 'miscount') {
      for (const part of batch.parts) this.byRequest.get(part.request)!.harmed = true;
    }
    if (how === 'free') batch.free();
    else if (how === 'complete') batch.complete('result', batch.paddedRows);
    else if (how === 'miscount') batch.complete('result', batch.paddedRows + 1);
    else batch.fail(new SluiceError('internal', 'the run failed'));
  }
}

/** The order in which requests are served, as SPEC.md has it. */
function compare(a: Story, b: Story, now: number): number {
  if (a.level !== b.level) return a.level - b.level;
  const [delayedA, delayedB] = [a.delayedAtMs <= now, b.delayedAtMs <= now];
  if (delayedA !== delayedB) return delayedA ? 1 : -1;
  if (delayedA && a.delayedAtMs !== b.delayedAtMs) return a.delayedAtMs - b.delayedAtMs;
  return a.arrival - b.arrival;
}
