import { failedPrecondition, invalidArgument, SluiceError } from '@sluice/domain/errors';
import { clip } from '@sluice/domain/names';
import type { SequenceKey, SequenceRequest } from './contract.ts';
import type { SequenceSettings } from './options.ts';
import type { Step } from './sequence.ts';

type AnyRequest = SequenceRequest<never>;

/** Why this request can never be queued, whatever there is. */
export function refuseStep(
  { name }: SequenceSettings,
  { ticket, rows, deadlineMs }: AnyRequest,
  nowMs: number,
): SluiceError | undefined {
  if (ticket)
    return new SluiceError('internal', `${name}: this request object was enqueued before; make one per request`);
  if (rows !== 1) return invalidArgument(`${name}: a request of a sequence must have 1 row, got ${rows}`);
  if (Number.isNaN(deadlineMs)) {
    return invalidArgument(`${name}: deadlineMs must be a time in milliseconds or Infinity, got NaN`);
  }
  if (deadlineMs > nowMs) return undefined;
  return new SluiceError('deadline-exceeded', `${name}: the deadline had passed when the request reached the queue`);
}

/** What a request is told whose sequence does not live. */
export function sequenceLost(name: string, key: SequenceKey): SluiceError {
  const id = typeof key === 'string' ? clip(JSON.stringify(key)) : String(key);
  const why = 'it was not started here, has ended, was idle for too long, or its start failed';
  return failedPrecondition(`${name}: sequence lost: ${id} does not live here (${why}); send sequence_start again`);
}

/** What an expired request is told. */
export function stepExpired<Request extends AnyRequest>(
  { name }: SequenceSettings,
  step: Step<Request>,
  nowMs: number,
): SluiceError {
  const waited = `${name}: the request waited ${(nowMs - step.enqueuedAtMs).toFixed(1)} ms for its sequence's turn`;
  const limit = step.request.deadlineMs <= step.expiresAtMs ? 'its deadline passed' : 'longer than its time-out allows';
  return new SluiceError('deadline-exceeded', `${waited}: ${limit}; the sequence goes on without it`);
}

/** What a request is told that finds as many waiting as may wait. */
export function stepQueueFull({ name, maxQueueSize }: SequenceSettings, retryAfterMs: number): SluiceError {
  return new SluiceError(
    'resource-exhausted',
    `${name}: the queue is full (maxQueueSize is ${maxQueueSize} requests); try again in ${retryAfterMs} ms`,
    { retryAfterMs },
  );
}
