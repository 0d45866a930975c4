import { SluiceError, unavailable } from '@sluice/domain/errors';
import type { Message, Subscribe, SubscriptionPorts } from './subscription.ts';
import { Subscription } from './subscription.ts';
import type { Tail } from './tail.ts';

export interface SubscriptionsOptions extends Omit<SubscriptionPorts, 'tail'> {
  readonly tail: Tail;
  /** Throws `unavailable` while the database is known to be away. */
  readonly available: () => void;
  /** At once. */
  readonly most: number;
  readonly onSent: (message: Message) => void;
}

/** Those who follow the tables. */
export class Subscriptions {
  readonly #options: SubscriptionsOptions;
  #open = 0;
  #draining = false;

  constructor(options: SubscriptionsOptions) {
    this.#options = options;
  }

  get open(): number {
    return this.#open;
  }

  /**
   * Messages until `signal` aborts.
   *
   * @throws SluiceError resource-exhausted for one too many, unavailable while the database is away or this process stops; see
   *   `Subscription`
   */
  async *follow(request: Subscribe, signal: AbortSignal): AsyncGenerator<Message, void, undefined> {
    const { tail, available, most, onSent } = this.#options;
    available();
    this.#refuseWhileDraining();
    if (this.#open >= most)
      throw new SluiceError(
        'resource-exhausted',
        `${most} subscribers are here: use another feedback, or raise SLUICE_MAX_SUBSCRIBERS`,
        { retryAfterMs: 1_000 },
      );
    this.#open += 1;
    const leave = tail.enter();
    try {
      const subscription = await Subscription.open(this.#options, request);
      for await (const message of subscription.messages(signal)) {
        onSent(message);
        yield message;
        this.#refuseWhileDraining();
      }
    } finally {
      leave();
      this.#open -= 1;
    }
  }

  #refuseWhileDraining(): void {
    if (this.#draining)
      throw unavailable('this feedback is stopping: go on from the last cursor at another', { retryAfterMs: 0 });
  }

  /** Ends all of them with `unavailable`. */
  drain(): void {
    this.#draining = true;
    this.#options.tail.close();
  }
}
