import type { Breaker, BreakerState } from '@sluice/resilience/breaker';
import type { RuntimeLink } from './runtime-link.ts';

/**
 * One breaker per runtime and version, made when first needed. A runtime that comes back starts with new ones: what
 * broke was another process.
 */
export class Breakers {
  readonly #create: (address: string, key: string) => Breaker;
  readonly #links = new WeakMap<RuntimeLink, { session: number; readonly byKey: Map<string, Breaker> }>();

  constructor(create: (address: string, key: string) => Breaker) {
    this.#create = create;
  }

  of(link: RuntimeLink, key: string): Breaker {
    let known = this.#links.get(link);
    if (!known || known.session !== link.session) {
      known = { session: link.session, byKey: new Map() };
      this.#links.set(link, known);
    }
    let breaker = known.byKey.get(key);
    if (!breaker) {
      breaker = this.#create(link.address, key);
      known.byKey.set(key, breaker);
    }
    return breaker;
  }

  /** The breakers of a runtime by version, for people. */
  states(link: RuntimeLink): Readonly<Record<string, BreakerState>> {
    const known = this.#links.get(link);
    if (!known) return {};
    return Object.fromEntries([...known.byKey].map(([key, breaker]) => [key, breaker.state]));
  }
}
