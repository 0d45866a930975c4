import { SluiceError } from '@sluice/domain/errors';
import type { OnDemand } from './on-demand.ts';
import type { ServingTable } from './serving-table.ts';

/** What can bring a version about. */
export interface VersionWaits {
  readonly onDemand: Pick<OnDemand, 'wait'>;
  readonly table: Pick<ServingTable, 'find'>;
}

/** Loads that may be waited for at once, by all routers: each has 8 under way at most. */
const mostLoads = 256;

/** Waits for versions without an inference: what waits holds no bytes, so that their number is bounded here. */
export class LoadWaits {
  readonly #versions: VersionWaits;
  #count = 0;

  constructor(versions: VersionWaits) {
    this.#versions = versions;
  }

  /**
   * Resolves when the version is ready, which it brings about as a request for it would; see `OnDemand.wait`.
   * @throws SluiceError why it does not come, or the signal's reason; resource-exhausted when too many are waited for
   */
  async whenLoaded(model: string, version: number, signal: AbortSignal): Promise<void> {
    const ref = String(version);
    if (this.#versions.table.find(model, ref)?.engine) return;
    if (this.#count >= mostLoads) {
      const message = `${mostLoads} loads are waited for; try again when some have ended`;
      throw new SluiceError('resource-exhausted', message, { retryAfterMs: 1_000 });
    }
    signal.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<undefined>();
    const request = { sequence: undefined, start: () => resolve(undefined), fail: reject };
    const leave = this.#versions.onDemand.wait(model, ref, request);
    const stop = (): void => {
      if (leave()) reject(SluiceError.from(signal.reason));
    };
    signal.addEventListener('abort', stop);
    this.#count += 1;
    try {
      await promise;
    } finally {
      this.#count -= 1;
      signal.removeEventListener('abort', stop);
    }
  }
}
