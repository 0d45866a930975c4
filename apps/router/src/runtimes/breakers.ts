import type { RuntimeLink } from './runtime-link.ts';

/** Whether a runtime may be asked for one version. Outcomes are told to it, one for each time that it was entered. */
export interface VersionBreaker {
  readonly state: 'closed' | 'open' | 'half-open';
  /** Takes a request's place; false while the breaker is open, or half-open with its trial under way. */
  enter(): boolean;
  /** The request that entered was answered, or failed for a reason of its own. */
  succeeded(): void;
  failed(): void;
}

/**
 * One breaker per runtime and version, made when first needed. A runtime that comes back starts with new ones: what
 * broke was another process.
 */
export class Breakers {
  readonly #create: (name: string) => VersionBreaker;
  readonly #links = new WeakMap<RuntimeLink, { session: number; readonly byKey: Map<string, VersionBreaker> }>();

  constructor(create: (name: string) => VersionBreaker) {
    this.#create = create;
  }

  of(link: RuntimeLink, key: string): VersionBreaker {
    let known = this.#links.get(link);
    if (!known || known.session !== link.session) {
      known = { session: link.session, byKey: new Map() };
      this.#links.set(link, known);
    }
    let breaker = known.byKey.get(key);
    if (!breaker) {
      breaker = this.#create(`${link.address} ${key}`);
      known.byKey.set(key, breaker);
    }
    return breaker;
  }

  /** The breakers of a runtime by version, for people. */
  states(link: RuntimeLink): Readonly<Record<string, VersionBreaker['state']>> {
    const known = this.#links.get(link);
    if (!known) return {};
    return Object.fromEntries([...known.byKey].map(([key, breaker]) => [key, breaker.state]));
  }
}
