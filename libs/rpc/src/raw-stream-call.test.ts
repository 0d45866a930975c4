import type { ServerDuplexStream } from '@grpc/grpc-js';
import { SluiceError } from '@sluice/domain/errors';
import { createLogger } from '@sluice/service-kit/logger';
import { MethodStats } from '@sluice/telemetry/request-stats';
import { FakeClock } from '@sluice/testkit/fake-clock';
import { describe, expect, it } from 'vitest';
import { echoCodec } from '../test/echo-codec.ts';
import { FakeStream } from '../test/fake-stream.ts';
import { ActiveCalls } from './active-calls.ts';
import type { RawCall, RawStreamMethod, RawUnaryHandler } from './handlers.ts';
import { RawStreamCall } from './raw-stream-call.ts';
import type { ServerCore } from './server-core.ts';
import { SlowPeers } from './slow-peers.ts';

interface World {
  readonly clock: FakeClock;
  readonly active: ActiveCalls;
  readonly surface: FakeStream;
  readonly call: RawStreamCall;
  /** Requests that a handler which answers nothing by itself was given. */
  readonly given: Map<string, RawCall>;
  readonly defects: unknown[];
  readonly streams: MethodStats;
  readonly requests: MethodStats;
}

function start(
  options: Partial<RawStreamMethod> & { readonly deadlineMs?: number; readonly endsAtFailure?: boolean } = {},
): World {
  const clock = new FakeClock();
  const active = new ActiveCalls(clock, 1_000);
  const defects: unknown[] = [];
  const core: ServerCore = {
    clock,
    logger: createLogger({ service: 't', instance: 't', level: 'silent' }),
    active,
    slowPeers: new SlowPeers(clock, 300),
    streamIdleMs: 300,
    maxAnswerBytes: 5_000_000,
    defaultDeadlineMs: 1_000,
    logDefect: (cause) => void defects.push(cause),
    endingError: (ms) => new SluiceError(ms > 0 ? 'deadline-exceeded' : 'unavailable', ms > 0 ? 'late' : 'stopping'),
  };
  const surface = new FakeStream();
  if (options.deadlineMs !== undefined) surface.deadline = clock.now() + options.deadlineMs;
  if (options.endsAtFailure === true) surface.metadata.set('ends-at-failure', 'true');
  const given = new Map<string, RawCall>();
  const hold: RawUnaryHandler = (request, request_) => given.set(request.toString(), request_);
  const [streams, requests] = [new MethodStats('s'), new MethodStats('s')];
  const stream = surface as unknown as ServerDuplexStream<Buffer, Buffer>;
  const call = new RawStreamCall(core, { streams, requests }, 'p.S/M', stream, {
    rawStream: hold,
    codec: echoCodec,
    maxInFlight: 3,
    ...options,
  });
  call.start();
  return { clock, active, surface, call, given, defects, streams, requests };
}

/** Lets streams hand on what they have. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 4; turn++) await new Promise((resolve) => setImmediate(resolve));
}

const yes = Buffer.from('yes');

describe('a stream of requests', () => {
  it('is no success when its last request fails for the deadline of the stream, a moment before its stack sees it', async () => {
    const { clock, surface, given, streams } = start({ deadlineMs: 500 });
    surface.come('a');
    await settle();
    surface.halfClose();
    await settle();
    clock.advance(500);
    given.get('a')!.fail(new SluiceError('deadline-exceeded', 'late'));
    await settle();
    expect([surface.sent.length, surface.status]).toEqual([1, undefined]);
    surface.emit('cancelled', 'cancelled');
    expect([streams.count(4), streams.count(0)]).toEqual([1, 0]);
  });

  it('answers each when it is ready, and ends when its caller has no more', async () => {
    const { surface, given, active, streams, requests } = start();
    surface.come('a', 'b');
    await settle();
    given.get('b')!.respond(yes);
    given.get('b')!.respond(Buffer.from('ignored'));
    given.get('b')!.fail(new Error('ignored'));
    surface.halfClose();
    await settle();
    expect([surface.sent, surface.status, active.size]).toEqual([['b = yes'], undefined, 2]);
    given.get('a')!.respond(yes);
    await settle();
    expect([surface.sent, surface.status, active.size]).toEqual([['b = yes', 'a = yes'], 'OK', 0]);
    expect([streams.count(0), requests.count(0), streams.inFlight, requests.inFlight]).toEqual([1, 2, 0, 0]);
  });

  it('says what failed in the request its answer, and goes on', async () => {
    const { surface, given, defects, requests } = start();
    surface.come('a', 'b', 'c');
    await settle();
    given.get('a')!.setTrailer('x', 'of one request');
    given.get('a')!.fail(new SluiceError('not-found', 'no such model'));
    given.get('b')!.fail(new RangeError('hunter2'), 'm@1');
    given.get('c')!.respond(yes);
    surface.come('d');
    await settle();
    given.get('d')!.respond(Buffer.alloc(5_000_000));
    surface.halfClose();
    await settle();
    expect(surface.sent).toEqual([
      'a ! no such model',
      'b ! internal error',
      'c = yes',
      'd ! the answer has 5000004 bytes, more than the limit of 5000000',
    ]);
    expect([surface.status, surface.trailers?.get('x')]).toEqual(['OK', []]);
    expect(defects).toEqual([new RangeError('hunter2')]);
    expect([requests.count(0), requests.count(5), requests.count(8), requests.count(13)]).toEqual([1, 1, 1, 1]);
  });

  it('ends at the first failure where the caller wants that, with its status and trailers', async () => {
    const { surface, given, active, streams, requests, defects } = start({ endsAtFailure: true });
    const cancelled: string[] = [];
    surface.come('a', 'b');
    await settle();
    given.get('b')!.onCancel((reason) => void cancelled.push(reason.kind));
    given.get('a')!.setTrailer('x', 'of a');
    given.get('b')!.setTrailer('x', 'of b');
    given.get('a')!.fail(new SluiceError('not-found', 'no such model', { retryAfterMs: 5 }));
    given.get('b')!.respond(yes);
    await settle();
    expect([surface.sent, surface.status]).toEqual([[], '5 no such model']);
    expect(surface.trailers?.getMap()).toMatchObject({
      x: 'of a',
      'sluice-kind': 'not-found',
      'grpc-retry-pushback-ms': '5',
    });
    expect([cancelled, active.size, streams.count(5), requests.count(1)]).toEqual([['cancelled'], 0, 1, 1]);
    expect(defects).toEqual([]);
  });

  it.each<[string, RawUnaryHandler]>([
    ['at once', () => expect.unreachable()],
    ['later', () => Promise.reject(new SluiceError('conflict', 'not now'))],
  ])('answers what its handler throws %s', async (_when, handler) => {
    const { surface } = start({ rawStream: handler });
    surface.come('a');
    await settle();
    expect(surface.sent).toEqual([expect.stringMatching(/^a ! (not now|internal error)$/)]);
  });

  it('ends when its own codec fails', async () => {
    const failure = () => {
      throw new Error('cannot');
    };
    const { surface, given, active } = start({ codec: { ...echoCodec, failure } });
    surface.come('a');
    await settle();
    given.get('a')!.fail(new SluiceError('conflict', 'not now'));
    await settle();
    expect([surface.status, active.size]).toEqual(['13 internal error', 0]);
  });
});

describe('the bounds of a stream', () => {
  it('stop it from being read at exactly so many requests, until one was answered and read', async () => {
    const { surface, given } = start({ maxInFlight: 3 });
    surface.come('a', 'b', 'c', 'd', 'e', 'f', 'g');
    await settle();
    expect([...given.keys()]).toEqual(['a', 'b', 'c']);
    surface.reads = false;
    given.get('b')!.respond(yes);
    await settle();
    expect(given.size).toBe(3);
    surface.readAll();
    await settle();
    expect([...given.keys()]).toEqual(['a', 'b', 'c', 'd']);
  });

  it('read one message ahead and not sixteen', async () => {
    const { surface } = start({ maxInFlight: 1 });
    surface.come('a', 'b', 'c', 'd', 'e', 'f');
    await settle();
    expect(surface.asked).toBe(2);
  });

  it('stop it from being read while its caller leaves more than 4 MiB of answers unread', async () => {
    const { surface, given } = start({ maxInFlight: 100 });
    surface.reads = false;
    surface.come('a');
    await settle();
    given.get('a')!.respond(Buffer.alloc(4 * 1024 * 1024 - 4));
    surface.come('b');
    await settle();
    // Exactly 4 MiB wait.
    expect([...given.keys()]).toEqual(['a', 'b']);
    given.get('b')!.respond(yes);
    surface.come('c');
    await settle();
    expect(given.has('c')).toBe(false);
    surface.readAll();
    await settle();
    expect(given.has('c')).toBe(true);
  });

  it('end it when its caller neither sends nor reads, and not while requests are under way', async () => {
    const { clock, surface, given, call } = start();
    surface.come('a');
    await settle();
    clock.advance(900);
    expect(call.ended).toBe(false);
    surface.reads = false;
    given.get('a')!.respond(yes);
    surface.come('b');
    await settle();
    clock.advance(299);
    expect(call.ended).toBe(false);
    const told: string[] = [];
    given.get('b')!.onCancel((reason) => void told.push(reason.kind));
    clock.advance(1);
    expect([call.ended, told]).toEqual([true, ['cancelled']]);
  });

  it('give its caller the whole time to read, however long its request took, also when it sends no more', async () => {
    const { clock, surface, given, call } = start();
    surface.come('a');
    await settle();
    surface.halfClose();
    surface.reads = false;
    clock.advance(850);
    given.get('a')!.respond(yes);
    await settle();
    clock.advance(299);
    expect([call.ended, surface.status]).toEqual([false, undefined]);
    clock.advance(1);
    expect([call.ended, surface.status]).toEqual([true, '4 the caller neither sent nor read anything for 300 ms']);
  });

  it('end it when nothing is asked on it', () => {
    const { clock, surface } = start();
    clock.advance(299);
    expect(surface.status).toBeUndefined();
    clock.advance(1);
    expect(surface.status).toBe('4 the caller neither sent nor read anything for 300 ms');
    expect(clock.pendingTimers).toBe(0);
  });
});

describe('the time of a streamed request', () => {
  it('is that of a unary call without a deadline', async () => {
    const { clock, surface, given, requests } = start();
    const told: string[] = [];
    surface.come('a');
    await settle();
    expect(given.get('a')!.deadlineMs).toBe(clock.now() + 1_000);
    given.get('a')!.onCancel((reason) => void told.push(reason.kind));
    clock.advance(400);
    surface.come('b');
    await settle();
    clock.advance(600);
    await settle();
    expect([surface.sent, told, surface.status]).toEqual([['a ! late'], ['deadline-exceeded'], undefined]);
    expect([given.get('a')!.ended, given.get('b')!.ended, requests.count(4)]).toEqual([true, false, 1]);
  });

  it('is at most that of its stream', async () => {
    const { clock, surface, given, call, streams } = start({ deadlineMs: 500 });
    surface.come('a');
    await settle();
    expect(given.get('a')!.deadlineMs).toBe(clock.now() + 500);
    const told: string[] = [];
    given.get('a')!.onCancel((reason) => void told.push(reason.kind));
    clock.advance(500);
    // grpc-js ends the call itself.
    call.refused(4);
    expect([told, streams.count(4)]).toEqual([['deadline-exceeded'], 1]);
  });
});

describe('the end of a stream', () => {
  it('by its caller cancels all that is under way', async () => {
    const { surface, given, active, requests, streams } = start();
    const told: string[] = [];
    surface.come('a', 'b');
    await settle();
    for (const [name, call] of given) call.onCancel((reason) => void told.push(`${name} ${reason.kind}`));
    surface.emit('cancelled');
    expect(told).toEqual(['a cancelled', 'b cancelled']);
    given.get('a')!.onCancel(() => void told.push('late'));
    given.get('b')!.respond(yes);
    expect([told.at(-1), surface.sent, active.size]).toEqual(['late', [], 0]);
    expect([streams.count(1), requests.count(1), requests.inFlight]).toEqual([1, 2, 0]);
  });

  it('by the server comes after the answers of what is under way, and nothing new is taken', async () => {
    const { surface, given, call } = start({ maxInFlight: 2 });
    surface.come('a', 'b', 'c');
    await settle();
    call.drain();
    await settle();
    given.get('a')!.respond(yes);
    surface.come('d');
    await settle();
    expect([[...given.keys()], surface.status]).toEqual([['a', 'b'], undefined]);
    given.get('b')!.respond(yes);
    await settle();
    expect([surface.sent, surface.status]).toEqual([['a = yes', 'b = yes'], '14 stopping']);
  });

  it('by the server is no failure when the caller had no more to ask', async () => {
    const { surface, given, call } = start({ maxInFlight: 1 });
    surface.come('a');
    await settle();
    surface.halfClose();
    call.drain();
    await settle();
    given.get('a')!.respond(yes);
    await settle();
    expect([surface.sent, surface.status]).toEqual([['a = yes'], 'OK']);
  });

  it('by the server is a failure when a request came too late, whatever its caller says then', async () => {
    const { surface, given, call } = start();
    surface.come('a');
    await settle();
    call.drain();
    surface.come('b');
    await settle();
    surface.halfClose();
    await settle();
    given.get('a')!.respond(yes);
    await settle();
    expect([surface.sent, surface.status]).toEqual([['a = yes'], '14 stopping']);
  });

  it('by the server is at once for a stream that does nothing', () => {
    const { surface, call } = start();
    call.drain();
    expect(surface.status).toBe('14 stopping');
  });

  it('at the end of the time for a stop tells all that is under way', async () => {
    const { surface, given, call } = start();
    const told: string[] = [];
    surface.come('a');
    await settle();
    given.get('a')!.onCancel((reason) => void told.push(reason.kind));
    call.expire();
    expect([surface.status, told]).toEqual(['14 stopping', ['unavailable']]);
  });
});
