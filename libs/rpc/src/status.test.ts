import { SluiceError, errorKinds } from '@sluice/domain/errors';
import { describe, expect, it } from 'vitest';
import { fromWire, kindOf, kindTrailer, statusCodes, statusName, statusOf, toWire, wireMessage } from './status.ts';

const expected: Record<(typeof errorKinds)[number], number> = {
  'invalid-argument': 3,
  'not-found': 5,
  'already-exists': 6,
  'failed-precondition': 9,
  'out-of-range': 11,
  conflict: 10,
  'permission-denied': 7,
  'resource-exhausted': 8,
  'deadline-exceeded': 4,
  cancelled: 1,
  unavailable: 14,
  unimplemented: 12,
  'data-loss': 15,
  'model-failed': 13,
  internal: 13,
};

describe('the table of kinds and statuses', () => {
  it.each(errorKinds)('%s has its status, and comes back as itself with its message', (kind) => {
    expect(statusOf(kind)).toBe(expected[kind]);
    const wire = toWire(new SluiceError(kind, `about ${kind}`, { cause: new Error('secret') }));
    expect(wire.code).toBe(expected[kind]);
    expect(JSON.stringify({ ...wire, cause: undefined })).not.toContain('secret');
    const back = fromWire({ code: wire.code, details: wire.message, trailers: wire.trailers }, 'peer');
    expect([back.kind, back.message, back.origin]).toEqual([kind, `about ${kind}`, 'answered']);
  });

  it.each(Object.values(statusCodes).filter((code) => code !== 0))('status %i has a kind', (code) => {
    expect(errorKinds).toContain(kindOf(code));
  });

  it('takes the kind that a server of ours tells, unless it contradicts the status', () => {
    const received = (code: number, kind: string) =>
      fromWire({ code, details: 'x', trailers: { [kindTrailer]: kind } }, 'peer').kind;
    expect(received(13, 'model-failed')).toBe('model-failed');
    expect(received(13, 'not-found')).toBe('internal');
    expect(received(14, 'model-failed')).toBe('unavailable');
    expect(received(13, 'a kind of a later version')).toBe('internal');
  });

  it('reads codes that gRPC does not define as UNKNOWN', () => {
    expect(statusName(99)).toBe('UNKNOWN');
    expect(kindOf(99)).toBe('internal');
  });
});

describe('toWire', () => {
  it('sends nothing of an unknown error, and keeps it to be logged', () => {
    const thrown = new TypeError('cannot read hunter2');
    const wire = toWire(thrown);
    expect([wire.code, wire.message, wire.cause]).toEqual([13, 'internal error', thrown]);
    expect(toWire('a string').message).toBe('internal error');
    expect(toWire(undefined).message).toBe('internal error');
  });

  it('logs the cause of defects only', () => {
    expect(toWire(new SluiceError('not-found', 'x', { cause: new Error('y') })).cause).toBeUndefined();
    const bare = new SluiceError('data-loss', 'digest differs');
    expect(toWire(bare).cause).toBe(bare);
  });

  it('says when to come back, in whole milliseconds', () => {
    const error = new SluiceError('resource-exhausted', 'queue full', { retryAfterMs: 12.3 });
    expect(toWire(error).trailers).toEqual({ [kindTrailer]: 'resource-exhausted', 'grpc-retry-pushback-ms': '13' });
    const back = fromWire({ code: 8, details: 'queue full', trailers: toWire(error).trailers }, 'peer');
    expect(back.retryAfterMs).toBe(13);
  });

  it('says when a request must not be sent again, and nothing where it may', () => {
    const error = new SluiceError('internal', 'hung', { neverAgain: true });
    const { trailers } = toWire(error);
    expect(trailers).toEqual({ [kindTrailer]: 'internal', 'sluice-never-again': 'true' });
    expect(fromWire({ code: 13, details: 'hung', trailers }, 'peer').neverAgain).toBe(true);
    const other = toWire(new SluiceError('internal', 'a defect'));
    expect(fromWire({ code: 13, details: 'x', trailers: other.trailers }, 'peer').neverAgain).toBe(false);
  });

  it('makes messages that survive the wire', () => {
    expect(wireMessage('ends in white space \n')).toBe('ends in white space');
    expect(encodeURI(wireMessage('lone \uD800 surrogate'))).toBe('lone%20%EF%BF%BD%20surrogate');
    expect(wireMessage('x'.repeat(4_000))).toBe('x'.repeat(4_000));
    expect(wireMessage('x'.repeat(4_001))).toBe(`${'x'.repeat(4_000)}...`);
    // 6 and 12 bytes each on the wire.
    expect(wireMessage('ß'.repeat(666))).toHaveLength(666);
    expect(wireMessage('ß'.repeat(667))).toBe(`${'ß'.repeat(666)}...`);
    expect(wireMessage('😀'.repeat(10_000))).toBe(`${'😀'.repeat(333)}...`);
  });
});

describe('fromWire, when the transport made the status', () => {
  it.each([
    [14, 'No connection established. Last error: Error: connect ECONNREFUSED 127.0.0.1:1', 'unsent', 'unavailable'],
    [14, 'Name resolution failed for target dns:nowhere', 'unsent', 'unavailable'],
    [14, 'Stream refused by server', 'unsent', 'unavailable'],
    [14, 'Write error: Stream closed with error code NGHTTP2_REFUSED_STREAM', 'unsent', 'unavailable'],
    [14, 'Connection dropped', 'lost', 'unavailable'],
    [14, 'read ECONNRESET', 'lost', 'unavailable'],
    [1, 'Call cancelled', 'lost', 'unavailable'],
    [13, 'Received RST_STREAM with code 2 (Internal server error)', 'lost', 'unavailable'],
    [4, 'Deadline exceeded after 1.000s', 'local', 'deadline-exceeded'],
    [14, 'a server of another make is loading', 'answered', 'unavailable'],
    [13, 'a server of another make is broken', 'answered', 'internal'],
    [12, 'The server does not implement the method /x/y', 'answered', 'unimplemented'],
  ] as const)('%i "%s" is %s', (code, details, origin, kind) => {
    const error = fromWire({ code, details, trailers: {} }, '127.0.0.1:1');
    expect([error.origin, error.kind]).toEqual([origin, kind]);
    if (origin === 'unsent' || origin === 'lost') expect(error.message).toContain('127.0.0.1:1');
  });

  it('says why in few words', () => {
    const details = 'No connection established. Last error: Error: connect ECONNREFUSED 127.0.0.1:1. Resolution note: ';
    expect(fromWire({ code: 14, details, trailers: {} }, 'localhost:1').message).toBe(
      'localhost:1 cannot be reached: connect ECONNREFUSED 127.0.0.1:1',
    );
  });

  it('knows its own cancellation', () => {
    const error = fromWire({ code: 1, details: 'Cancelled on client', trailers: {} }, 'peer', true);
    expect([error.origin, error.kind]).toEqual(['local', 'cancelled']);
  });
});
