import { SluiceError } from '@sluice/domain/errors';
import type { ErrorKind } from '@sluice/domain/errors';
import { describe, expect, it } from 'vitest';
import type { FailureOrigin } from '@sluice/resilience/retry-rule';
import { Attempts, verdictOf } from './attempts.ts';
import type { AttemptFailure } from './attempts.ts';

const plenty = { tryTake: () => true };
const version = { model: 'digits', text: '3' };

function failure(origin: FailureOrigin, kind: ErrorKind = 'unavailable', messageArrived = false): AttemptFailure {
  return { origin, error: new SluiceError(kind, 'as the runtime said'), messageArrived };
}

function outcome(error: SluiceError | undefined): string {
  return error ? `${error.kind}: ${error.message}` : 'retry';
}

describe('Attempts', () => {
  const first = (failed: AttemptFailure, others = true, tokens = plenty): string => {
    const attempts = new Attempts(version, tokens, true);
    attempts.started();
    return outcome(attempts.failed(failed, others));
  };

  it('goes elsewhere when the request was not sent, was lost once, or met a runtime that is full or without the version', () => {
    expect(first(failure('unsent'))).toBe('retry');
    expect(first(failure('lost'))).toBe('retry');
    expect(first(failure('answered', 'unavailable'))).toBe('retry');
    expect(first(failure('answered', 'not-found'))).toBe('retry');
    const full = new SluiceError('resource-exhausted', 'the queue is full', { retryAfterMs: 100 });
    expect(first({ ...failure('answered'), error: full })).toBe('retry');
  });

  it('does not carry a bound that holds elsewhere too, such as the size of a message, from runtime to runtime', () => {
    expect(first(failure('answered', 'resource-exhausted'))).toMatch(/^resource-exhausted: /);
  });

  it("passes on every other answer of a runtime, a watchdog's too, and failures of this side", () => {
    for (const kind of ['internal', 'invalid-argument', 'failed-precondition', 'deadline-exceeded'] as const) {
      expect(first(failure('answered', kind))).toBe(`${kind}: as the runtime said`);
    }
    expect(first(failure('local', 'deadline-exceeded'))).toBe('deadline-exceeded: as the runtime said');
    expect(first(failure('local', 'cancelled'))).toBe('cancelled: as the runtime said');
  });

  it('ends a request that two runtimes were lost with, whatever else is there', () => {
    const attempts = new Attempts(version, plenty, true);
    attempts.started();
    expect(attempts.failed(failure('lost'), true)).toBeUndefined();
    attempts.started();
    expect(outcome(attempts.failed(failure('lost'), true))).toBe(
      'internal: model ended its runtime: 2 runtimes were lost while they worked on this request of digits version 3',
    );
  });

  it('counts losses only: lost and then not sent is not two lost runtimes', () => {
    const attempts = new Attempts(version, plenty, true);
    attempts.started();
    expect(attempts.failed(failure('lost'), true)).toBeUndefined();
    attempts.started();
    expect(attempts.failed(failure('unsent'), true)).toBeUndefined();
  });

  it('repeats a request whose answer had its message and not its status, and does not suspect it of the loss', () => {
    const attempts = new Attempts(version, plenty, true);
    attempts.started();
    expect(attempts.failed(failure('lost', 'unavailable', true), true)).toBeUndefined();
    attempts.started();
    expect(attempts.failed(failure('lost'), true)).toBeUndefined();
    attempts.started();
    expect(outcome(attempts.failed(failure('lost'), true))).toMatch(/^internal: model ended its runtime/);
  });

  it('repeats a request of a sequence only when it was not carried out', () => {
    const sequence = (failed: AttemptFailure): string =>
      outcome(new Attempts(version, plenty, false).failed(failed, true));
    expect(sequence(failure('lost'))).toBe(
      'unavailable: the runtime was lost while it worked on the request and the request belongs to a sequence',
    );
    expect(sequence(failure('unsent'))).toBe('retry');
    expect(sequence(failure('answered', 'unavailable'))).toBe('retry');
  });

  it('tries at most three runtimes', () => {
    const attempts = new Attempts(version, plenty, true);
    attempts.started();
    attempts.started();
    expect(attempts.failed(failure('unsent'), true)).toBeUndefined();
    attempts.started();
    expect(outcome(attempts.failed(failure('unsent'), true))).toBe(
      'unavailable: the runtime could not be reached and 3 runtimes were tried for digits version 3',
    );
  });

  it('says why there is no other attempt', () => {
    expect(first(failure('lost'), false)).toBe(
      'unavailable: the runtime was lost while it worked on the request and no other runtime has digits version 3',
    );
    expect(first(failure('unsent'), true, { tryTake: () => false })).toBe(
      'unavailable: the runtime could not be reached and too many requests are being retried',
    );
    expect(first(failure('answered', 'not-found'), false)).toContain('does not have digits version 3 any more');
    expect(first(failure('answered', 'unavailable'), false)).toBe('unavailable: as the runtime said');
  });

  it('takes a token for a retry, and none for an answer that stands', () => {
    let taken = 0;
    const tokens = { tryTake: () => ++taken > 0 };
    first(failure('answered', 'internal'), true, tokens);
    first(failure('lost'), false, tokens);
    expect(taken).toBe(0);
    first(failure('lost'), true, tokens);
    expect(taken).toBe(1);
  });
});

describe('verdictOf', () => {
  it('counts what the runtime did, not what callers or load-shedding did', () => {
    expect(verdictOf(failure('unsent'))).toBe('broken');
    expect(verdictOf(failure('lost'))).toBe('broken');
    expect(verdictOf(failure('answered', 'internal'))).toBe('broken');
    expect(verdictOf(failure('answered', 'unavailable'))).toBe('broken');
    expect(verdictOf(failure('local', 'cancelled'))).toBe('nothing');
    expect(verdictOf(failure('local', 'deadline-exceeded'))).toBe('silent');
    expect(verdictOf(failure('answered', 'deadline-exceeded'))).toBe('silent');
    for (const kind of ['invalid-argument', 'resource-exhausted', 'not-found', 'model-failed'] as const) {
      expect(verdictOf(failure('answered', kind))).toBe('there');
    }
  });
});
