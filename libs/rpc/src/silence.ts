import type { Clock, Timer } from '@sluice/domain/clock';
import type { Replicas } from './replicas.ts';
import { RpcError, statusCodes } from './status.ts';

/** Ends a stream whose replica turns out to hang, so that its caller goes to another one. */
export class Silence {
  error: RpcError | undefined;
  /** An answer came. */
  over = false;
  readonly #unwatch: () => void;
  readonly #timer: Timer | undefined;

  constructor(
    { replicas, clock }: { readonly replicas: Replicas; readonly clock: Clock },
    address: string,
    firstAnswerMs: number | undefined,
    cancel: () => void,
  ) {
    this.#unwatch = replicas.whenSilent(address, () => {
      this.error = new RpcError('unavailable', `${address} does not answer`, {
        origin: 'lost',
        code: statusCodes.UNAVAILABLE,
      });
      cancel();
    });
    if (firstAnswerMs !== undefined && replicas.count > 1)
      this.#timer = clock.schedule(firstAnswerMs, () => replicas.silent(address));
  }

  answered(): void {
    this.over = true;
    this.#timer?.cancel();
  }

  stop(): void {
    this.#timer?.cancel();
    this.#unwatch();
  }
}
