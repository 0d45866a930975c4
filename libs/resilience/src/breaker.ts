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
  /**
   * How long no request may be answered, while at least `minRequests` ran into their deadlines, before it opens; default
   * `windowMs`. What hangs fails no request by itself.
   */
  readonly silentMs?: number;
  /** How long the one request of a half-open breaker may take before another is tried, in milliseconds; default 10,000. */
  readonly probeMs?: number;
  /** Which failures count; default: those that say the peer is broken, not that the request is or that it is busy. */
  readonly isFailure?: (error: unknown) => boolean;
  readonly onState?: (state: BreakerState) => void;
}

/** Leave to send one request. Exactly one of its methods is called, once. */
export interface Permit {
  succeed(): void;
  /** Counts when `isFailure` says so; otherwise it proves that the peer is there. */
  fail(error: unknown): void;
  /** No answer came before the caller's deadline: means something when it happens to all of them for long. */
  unanswered(): void;
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
  'out-of-range': false,
  unimplemented: false,
  'data-loss': true,
  'model-failed': false,
  internal: true,
};

const buckets = 10;
const defaultProbeMs = 10_000;
/** opossum's own timers are never used: longer than any process lives. */
const never = 0x7fff_ffff;

/** opossum calls its action at once when it lets a request pass, and not at all otherwise. */
interface Attempt {
  granted: boolean;
  readonly outcome: Promise<unknown>;
}
type Circuit = CircuitBreaker<[Attempt]>;

const asError = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)));

/**
 * A circuit breaker on opossum, with its traps closed: no time-out of its own (deadlines do that), no abort controller
 * (opossum shares one among all calls), an explicit volume, capacity errors filtered. Opossum hears of a request when it
 * has ended: its rate counts what it was told of, and requests in flight would dilute it. Time comes from the clock: buckets
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
  /** When the probe of a half-open circuit began. */
  #probedMs: number | undefined;
  /** Requests that ran into their deadlines since the last answer. */
  #silence: { readonly sinceMs: number; count: number } | undefined;
  #isClosed = false;

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
    if (circuit.halfOpen) return this.#probe(circuit);
    return circuit.opened ? undefined : this.#counted(circuit);
  }

  /** Leave of a closed breaker: opossum is told how the request ended, when it has. */
  #counted(circuit: Circuit): Permit {
    const tell = (outcome: Promise<unknown>): void => {
      // Handled here, since a circuit that has opened meanwhile does not take it.
      outcome.catch(() => undefined);
      circuit.fire({ granted: false, outcome }).catch(() => undefined);
    };
    return {
      succeed: () => {
        this.#silence = undefined;
        tell(Promise.resolve());
      },
      fail: (error) => {
        if (!this.#isFailure(error)) this.#silence = undefined;
        tell(Promise.reject(asError(error)));
      },
      unanswered: () => {
        if (circuit === this.#circuit && circuit.closed) this.#unanswered(circuit);
      },
      release: () => undefined,
    };
  }

  #unanswered(circuit: Circuit): void {
    const now = this.#options.clock.monotonic();
    this.#silence ??= { sinceMs: now, count: 0 };
    this.#silence.count++;
    const { sinceMs, count } = this.#silence;
    const isLong = now - sinceMs >= (this.#options.silentMs ?? this.#bucketMs * buckets);
    if (isLong && count >= (this.#options.minRequests ?? 10)) circuit.open();
  }

  /** Leave to find out whether the peer is well again; undefined while another request does. */
  #probe(circuit: Circuit): Permit | undefined {
    const outcome = Promise.withResolvers<undefined>();
    const attempt: Attempt = { granted: false, outcome: outcome.promise };
    circuit.fire(attempt).catch(() => undefined);
    if (!attempt.granted) return undefined;
    this.#probedMs = this.#options.clock.monotonic();
    // A probe must end: back to open, to be tried again.
    const reopen = (): void => {
      if (circuit.halfOpen) circuit.open();
    };
    return {
      succeed: () => {
        outcome.resolve(undefined);
        // It took longer than a probe may, so that the breaker gave it up; it is the best news nevertheless.
        if (circuit.opened || circuit !== this.#circuit) this.#circuit.close();
      },
      fail: (error) => outcome.reject(asError(error)),
      unanswered: reopen,
      release: reopen,
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
    this.#isClosed = true;
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
    const { probeMs = defaultProbeMs } = this.#options;
    if (this.#circuit.halfOpen && this.#probedMs !== undefined && now >= this.#probedMs + probeMs) this.#circuit.open();
    if (this.#circuit.opened && now >= this.#openedMs + this.#resetMs) {
      this.#circuit.shutdown();
      this.#circuit = this.#newCircuit(true);
      this.#probedMs = undefined;
      this.#tell('half-open');
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
      if (circuit !== this.#circuit) return;
      this.#openedMs = this.#options.clock.monotonic();
      this.#silence = undefined;
      this.#tell('open');
    });
    circuit.on('close', () => {
      if (circuit === this.#circuit) this.#tell('closed');
    });
    return circuit;
  }

  #tell(state: BreakerState): void {
    if (!this.#isClosed) this.#options.onState?.(state);
  }
}
