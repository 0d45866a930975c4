import { failedPrecondition } from '@sluice/domain/errors';
import { quarantinedError } from '@sluice/domain/quarantine';
import type { RouteTable, VersionRoute } from '../route/table.ts';
import { concernedBy, progressOf, reasonsOf } from '../runtimes/concerned.ts';
import type { RuntimeLink } from '../runtimes/runtime-link.ts';
import { Waiting } from './waiting.ts';

/** What a router sees of a runtime that it may wait for. */
export type SeenRuntime = Pick<
  RuntimeLink,
  'state' | 'address' | 'runtimeId' | 'ready' | 'notReady' | 'onDemand' | 'offer'
>;

export interface ReadinessOptions {
  readonly table: () => RouteTable | undefined;
  readonly runtimes: () => readonly SeenRuntime[];
  /** Brings back a version that runtimes gave up for others; resolves when one has it ready, rejects with why none does. */
  readonly wake: (version: VersionRoute, signal: AbortSignal) => Promise<void>;
}

/** Waits for this router's own view: its routes, and what its links say that runtimes have. */
export class Readiness {
  readonly #options: ReadinessOptions;
  readonly #waiting = new Waiting();

  constructor(options: ReadinessOptions) {
    this.#options = options;
  }

  /** To be called after every change of the routes and of the runtimes. */
  changed(): void {
    this.#waiting.changed();
  }

  /** Resolves when the routes are of that revision of the registry or a later one. */
  async whenApplied(revision: number, signal: AbortSignal): Promise<void> {
    await this.#waiting.until(() => this.#applied(revision) || undefined, signal);
  }

  /**
   * Resolves when requests for the version reach a runtime that has it ready. Where all runtimes that it is for gave it up
   * for others it is brought back, as a request would.
   *
   * @param revision of the registry, as of which the version is placed
   * @throws SluiceError failed-precondition when it is quarantined, when it is placed no more, and with the reason of each
   *   live runtime that it is for when all have failed to load it
   */
  async whenReady(model: string, version: number, revision: number, signal: AbortSignal): Promise<void> {
    for (;;) {
      const found = await this.#waiting.until(() => {
        if (!this.#applied(revision)) return undefined;
        return this.#look(this.#placed(model, version));
      }, signal);
      if (found === 'ready') return;
      await this.#options.wake(found, signal);
    }
  }

  #applied(revision: number): boolean {
    return (this.#options.table()?.revision ?? -1) >= revision;
  }

  #placed(name: string, version: number): VersionRoute {
    const model = this.#options.table()?.models.get(name);
    const reason = model?.quarantined.get(version);
    if (reason !== undefined) throw quarantinedError({ model: name, version, reason });
    const route = model?.placed.get(version);
    if (route) return route;
    throw failedPrecondition(`version ${version} was taken away meanwhile: nothing holds it any more`);
  }

  /** The version itself where it has to be brought back; undefined while it is on its way or no runtime for it is up. */
  #look(version: VersionRoute): 'ready' | VersionRoute | undefined {
    const { key } = version;
    const live = this.#options.runtimes().filter(({ state }) => state === 'up');
    if (live.some(({ ready }) => ready.has(key))) return 'ready';
    const concerned = concernedBy(version, live);
    const states = new Set(concerned.map((runtime) => progressOf(runtime, key)));
    // Where there is none a runtime may come.
    if (states.size === 0 || states.has('coming')) return undefined;
    if (states.has('waiting')) return version;
    throw failedPrecondition(`no runtime can load version ${version.text}: ${reasonsOf(key, concerned)}`);
  }
}
