import { createOipClient } from '@sluice/client/oip-client';
import type { OipClient } from '@sluice/client/oip-client';
import { RpcError } from '@sluice/client/errors';
import type { FailureOrigin } from '@sluice/client/errors';
import type { TlsSource } from '@sluice/rpc/tls/source';

/** One answered request: when it was sent (milliseconds, monotonic) and the version that answered. */
export interface Answered {
  readonly sentAt: number;
  readonly version: string;
}

/** One request that failed. */
export interface Failed {
  readonly sentAt: number;
  /** How, in the words of `libs/rpc`: `unsent` and `answered` are clean, `lost` leaves open what became of it. */
  readonly origin: FailureOrigin | 'unknown';
  readonly why: string;
}

export interface LoadOptions {
  /** Requests in flight. */
  readonly concurrency: number;
  /** 0 sends each request once; else how long to go on while the other side is away. */
  readonly retryForMs: number;
  /** What sends one request after the other ends at its first failure: for a router that is being stopped. */
  readonly endsAtFailure?: boolean;
  /** What it connects with; without it, plainly. */
  readonly tls?: TlsSource;
}

/** Sends digits to an address until it is stopped, and remembers what failed and who answered. */
export class Load {
  readonly failures: Failed[] = [];
  readonly answers: Answered[] = [];
  /** The longest time between two answers so far, in milliseconds. */
  longestGapMs = 0;
  readonly #client: OipClient;
  readonly #workers: Promise<void>[];
  readonly #endsAtFailure: boolean;
  #running = true;
  #lastAnswer = performance.now();

  constructor(address: string, { concurrency, retryForMs, endsAtFailure = false, tls }: LoadOptions) {
    this.#endsAtFailure = endsAtFailure;
    this.#client = createOipClient(address, { timeoutMs: 10_000, retryForMs, tls });
    this.#workers = Array.from({ length: concurrency }, async (_, index) => this.#work(index));
  }

  /** Resolves when all that sends has ended at a failure. */
  async refused(): Promise<void> {
    await Promise.all(this.#workers);
  }

  async stop(): Promise<void> {
    this.#running = false;
    await Promise.all(this.#workers);
    this.#client.close();
  }

  async #work(index: number): Promise<void> {
    for (let turn = index; this.#running; turn++) {
      const sentAt = performance.now();
      try {
        const data = Float32Array.from({ length: 64 }, (_, pixel) => (pixel * turn) % 17);
        const input = { name: 'pixels', datatype: 'FP32' as const, shape: [1, 64], data };
        const { version } = await this.#client.infer({ model: 'digits', inputs: [input] });
        this.answers.push({ sentAt, version });
        const now = performance.now();
        this.longestGapMs = Math.max(this.longestGapMs, now - this.#lastAnswer);
        this.#lastAnswer = now;
      } catch (error) {
        const known = error instanceof RpcError;
        const why = known ? `${error.kind}: ${error.message}` : String(error);
        this.failures.push({ sentAt, origin: known ? error.origin : 'unknown', why });
        if (this.#endsAtFailure) return;
      }
    }
  }
}
