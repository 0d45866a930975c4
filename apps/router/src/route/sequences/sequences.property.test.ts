import { describe, expect, it } from 'vitest';
import { settle } from '../../../test/doubles.ts';
import { propertyRuns, seeded } from '../../../test/property-runs.ts';
import { sequenceWorld } from '../../../test/sequence-world.ts';
import type { FakeRuntime } from '../../../test/sequence-world.ts';
import type { SequenceCall } from './sequence-call.ts';

/** What became of a request, by its number, which says its order too. */
interface Story {
  readonly id: bigint;
  readonly isStart: boolean;
  readonly call: Pick<SequenceCall, 'isEnded' | 'cancel'>;
  isCancelled: boolean;
  /** Runtimes that it was sent to. */
  readonly runtimes: FakeRuntime[];
  /** An attempt ended with something else than that it never left. */
  mayHaveArrived: boolean;
  /** A search was under way when it came, or after it. */
  searches: number;
}

const outcomes = ['ok', 'ok', 'ok', 'resource-exhausted', 'failed-precondition', 'internal', 'not-found'] as const;

/** Two sequences among three runtimes, with everything that may happen to them in an order that the seed decides. */
class Play {
  readonly world = sequenceWorld(3, { maxSequences: 1 });
  readonly stories: Story[] = [];
  readonly #random: () => number;
  #answered = 0;

  constructor(seed: number) {
    this.#random = seeded(seed);
  }

  async run(): Promise<void> {
    for (let step = 0; step < 60; step++) {
      await this.#step();
      this.#look();
    }
    while (this.#open().length > 0 || this.#answered < this.world.searches.length) {
      await this.#find();
      for (const runtime of this.world.runtimes) this.#answerOne(runtime);
      this.#look();
    }
  }

  async #step(): Promise<void> {
    const { runtimes, clock } = this.world;
    const runtime = this.#pick(runtimes)!;
    const chance = this.#random();
    if (chance < 0.5) this.#send();
    else if (chance < 0.75) this.#answerOne(runtime);
    else if (chance < 0.82) this.#lose(runtime);
    else if (chance < 0.87) this.#cancel();
    else if (chance < 0.9) runtime.isLost = this.#random() < 0.5;
    else if (chance < 0.93) {
      this.world.state.ready = this.#random() < 0.3 ? [] : runtimes.filter(() => this.#random() < 0.8);
      this.world.state.onDemand = this.#random() < 0.2 ? [] : runtimes;
    } else if (chance < 0.95) clock.advance(40_000);
    else await this.#find();
  }

  #send(): void {
    const id = this.#random() < 0.7 ? 7n : 8n;
    if (this.#random() < 0.05) {
      this.#refuse(id);
      return;
    }
    const isStart = this.#random() < 0.2;
    const version = this.#pick(['', '', 'champion', '3', '4'])!;
    const bytes = this.#random() < 0.2 ? 1_000 : 0;
    const text = String(this.stories.length).padStart(3, '0');
    const end = this.#random() < 0.1;
    const routed = this.#random() < 0.7 ? 3 : 4;
    const { searches } = this.world;
    const call = this.world.send(text, { id, start: isStart, end, version, bytes, routed });
    this.stories.push({
      ...{ id, isStart, call, isCancelled: false, runtimes: [], mayHaveArrived: false },
      searches: searches.filter(({ question }) => question.id === id).length,
    });
  }

  /** A start is refused before it is known where it would go: it is like one that was given up at once. */
  #refuse(id: bigint): void {
    this.world.sequences.refused('digits', id);
    const call = { isEnded: true, cancel: () => undefined };
    const searches = this.world.searches.filter(({ question }) => question.id === id).length;
    const rest = { runtimes: [], mayHaveArrived: false, searches };
    this.stories.push({ id, isStart: true, call, isCancelled: true, ...rest });
  }

  /** What was sent since the last look. */
  #look(): void {
    for (const { text, runtime } of this.world.log.splice(0)) {
      const story = this.stories[Number(text)]!;
      expect([story.mayHaveArrived, story.isCancelled], `request ${text} sent again`).toEqual([false, false]);
      story.runtimes.push(runtime);
      if (!story.isStart) this.#isWhereItBegan(Number(text), runtime);
    }
  }

  /** Unless it was searched for, it goes where the last start before it is, and nowhere when that is nowhere. */
  #isWhereItBegan(index: number, runtime: FakeRuntime): void {
    const { id } = this.stories[index]!;
    const start = this.stories.slice(0, index).findLast((each) => each.id === id && each.isStart);
    const searches = this.world.searches.filter(({ question }) => question.id === id).length;
    if (start === undefined || searches > start.searches) return;
    expect(start.runtimes.at(-1)?.address, `request ${index}`).toBe(runtime.address);
  }

  #open(): FakeRuntime[] {
    return this.world.runtimes.filter(({ sent }) => sent.some(({ isDone }) => !isDone));
  }

  #answerOne(runtime: FakeRuntime): void {
    const open = runtime.sent.filter(({ isDone }) => !isDone);
    const sent = this.#pick(open);
    if (!sent) return;
    this.#look();
    const story = this.stories[Number(sent.text)]!;
    const outcome = this.#pick(outcomes)!;
    // A runtime that cannot load its version has not begun it.
    story.mayHaveArrived = !(story.isStart && outcome === 'not-found');
    if (sent.isCancelled) runtime.fail(sent.text, 'local', 'cancelled');
    else if (outcome === 'ok') runtime.answer(sent.text);
    else runtime.fail(sent.text, 'answered', outcome);
  }

  /** The link breaks: what had left is lost, what came behind had not left. */
  #lose(runtime: FakeRuntime): void {
    const open = runtime.sent.filter(({ isDone }) => !isDone);
    const left = Math.floor(this.#random() * (open.length + 1));
    for (const [index, { text, isCancelled }] of open.entries()) {
      const isLost = index < left;
      this.#look();
      this.stories[Number(text)]!.mayHaveArrived ||= isLost;
      if (isCancelled) runtime.fail(text, 'local', 'cancelled');
      else runtime.fail(text, isLost ? 'lost' : 'unsent');
    }
  }

  #cancel(): void {
    const story = this.#pick(this.stories);
    if (story === undefined || story.call.isEnded) return;
    this.#look();
    story.isCancelled = true;
    story.call.cancel(this.#random() < 0.5 ? 'cancelled' : 'deadline-exceeded');
  }

  async #find(): Promise<void> {
    const search = this.world.searches[this.#answered];
    if (search === undefined) return;
    this.#answered++;
    const chance = this.#random();
    const version = search.question.version || 3;
    if (chance < 0.6) search.answer(this.world.there(this.#pick(this.world.runtimes)!, version));
    else search.answer({ kind: chance < 0.8 ? 'nowhere' : 'unsure' });
    await settle();
  }

  #pick<Item>(items: readonly Item[]): Item | undefined {
    return items[Math.floor(this.#random() * items.length)];
  }
}

/** Numbers of the requests of a sequence that were answered. */
function answersOf({ world, stories }: Play, id: bigint): number[] {
  return world.state.ended.map((text) => Number(text.slice(0, 3))).filter((index) => stories[index]!.id === id);
}

describe('sequences, whatever happens', { timeout: 20_000 + 20 * propertyRuns.numRuns }, () => {
  it('answer every request once, send them in order and to one runtime, and never again what may have arrived', async () => {
    const { numRuns, seed } = propertyRuns;
    for (let run = 0; run < Math.ceil(numRuns / 4); run++) {
      const play = new Play(seed + run);
      const where = `SLUICE_PROPERTY_SEED=${seed + run}`;
      await play.run();
      for (const id of [7n, 8n]) {
        const own = [...play.stories.keys()].filter((index) => play.stories[index]!.id === id);
        const expected = own.filter((index) => !play.stories[index]!.isCancelled);
        expect(
          answersOf(play, id).toSorted((one, other) => one - other),
          where,
        ).toEqual(expected);
        for (const runtime of play.world.runtimes) {
          const sent = runtime.texts.map(Number).filter((index) => play.stories[index]!.id === id);
          expect(sent, where).toEqual(sent.toSorted((one, other) => one - other));
        }
      }
    }
  });
});
