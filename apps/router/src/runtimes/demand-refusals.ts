import type { Clock } from '@sluice/domain/clock';

/** How long a runtime is not asked again for a version that it cannot load, in milliseconds: its device may come back. */
export const refusalMs = 10_000;

/** What is remembered of a runtime. */
interface OfRuntime {
  readonly session: number;
  readonly byKey: Map<string, { readonly why: string; readonly untilMs: number }>;
}

/** Versions that runtimes said they cannot load on demand, until they come up anew, the routes change, or time passes. */
export class DemandRefusals<Runtime extends { readonly session: number }> {
  readonly #clock: Pick<Clock, 'monotonic'>;
  /** Of runtimes that are gone nothing is kept. Keys are of versions that the routes have, which bounds them. */
  #runtimes = new WeakMap<Runtime, OfRuntime>();

  constructor(clock: Pick<Clock, 'monotonic'>) {
    this.#clock = clock;
  }

  /** @param why what it said */
  add(runtime: Runtime, key: string, why: string): void {
    let known = this.#runtimes.get(runtime);
    if (known?.session !== runtime.session) {
      known = { session: runtime.session, byKey: new Map() };
      this.#runtimes.set(runtime, known);
    }
    known.byKey.set(key, { why, untilMs: this.#clock.monotonic() + refusalMs });
  }

  /** Why a runtime cannot load a version; undefined when it may be asked. */
  of(runtime: Runtime, key: string): string | undefined {
    const known = this.#runtimes.get(runtime);
    if (known?.session !== runtime.session) return undefined;
    const refusal = known.byKey.get(key);
    return refusal && this.#clock.monotonic() < refusal.untilMs ? refusal.why : undefined;
  }

  /** The routes have changed. */
  clear(): void {
    this.#runtimes = new WeakMap();
  }
}
