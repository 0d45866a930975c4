import {
  feedbackService,
  labelService,
  predictionService,
  privacyService,
  subscribeService,
} from '@sluice/contracts/services';
import type {
  FeedbackServiceMethods,
  LabelServiceMethods,
  PredictionServiceMethods,
  PrivacyServiceMethods,
  Service,
  SubscribeServiceMethods,
} from '@sluice/contracts/services';
import { createRpcClient } from '@sluice/rpc/client';
import type { RpcClient } from '@sluice/rpc/client';
import { systemRandom } from '@sluice/service-kit/clock';
import { parseAddresses } from './addresses.ts';
import { callerClock } from './caller-clock.ts';
import type { RegistryClientOptions } from './registry-client.ts';
import { retrying } from './registry-client.ts';

export const defaultFeedbackPort = 8111;

/** As those of a registry's client. */
export type FeedbackClientOptions = RegistryClientOptions;

/** A client of feedback. Unary calls are retried while it is away, changes only when they cannot have begun. */
export class FeedbackClient {
  /** What turned out to be true, and what people said. */
  readonly labels: RpcClient<LabelServiceMethods>;
  /** What was predicted, and whether it was right. */
  readonly predictions: RpcClient<PredictionServiceMethods>;
  /** Orders to erase what is kept of a person. */
  readonly privacy: RpcClient<PrivacyServiceMethods>;
  /** What is recorded, as it is committed. */
  readonly subscription: RpcClient<SubscribeServiceMethods>;
  /** What could not be stored. */
  readonly deadLetters: RpcClient<FeedbackServiceMethods>;

  /** @param addresses `host:port`, comma separated; the next is used when one is away */
  constructor(addresses: string, options: FeedbackClientOptions = {}) {
    const list = parseAddresses(addresses, defaultFeedbackPort);
    const { clock = callerClock, random = systemRandom, retryForMs = 3_000, timeoutMs = 30_000 } = options;
    const make = <Methods>(service: Service<Methods>): RpcClient<Methods> => {
      const client = createRpcClient(service, list, {
        ...{ clock, defaultTimeoutMs: timeoutMs, tls: options.tls },
        ...(options.actor !== undefined && { actor: options.actor }),
      });
      return retrying(service, client, { clock, random, retryForMs }, timeoutMs);
    };
    this.labels = make(labelService);
    this.predictions = make(predictionService);
    this.privacy = make(privacyService);
    this.subscription = make(subscribeService);
    this.deadLetters = make(feedbackService);
  }

  close(): void {
    const { labels, predictions, privacy, subscription, deadLetters } = this;
    for (const client of [labels, predictions, privacy, subscription, deadLetters]) client.close();
  }
}

/** @param addresses of feedback, such as `127.0.0.1:8111` */
export function createFeedbackClient(addresses: string, options: FeedbackClientOptions = {}): FeedbackClient {
  return new FeedbackClient(addresses, options);
}
