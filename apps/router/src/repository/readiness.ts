import { failedPrecondition } from '@sluice/domain/errors';
import { versionKey } from '../route/table.ts';
import type { RouteTable } from '../route/table.ts';
import type { RuntimeLink } from '../runtimes/runtime-link.ts';
import { Waiting } from './waiting.ts';

/** What a router sees of a runtime that it may wait for. */
export type SeenRuntime = Pick<RuntimeLink, 'state' | 'address' | 'runtimeId' | 'ready' | 'notReady'>;

export interface ReadinessOptions {
  readonly table: () => RouteTable | undefined;
  readonly runtimes: () => readonly SeenRuntime[];
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
   * Resolves when requests for the version reach a runtime that has it ready.
   *
   * @throws SluiceError failed-precondition with the reason of each live runtime, when all have failed to load it
   */
  async whenReady(model: string, version: number, revision: number, signal: AbortSignal): Promise<void> {
    const key = versionKey(model, version);
    await this.#waiting.until(() => {
      const placed = this.#options.table()?.models.get(model)?.placed.has(version) ?? false;
      return (placed && this.#applied(revision) && this.#isReady(key, version)) || undefined;
    }, signal);
  }

  #applied(revision: number): boolean {
    return (this.#options.table()?.revision ?? -1) >= revision;
  }

  #isReady(key: string, version: number): boolean {
    const live = this.#options.runtimes().filter(({ state }) => state === 'up');
    if (live.some(({ ready }) => ready.has(key))) return true;
    const reasons = live.flatMap(({ runtimeId, address, notReady }) => {
      const reason = notReady.get(key) ?? '';
      return reason === '' ? [] : `${runtimeId || address}: ${reason}`;
    });
    // Where there is none a runtime may come; one that says nothing of it is loading it.
    if (reasons.length === 0 || reasons.length < live.length) return false;
    throw failedPrecondition(`no runtime can load version ${version}: ${reasons.join('; ')}`);
  }
}
