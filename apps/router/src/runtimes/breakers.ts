import type { Breaker, BreakerState } from '@sluice/resilience/breaker';
import type { RuntimeLink } from './runtime-link.ts';

export interface BreakersOptions {
  /** Makes the breaker of a version (see `versionKey`) on a runtime; `onState` is to hear of its states. */
  readonly create: (runtime: string, key: string, onState: (state: BreakerState) => void) => Breaker;
  /** Told of the state of a breaker when it is made and when it changes, and `undefined` when there is none any more. */
  readonly onState: (runtime: string, key: string, state: BreakerState | undefined) => void;
}

interface OfLink {
  readonly session: number;
  readonly byKey: Map<string, Breaker>;
}

/**
 * One breaker per runtime and version, made when first needed. A runtime that comes back starts with new ones: what
 * broke was another process. `retain` drops those that nobody can ask for any more.
 */
export class Breakers {
  readonly #options: BreakersOptions;
  readonly #links = new Map<RuntimeLink, OfLink>();

  constructor(options: BreakersOptions) {
    this.#options = options;
  }

  of(link: RuntimeLink, key: string): Breaker {
    let known = this.#links.get(link);
    if (!known || known.session !== link.session) {
      if (known) this.#dropAll(link, known);
      known = { session: link.session, byKey: new Map() };
      this.#links.set(link, known);
    }
    let breaker = known.byKey.get(key);
    if (!breaker) {
      const tell = (state: BreakerState): void => this.#options.onState(link.address, key, state);
      breaker = this.#options.create(link.address, key, tell);
      known.byKey.set(key, breaker);
      tell('closed');
    }
    return breaker;
  }

  /** Keeps the breakers of these runtimes, of the versions that they have and of their present sessions only. */
  retain(links: readonly RuntimeLink[]): void {
    for (const [link, known] of this.#links) {
      if (links.includes(link) && known.session === link.session) {
        for (const key of known.byKey.keys()) if (!link.ready.has(key)) this.#drop(link, known, key);
      } else {
        this.#links.delete(link);
        this.#dropAll(link, known);
      }
    }
  }

  /** The breakers of a runtime by version, for people. */
  states(link: RuntimeLink): Readonly<Record<string, BreakerState>> {
    const known = this.#links.get(link);
    if (!known) return {};
    return Object.fromEntries([...known.byKey].map(([key, breaker]) => [key, breaker.state]));
  }

  #dropAll(link: RuntimeLink, known: OfLink): void {
    for (const key of known.byKey.keys()) this.#drop(link, known, key);
  }

  /** Requests that it let pass may still end; it tells of nothing then. */
  #drop(link: RuntimeLink, known: OfLink, key: string): void {
    known.byKey.get(key)?.close();
    known.byKey.delete(key);
    this.#options.onState(link.address, key, undefined);
  }
}
