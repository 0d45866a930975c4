import { HealthImplementation } from 'grpc-health-check';
import { foreignServices } from './foreign.ts';
import type { ForeignService } from './foreign.ts';

/** Name of gRPC's health service. */
export const healthServiceName = 'grpc.health.v1.Health';

/** What `grpc.health.v1` answers: the whole server under the empty name, and each service under its own. */
export class Health {
  readonly #implementation = new HealthImplementation({ '': 'NOT_SERVING' });
  readonly #serving = new Map<string, boolean>([['', false]]);
  #draining = false;

  /** Sets the status of one service; the empty name is the whole server. Ignored once draining has begun. */
  set(service: string, serving: boolean): void {
    if (this.#draining) return;
    this.#serving.set(service, serving);
    this.#implementation.setStatus(service, serving ? 'SERVING' : 'NOT_SERVING');
  }

  /** Sets the status of every service that is known, the whole server too. */
  setAll(serving: boolean): void {
    for (const service of this.#serving.keys()) this.set(service, serving);
  }

  /** NOT_SERVING for all, for good. */
  drain(): void {
    this.setAll(false);
    this.#draining = true;
  }

  /** Services with what they say now. */
  statuses(): ReadonlyMap<string, boolean> {
    return this.#serving;
  }

  /** For the server that mounts it. */
  services(): ForeignService[] {
    return foreignServices(this.#implementation);
  }
}
