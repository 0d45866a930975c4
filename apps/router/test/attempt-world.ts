import { SluiceError } from '@sluice/domain/errors';
import type { ErrorKind } from '@sluice/domain/errors';
import { createBreaker } from '@sluice/resilience/breaker';
import type { RawCall } from '@sluice/rpc/handlers';
import type { RawCallOptions, RawOutcome } from '@sluice/rpc/raw-client';
import { RpcError } from '@sluice/rpc/status';
import type { FailureOrigin } from '@sluice/rpc/status';
import { FakeClock } from '@sluice/testkit/fake-clock';
import type { AttemptEnd, AttemptObserver, ObservedAttempt } from '../src/route/attempt-observer.ts';
import { Forwarder } from '../src/route/forward.ts';
import type { SendingOptions } from '../src/route/forward.ts';
import { InFlight } from '../src/route/in-flight.ts';
import { inferHandler } from '../src/route/infer.ts';
import { PredictionIds } from '../src/route/prediction-id.ts';
import { RouterRetryBudget } from '../src/route/retry-tokens.ts';
import { Sequences } from '../src/route/sequences/sequences.ts';
import { Shadows } from '../src/route/shadows.ts';
import { targetOf } from '../src/route/table.ts';
import type { ModelRoute, VersionTarget } from '../src/route/table.ts';
import { Breakers } from '../src/runtimes/breakers.ts';
import { Fleet } from '../src/runtimes/fleet.ts';
import { RuntimeLink } from '../src/runtimes/runtime-link.ts';
import type { RuntimeStatus } from '../src/runtimes/runtime-link.ts';
import { FedStreams, recordingLogger, settle } from './doubles.ts';
import { status } from './fleet-world.ts';
import { draws } from './routes.ts';
import { inferBytes } from './world.ts';

/** A request at a runtime. */
interface Arrived {
  readonly runtime: string;
  /** The number behind the message. */
  readonly version: string;
  readonly options: RawCallOptions;
  isCancelled: boolean;
  answer(text?: string): void;
  fail(origin: FailureOrigin, kind?: ErrorKind): void;
}

/** What an observer was told, copied. */
export type Told = Omit<ObservedAttempt, never> & AttemptEnd;

/** A caller's side of a request. */
export interface Asked {
  answers: string[];
  predictionId: string;
  cancel(kind: ErrorKind): void;
}

/**
 * All that a request passes through in a router, as `compose` puts it together, with what no test needs real: connections,
 * the clock, and the draws.
 */
export async function attemptWorld(
  model: ModelRoute,
  runtimes: Readonly<Record<string, readonly number[]>>,
  given: {
    readonly observed?: boolean;
    readonly draws?: readonly number[];
    /** Whether answers wait for their evidence; never by default. */
    readonly reserve?: AttemptObserver['reserve'];
    readonly mustStore?: boolean;
  } = {},
) {
  const clock = new FakeClock();
  const random = draws(...(given.draws ?? [0]));
  const { logger } = recordingLogger();
  const arrived: Arrived[] = [];
  const told: Told[] = [];
  const counted: string[] = [];
  const turns: (() => void)[] = [];
  const streams = new Map<string, FedStreams<string, RuntimeStatus>>();
  const fleet = new Fleet({
    clock,
    connect: (address, onChange) => {
      const fed = new FedStreams<string, RuntimeStatus>();
      streams.set(address, fed);
      const link = new RuntimeLink({
        ...{ address, clock, logger, onChange, backoffMs: () => 100 },
        connection: {
          call: (_path, _message, options, done) => arrive(arrived, address, options, done),
          isConnected: () => true,
          close: () => undefined,
        },
        watchStatus: (signal) => fed.open(address, signal),
      });
      void link.run();
      return link;
    },
  });
  fleet.setAddresses(Object.keys(runtimes));
  await settle();
  for (const [address, versions] of Object.entries(runtimes))
    streams.get(address)!.send({ ...status(versions.map((number) => ['digits', number, true])), runtimeId: address });
  await settle();

  const breakersOf = (what: string) =>
    new Breakers({ create: (runtime, key) => createBreaker({ name: `${what} ${runtime} ${key}`, clock }) });
  const [live, ofShadows] = [breakersOf('live'), breakersOf('shadow')];
  const budget = new RouterRetryBudget();
  const sending: SendingOptions = {
    readyFor: (key) => fleet.readyFor(key),
    onDemandFor: (version) => fleet.onDemandFor(version),
    whyNotLoaded: (key) => fleet.whyNotLoaded(key),
    onCannotLoad: (link, key, error) => fleet.cannotLoad(link, key, error.message),
    breakerOf: (link, key) => live.of(link, key),
    budget,
    onFailedAttempt: () => undefined,
  };
  const observer: AttemptObserver | undefined =
    given.observed === false
      ? undefined
      : {
          attemptEnded: (attempt, end) => void told.push(copyOf(attempt, end)),
          reserve: given.reserve ?? (() => undefined),
        };
  const forwarder = new Forwarder({ ...sending, random });
  const shadows = new Shadows({
    ...{ clock, random, observer, readyFor: sending.readyFor },
    bounds: { copies: 100, inFlight: 10, bytes: 1e6, deadlineMs: 5_000 },
    breakerOf: (link, key) => ofShadows.of(link, key),
    onEnded: (version, arm, error) => void counted.push(`shadow ${version.key} ${arm.name} ${error?.kind ?? 'ok'}`),
    defer: (fn) => void turns.push(fn),
  });
  const sequences = new Sequences({
    ...sending,
    ...{ clock, maxSequences: 10, orderedBytes: 1e5, quarantineOf: () => undefined },
    find: async () => ({ kind: 'nowhere' }),
    destination: (name, number): VersionTarget => model.placed.get(number) ?? targetOf(name, number),
  });
  const inFlight = new InFlight({ requests: 0, bytes: 0 });
  const handler = inferHandler({
    ...{ ids: new PredictionIds(clock, random), random, clock, forwarder, shadows, sequences, inFlight, observer },
    table: () => ({ revision: 1, models: new Map([[model.name, model]]) }),
    mustStore: () => given.mustStore ?? false,
    onDefect: () => undefined,
    onAnswer: (version, arm, error, tookMs) =>
      void counted.push(`${version.key} ${arm?.name ?? '-'} ${error?.kind ?? 'ok'} ${tookMs}`),
    onFallback: (version, arm, error) => void counted.push(`fallback ${version.key} ${arm.name} ${error.kind}`),
  });
  return {
    ...{ clock, fleet, streams, arrived, told, counted, budget, shadows, inFlight, live, ofShadows },
    /** Ends the turn of the event loop. */
    turn: (): void => {
      for (const fn of turns.splice(0)) fn();
    },
    ask: (metadata: Readonly<Record<string, string>> = {}, request = inferBytes({ id: 'mine' })): Asked =>
      ask(handler, clock, metadata, request),
  };
}

/** Everything that is told, as it is when it is told. */
function copyOf(attempt: ObservedAttempt, end: AttemptEnd): Told {
  const { predictionId, version, assigned, served, reason, rule, runtimeId, fallback } = attempt;
  const { receivedMs, sentMs, message, requestId, said, traceparent } = attempt;
  return {
    ...{ predictionId, version, assigned, served, reason, rule, attempt: attempt.attempt, runtimeId, fallback },
    ...{ receivedMs, sentMs, message, requestId, said, traceparent },
    ...end,
  };
}

function arrive(
  arrived: Arrived[],
  runtime: string,
  options: RawCallOptions,
  done: (outcome: RawOutcome) => void,
): { cancel(): void } {
  const trailer = (key: string): string | undefined => (key === 'from' ? runtime : undefined);
  const request: Arrived = {
    ...{ runtime, options, isCancelled: false },
    version: options.suffix === undefined ? '' : Buffer.from(options.suffix).toString().slice(2),
    answer: (text = `by ${runtime}`) =>
      done({ error: undefined, message: Buffer.from(text), messageArrived: true, trailer }),
    fail(origin, kind = 'unavailable') {
      const error = new RpcError(kind, 'it failed', { origin, code: 14, retryAfterMs: 5 });
      done({ error, message: undefined, messageArrived: false, trailer });
    },
  };
  arrived.push(request);
  return { cancel: () => void (request.isCancelled = true) };
}

function ask(
  handler: ReturnType<typeof inferHandler>,
  clock: FakeClock,
  metadata: Readonly<Record<string, string>>,
  request: Buffer,
): Asked {
  let cancelled: (reason: SluiceError) => void = () => undefined;
  const asked: Asked = {
    answers: [],
    predictionId: '',
    cancel: (kind) => cancelled(new SluiceError(kind, 'given up')),
  };
  const call: RawCall = {
    ...{ method: 'm', peer: 'p', deadlineMs: clock.now() + 1_000, ended: false },
    metadata: (key) => metadata[key],
    setTrailer: (_key, value) => void (asked.predictionId = value),
    respond: (...pieces) => void asked.answers.push(Buffer.from(pieces[0]).toString()),
    fail: (error) => void asked.answers.push(SluiceError.from(error).kind),
    onCancel: (fn) => void (cancelled = fn),
  };
  try {
    handler(request, call);
  } catch (error) {
    call.fail(error);
  }
  return asked;
}
