import type { Clock } from '@sluice/domain/clock';
import { SluiceError, unavailable } from '@sluice/domain/errors';
import type { Answer } from './registry-version.ts';

export interface AskedCacheOptions<T> {
  /** One question. Undefined: there is none. Throws when it cannot be asked. */
  readonly ask: (key: string) => Promise<T | undefined>;
  readonly clock: Clock;
  /** Things that are remembered; the one that was not used for the longest time makes room. */
  readonly capacity: number;
  /** How long an answer counts, in milliseconds. */
  readonly freshMs: number;
  /** The same for the answer that there is none. */
  readonly unknownMs: number;
  /** Questions at once; the next ones wait. */
  readonly atOnce: number;
  /** Questions that may wait; one more is answered `away`. */
  readonly mostWaiting: number;
}

/** After a failure nobody asks for so long. */
const askAgainMs = 1_000;

/** Failures of the other service, not of one question: nobody asks for anything then. */
const awayKinds: ReadonlySet<string> = new Set(['unavailable', 'deadline-exceeded', 'resource-exhausted']);

interface Entry<T> {
  /** Undefined: there is none, or `error` says why nobody knows. */
  readonly value: T | undefined;
  readonly error?: Error;
  readonly untilMs: number;
}

/**
 * Remembers what another service says, and asks for each thing once, however many want it. What was known stays so while that service is
 * away: who wants something that is no longer fresh gets it all the same when nobody can be asked.
 */
export class AskedCache<T> {
  readonly #options: AskedCacheOptions<T>;
  /** In the order of their last use. */
  readonly #entries = new Map<string, Entry<T>>();
  /** Key of the entry that was used last, which is the youngest. */
  #last: string | undefined;
  readonly #asking = new Map<string, Promise<Answer<T>>>();
  readonly #waiting: (() => void)[] = [];
  #underWay = 0;
  #away: { readonly error: Error; readonly untilMs: number } | undefined;

  constructor(options: AskedCacheOptions<T>) {
    this.#options = options;
  }

  /** Things that are remembered. */
  get size(): number {
    return this.#entries.size;
  }

  /** What is known without asking; undefined when that has to be asked. */
  peek(key: string): Answer<T> | undefined {
    const entry = this.#entries.get(key);
    return entry && entry.untilMs > this.#options.clock.monotonic() ? answerOf(entry) : undefined;
  }

  /** What was said last, however long ago; undefined where that was nothing. */
  kept(key: string): T | undefined {
    return this.#used(key)?.value;
  }

  /** Never rejects. */
  get(key: string): Promise<Answer<T>> {
    this.#used(key);
    const known = this.peek(key);
    if (known) return Promise.resolve(known);
    const asking = this.#asking.get(key);
    if (asking) return asking;
    const answer = this.#ask(key).finally(() => this.#asking.delete(key));
    this.#asking.set(key, answer);
    return answer;
  }

  #used(key: string): Entry<T> | undefined {
    const entry = this.#entries.get(key);
    // Most are asked for again and again: the last one lies where it is to lie.
    if (!entry || key === this.#last) return entry;
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    this.#last = key;
    return entry;
  }

  async #ask(key: string): Promise<Answer<T>> {
    const { atOnce, mostWaiting } = this.#options;
    if (this.#underWay >= atOnce) {
      if (this.#waiting.length >= mostWaiting) return this.#stale(key, unavailable('too many questions wait'));
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    } else this.#underWay += 1;
    try {
      const away = this.#away;
      if (away && away.untilMs > this.#options.clock.monotonic()) return this.#stale(key, away.error);
      return this.#learn(key, await this.#options.ask(key));
    } catch (thrown) {
      return this.#failed(key, SluiceError.from(thrown));
    } finally {
      // The place is handed on, so that nobody else takes it in between.
      const next = this.#waiting.shift();
      if (next) next();
      else this.#underWay -= 1;
    }
  }

  #learn(key: string, value: T | undefined): Answer<T> {
    const { clock, freshMs, unknownMs } = this.#options;
    this.#away = undefined;
    return this.#remember(key, {
      value,
      untilMs: clock.monotonic() + (value === undefined ? unknownMs : freshMs),
    });
  }

  #failed(key: string, error: SluiceError): Answer<T> {
    const untilMs = this.#options.clock.monotonic() + askAgainMs;
    if (!awayKinds.has(error.kind))
      return this.#remember(key, { value: this.#entries.get(key)?.value, error, untilMs });
    this.#away = { error, untilMs };
    return this.#stale(key, error);
  }

  #remember(key: string, entry: Entry<T>): Answer<T> {
    this.#entries.delete(key);
    if (this.#entries.size >= this.#options.capacity) this.#entries.delete(this.#entries.keys().next().value!);
    this.#entries.set(key, entry);
    this.#last = key;
    return answerOf(entry);
  }

  /** What was known, when nobody can be asked. That there was none says nothing of now. */
  #stale(key: string, error: Error): Answer<T> {
    const entry = this.#entries.get(key);
    return entry?.value === undefined ? { state: 'away', error } : answerOf(entry);
  }
}

function answerOf<T>({ value, error }: Entry<T>): Answer<T> {
  if (value !== undefined) return { state: 'known', value };
  return error ? { state: 'away', error } : { state: 'unknown' };
}
