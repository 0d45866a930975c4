import type { Clock } from '@sluice/domain/clock';
import { SluiceError, unavailable } from '@sluice/domain/errors';
import { checkModelName, clip, parseVersionRef } from '@sluice/domain/names';
import { versionKey, type Assignment } from './assignment.ts';

/** Questions to the registry at once, of versions that are not placed here: who asks for more is to come again. */
const mostAtOnce = 16;
const retryAfterMs = 500;
/** For so long a refusal of the registry is believed, in milliseconds, unless its watch brings news before. */
const refusedForMs = 2_000;
/** Refusals that are remembered: callers choose the names. */
const mostRefusals = 1_024;

/** The version that a request names by its number, and so can be asked of the registry; undefined when it names none. */
export function numberedVersion(
  model: string,
  ref: string,
): { readonly model: string; readonly version: number } | undefined {
  const parsed = parseVersionRef(ref);
  return parsed.kind === 'number' && isModelName(model) ? { model, version: parsed.number } : undefined;
}

function isModelName(name: string): boolean {
  try {
    return checkModelName(name) === name;
  } catch {
    return false;
  }
}

/**
 * Gets what it takes to load versions that are not placed here. What the registry has none of is not asked for again for a
 * moment: callers may go on and on with a name that is wrong.
 */
export class Demanded {
  readonly #ask: (model: string, version: number) => Promise<Assignment>;
  /** By version, those that are asked for now, and who is told of a refusal. */
  readonly #asked = new Map<string, (error: SluiceError) => void>();

  readonly #clock: Clock;
  /** By version, those that were refused, the oldest first. */
  readonly #refused = new Map<string, { readonly error: SluiceError; readonly untilMs: number }>();
  /** Counts the news of the watch: a refusal of before is not believed after. */
  #news = 0;

  /** @param ask the registry's answer, or its SluiceError */
  constructor(ask: (model: string, version: number) => Promise<Assignment>, clock: Clock) {
    this.#ask = ask;
    this.#clock = clock;
  }

  /** What the registry said of the version a moment ago, when it was that it cannot be had. */
  refusal(key: string): SluiceError | undefined {
    const known = this.#refused.get(key);
    return known && known.untilMs > this.#clock.monotonic() ? known.error : undefined;
  }

  /** Something changed in the registry, and with it perhaps what can be had. */
  forgetRefusals(): void {
    this.#news += 1;
    this.#refused.clear();
  }

  /** @throws SluiceError resource-exhausted when too many others are being asked for */
  check(key: string): void {
    if (this.#asked.has(key) || this.#asked.size < mostAtOnce) return;
    const message = `too many versions that are not placed are asked for at once; send the request later`;
    throw new SluiceError('resource-exhausted', message, { retryAfterMs });
  }

  /**
   * Asks, unless that is under way. Tells one of the two, later.
   * @param failed told in the words of whoever sent the request
   */
  get(
    wanted: { readonly model: string; readonly version: number },
    found: (assignment: Assignment) => void,
    failed: (error: SluiceError) => void,
  ): void {
    const key = versionKey(wanted);
    if (this.#asked.has(key)) return;
    this.#asked.set(key, failed);
    const news = this.#news;
    const end = (tell: () => void): void => {
      // Else it was refused meanwhile, and perhaps is asked for again.
      if (this.#asked.get(key) !== failed) return;
      this.#asked.delete(key);
      tell();
    };
    this.#ask(wanted.model, wanted.version).then(
      (assignment) => end(() => found({ ...assignment, demandOnly: true })),
      (thrown: unknown) =>
        end(() => {
          const error = explain(wanted, SluiceError.from(thrown));
          if (news === this.#news) this.#remember(key, error);
          failed(error);
        }),
    );
  }

  /** Only what the registry has decided: it may be back at any moment. */
  #remember(key: string, error: SluiceError): void {
    if (error.kind !== 'not-found' && error.kind !== 'failed-precondition') return;
    const now = this.#clock.monotonic();
    this.#refused.delete(key);
    for (const [oldest, { untilMs }] of this.#refused) {
      if (untilMs > now && this.#refused.size < mostRefusals) break;
      this.#refused.delete(oldest);
    }
    this.#refused.set(key, { error, untilMs: now + refusedForMs });
  }

  /** The registry has said meanwhile that the version may not be loaded: an answer that is on its way is of before. */
  refuse(key: string, error: SluiceError): void {
    const failed = this.#asked.get(key);
    this.#asked.delete(key);
    failed?.(error);
  }
}

/** What the caller of an inference is told of the registry's refusal. */
function explain({ model, version }: { readonly model: string; readonly version: number }, error: SluiceError) {
  const name = `${clip(model)} version ${version}`;
  switch (error.kind) {
    case 'not-found':
    case 'invalid-argument':
    // A registry of before versions were loaded on demand.
    case 'unimplemented': {
      const message = `Request for unknown model: '${clip(model)}' version '${version}' is not found on this runtime`;
      return new SluiceError('not-found', message, { cause: error });
    }
    case 'unavailable':
    case 'deadline-exceeded':
    case 'cancelled': {
      const message = `${name} is not placed here, and the registry that knows it is away: try again, or pin it while the registry is there`;
      return unavailable(message, { retryAfterMs, cause: error });
    }
    // It is in quarantine: trying again does not help.
    case 'failed-precondition':
      return error;
    default:
      return unavailable(`${name} is not placed here and could not be had from the registry`, { cause: error });
  }
}
