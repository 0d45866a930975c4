import { SluiceError } from '@sluice/domain/errors';
import type { ErrorKind } from '@sluice/domain/errors';
import type { Breaker } from '@sluice/resilience/breaker';
import { RpcError } from '@sluice/rpc/status';
import type { FailureOrigin } from '@sluice/rpc/status';
import type { RawCallOptions, RawOutcome } from '@sluice/rpc/raw-client';
import { Forwarder } from '../src/route/forward.ts';
import { RouterRetryBudget } from '../src/route/retry-tokens.ts';
import type { VersionTarget } from '../src/route/table.ts';
import type { RuntimeLink } from '../src/runtimes/runtime-link.ts';
import { draws, modelRoute } from './routes.ts';

/** What is asked for. */
export const version = modelRoute({ placed: [3] }).placed.get(3)!;

/** A runtime link's outside: what was sent there, and a way to answer it. */
export class Runtime {
  inFlight = 0;
  cancelled = 0;
  /** Its channel takes nothing. */
  isClosed = false;
  readonly address: string;
  readonly runtimeId: string;
  readonly sent: { message: Uint8Array; options: RawCallOptions }[] = [];
  readonly #waiting: ((outcome: RawOutcome) => void)[] = [];
  readonly breaker = { open: false, results: [] as string[] };

  constructor(address: string) {
    this.address = address;
    this.runtimeId = `id of ${address}`;
  }

  send(_path: string, message: Uint8Array, options: RawCallOptions, done: (outcome: RawOutcome) => void) {
    if (this.isClosed) throw new Error('channel is closed');
    this.inFlight++;
    this.sent.push({ message, options });
    this.#waiting.push(done);
    return {
      cancel: () => {
        this.cancelled++;
      },
    };
  }

  answer(message = 'ok'): void {
    this.#end({ error: undefined, message: Buffer.from(message), messageArrived: true, trailer: () => undefined });
  }

  fail(
    origin: FailureOrigin,
    kind: ErrorKind = 'unavailable',
    retryAfterMs?: number,
    trailers: Readonly<Record<string, string>> = {},
  ): void {
    const error = new RpcError(kind, 'it failed', { origin, code: 14, retryAfterMs, trailers });
    this.#end({ error, message: undefined, messageArrived: false, trailer: () => undefined });
  }

  /** Every request that is in flight fails. */
  failAll(origin: FailureOrigin): void {
    while (this.inFlight > 0) this.fail(origin);
  }

  #end(outcome: RawOutcome): void {
    this.inFlight--;
    this.#waiting.pop()!(outcome);
  }

  get versionBreaker(): Breaker {
    const permit = {
      succeed: () => void this.breaker.results.push('succeeded'),
      fail: () => void this.breaker.results.push('failed'),
      unanswered: () => void this.breaker.results.push('unanswered'),
      release: () => void this.breaker.results.push('released'),
    };
    return {
      name: this.address,
      state: this.breaker.open ? 'open' : 'closed',
      begin: () => (this.breaker.open ? undefined : permit),
      run: (work) => work(),
      close: () => undefined,
    };
  }
}

/** A forwarder over such runtimes. @param spent without a token for retries */
export function forwardWorld(runtimes: Runtime[], spent = false) {
  const state = {
    ready: runtimes,
    /** Of versions that others have. */
    readyOf: {} as Readonly<Record<string, Runtime[]>>,
    onDemand: [] as Runtime[],
    /** Those that cannot load it. */
    refused: [] as string[],
    whyNotLoaded: undefined as string | undefined,
    failed: [] as string[],
    ended: [] as string[],
    /** What the request was told on its way. */
    told: [] as string[],
    /** The version that may answer instead. */
    instead: undefined as VersionTarget | undefined,
  };
  const budget = new RouterRetryBudget();
  if (spent) while (budget.tryTake('lost'));
  const forwarder = new Forwarder({
    random: draws(0),
    readyFor: (key) => (state.readyOf[key] ?? state.ready) as unknown as RuntimeLink[],
    onDemandFor: () => state.onDemand as unknown as RuntimeLink[],
    whyNotLoaded: () => state.whyNotLoaded,
    onCannotLoad: (link, key, error) => void state.refused.push(`${link.address} ${key} ${error.message}`),
    breakerOf: (link) => (link as unknown as Runtime).versionBreaker,
    budget,
    onFailedAttempt: (_version, failure, retried) =>
      state.failed.push(`${failure.origin} ${retried ? 'retried' : 'answered'}`),
  });
  const send = () =>
    forwarder.send(version, undefined, {
      message: new Uint8Array(3),
      deadlineMs: 1234,
      metadata: undefined,
      get instead() {
        return state.instead;
      },
      sending: ({ address }) => void state.told.push(`to ${address}`),
      retrying: ({ kind }) => void state.told.push(`again after ${kind}`),
      fallingBack: ({ kind }) => {
        state.told.push(`instead after ${kind}`);
        state.instead = undefined;
      },
      done: (error, answer) => {
        state.ended.push(error instanceof SluiceError ? `${error.kind}: ${error.message}` : answer!.toString());
      },
    });
  return { state, send, budget };
}
