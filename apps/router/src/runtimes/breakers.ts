import type { Breaker, BreakerState } from '@sluice/resilience/breaker';
import { versionOf } from '../route/table.ts';
import type { RuntimeLink } from './runtime-link.ts';

export interface BreakersOptions {
  /** Makes the breaker of a version (see `versionKey`) on a runtime. */
  readonly create: (runtime: string, key: string) => Breaker;
}

/** A breaker as metrics show it. */
export interface ShownBreaker {
  readonly runtime: string;
  readonly model: string;
  readonly version: string;
  readonly state: BreakerState;
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
      if (known) dropAll(known);
      known = { session: link.session, byKey: new Map() };
      this.#links.set(link, known);
    }
    let breaker = known.byKey.get(key);
    if (!breaker) {
      breaker = this.#options.create(link.address, key);
      known.byKey.set(key, breaker);
    }
    return breaker;
  }

  /** Keeps the breakers of these runtimes, of the versions that they have and of their present sessions only. */
  retain(links: readonly RuntimeLink[]): void {
    for (const [link, known] of this.#links) {
      if (links.includes(link) && known.session === link.session) {
        for (const key of known.byKey.keys()) if (!link.ready.has(key)) drop(known, key);
      } else {
        this.#links.delete(link);
        dropAll(known);
      }
    }
  }

  /** The breakers of a runtime by version, for people. */
  states(link: RuntimeLink): Readonly<Record<string, BreakerState>> {
    const known = this.#links.get(link);
    if (!known) return {};
    return Object.fromEntries([...known.byKey].map(([key, breaker]) => [key, breaker.state]));
  }

  /** All that there are. */
  *all(): Generator<ShownBreaker> {
    for (const [{ address }, { byKey }] of this.#links) {
      for (const [key, { state }] of byKey) yield { runtime: address, ...versionOf(key), state };
    }
  }
}

function dropAll(known: OfLink): void {
  for (const key of known.byKey.keys()) drop(known, key);
}

/** Requests that it let pass may still end; it tells of nothing then. */
function drop(known: OfLink, key: string): void {
  known.byKey.get(key)?.close();
  known.byKey.delete(key);
}
