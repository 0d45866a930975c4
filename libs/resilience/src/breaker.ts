import { EventEmitter } from 'node:events';
import CircuitBreaker from 'opossum';
import type { Clock } from '@sluice/domain/clock';
import { SluiceError } from '@sluice/domain/errors';
import type { ErrorKind } from '@sluice/domain/errors';

export const breakerStates = [
  /** Everything passes; failures are counted. */
  'closed',
  /** Too many failed: nothing passes until the reset time is over. */
  'open',
  /** One request passes to find out; the others wait for what it finds. */
  'half-open',
] as const;
export type BreakerState = (typeof breakerStates)[number];

export interface BreakerOptions {
  /** For messages and metrics, such as `runtime-1 digits/3`. */
  readonly name: string;
  readonly clock: Clock;
  /** Opens above this share of failures, in percent; default 50. */
  readonly failurePercent?: number;
  /** Never opens on fewer requests than this within the window; default 10. */
  readonly minRequests?: number;
  /** Window over which failures are counted, in milliseconds; default 10,000. */
  readonly windowMs?: number;
  /** How long it stays open before one request is let through, in milliseconds; default 1,000. */
  readonly resetMs?: number;
  /** Which failures count; default: those that say the peer is broken, not that the request is or that it is busy. */
  readonly isFailure?: (error: unknown) => boolean;
  readonly onState?: (state: BreakerState) => void;
}

/** Leave to send one request. Exactly one of its methods is called, once. */
export interface Permit {
  succeed(): void;
  /** Counts when `isFailure` says so; otherwise it proves that the peer is there. */
  fail(error: unknown): void;
  /** Nothing was learnt, such as when the caller went away. */
  release(): void;
}

export interface Breaker {
  readonly name: string;
  readonly state: BreakerState;
  /** Leave to send a request, or undefined while the breaker is open. */
  begin(): Permit | undefined;
  /** @throws SluiceError unavailable while the breaker is open, with the time after which to come back */
  run<T>(work: () => Promise<T>): Promise<T>;
  /** Drops its state; nothing passes afterwards. */
  close(): void;
}

/** Failures that say the peer is broken. Capacity errors do not: shedding load must not look like dying of it. */
const brokenPeer: Readonly<Record<ErrorKind, boolean>> = {
  'invalid-argument': false,
  'not-found': false,
  'already-exists': false,
  'failed-precondition': false,
  conflict: false,
  'permission-denied': false,
  'resource-exhausted': false,
  'deadline-exceeded': true,
  cancelled: false,
  unavailable: true,
  unimplemented: false,
  'data-loss': true,
  internal: true,
};

const buckets = 10;
/** opossum's own timers are never used: longer than any process lives. */
const never = 0x7fff_ffff;

/** opossum calls its action at once when it lets a request pass, and not at all otherwise. */
interface Attempt {
  granted: boolean;
  readonly outcome: Promise<unknown>;
}
type Circuit = CircuitBreaker<[Attempt]>;

/**
 * A circuit breaker on opossum, with its traps closed: no time-out of its own (deadlines do that), no abort controller
 * (opossum shares one among all calls), an explicit volume, capacity errors filtered. Time comes from the clock: buckets
 * rotate and the reset time ends when somebody asks, so a breaker holds no timer.
 */
export function createBreaker(options: BreakerOptions): Breaker {
  return new OpossumBreaker(options);
}

class OpossumBreaker implements Breaker {
  readonly name: string;
  readonly #options: BreakerOptions;
  readonly #isFailure: (error: unknown) => boolean;
  readonly #resetMs: number;
  readonly #bucketMs: number;
  readonly #rotation = new EventEmitter();
  #circuit: Circuit;
  #rotatedMs: number;
  #openedMs = 0;

  constructor(options: BreakerOptions) {
    this.name = options.name;
    this.#options = options;
    this.#isFailure = options.isFailure ?? ((error) => brokenPeer[SluiceError.from(error).kind]);
    this.#resetMs = options.resetMs ?? 1_000;
    this.#bucketMs = (options.windowMs ?? 10_000) / buckets;
    this.#rotatedMs = options.clock.monotonic();
    this.#circuit = this.#newCircuit(false);
  }

  get state(): BreakerState {
    this.#catchUp();
    if (this.#circuit.halfOpen) return 'half-open';
    return this.#circuit.opened ? 'open' : 'closed';
  }

  begin(): Permit | undefined {
    this.#catchUp();
    const circuit = this.#circuit;
    if (circuit.isShutdown) return undefined;
    const outcome = Promise.withResolvers<undefined>();
    const attempt: Attempt = { granted: false, outcome: outcome.promise };
    circuit.fire(attempt).catch(() => undefined);
    if (!attempt.granted) return undefined;
    return {
      succeed: () => outcome.resolve(undefined),
      fail: (error) => outcome.reject(error instanceof Error ? error : new Error(String(error))),
      // A promise that never settles counts nothing. A probe must end, though: back to open, to be tried again.
      release: () => {
        if (circuit.halfOpen) circuit.open();
      },
    };
  }

  async run<T>(work: () => Promise<T>): Promise<T> {
    const permit = this.begin();
    if (permit === undefined)
      throw new SluiceError('unavailable', `${this.name} failed too often and gets no requests for now`, {
        retryAfterMs: Math.max(1, Math.ceil(this.#openedMs + this.#resetMs - this.#options.clock.monotonic())),
      });
    try {
      const result = await work();
      permit.succeed();
      return result;
    } catch (error) {
      permit.fail(error);
      throw error;
    }
  }

  close(): void {
    this.#circuit.shutdown();
  }

  /** Does what opossum's timers would have done by now. */
  #catchUp(): void {
    const now = this.#options.clock.monotonic();
    const due = Math.min(buckets, Math.floor((now - this.#rotatedMs) / this.#bucketMs));
    if (due > 0) {
      for (let turn = 0; turn < due; turn++) this.#rotation.emit('rotate');
      this.#rotatedMs = due === buckets ? now : this.#rotatedMs + due * this.#bucketMs;
    }
    if (this.#circuit.opened && now >= this.#openedMs + this.#resetMs) {
      this.#circuit.shutdown();
      this.#circuit = this.#newCircuit(true);
      this.#options.onState?.('half-open');
    }
  }

  #newCircuit(halfOpen: boolean): Circuit {
    const circuit: Circuit = new CircuitBreaker(
      (attempt: Attempt) => {
        attempt.granted = true;
        return attempt.outcome;
      },
      {
        name: this.name,
        timeout: false,
        resetTimeout: never,
        errorThresholdPercentage: this.#options.failurePercent ?? 50,
        volumeThreshold: this.#options.minRequests ?? 10,
        rollingCountTimeout: this.#bucketMs * buckets,
        rollingCountBuckets: buckets,
        rollingPercentilesEnabled: false,
        enableSnapshots: false,
        rotateBucketController: this.#rotation,
        errorFilter: (error: unknown) => !this.#isFailure(error),
        ...(halfOpen && { state: { enabled: true, closed: false, halfOpen, warmUp: false, shutdown: false } }),
      },
    );
    circuit.on('open', () => {
      this.#openedMs = this.#options.clock.monotonic();
      this.#options.onState?.('open');
    });
    circuit.on('close', () => this.#options.onState?.('closed'));
    return circuit;
  }
}
