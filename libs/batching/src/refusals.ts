import { SluiceError, invalidArgument } from '@sluice/domain/errors';
import type { QueueNode } from './bucket.ts';
import type { Ticket } from './contract.ts';
import type { SchedulerSettings } from './options.ts';
import type { Queueable } from './request-queue.ts';

/** Why this request can never be queued now, whatever the state of the queue. */
export function refuse(
  name: string,
  request: Queueable & { readonly ticket: Ticket | undefined },
  nowMs: number,
): SluiceError | undefined {
  if (request.ticket) {
    return new SluiceError('internal', `${name}: this request object was enqueued before; make one per request`);
  }
  if (!Number.isSafeInteger(request.rows) || request.rows < 0) {
    return invalidArgument(`${name}: rows must be a whole number from 0 up, got ${request.rows}`);
  }
  if (Number.isNaN(request.deadlineMs)) {
    return invalidArgument(`${name}: deadlineMs must be a time in milliseconds or Infinity, got NaN`);
  }
  if (request.deadlineMs <= nowMs) {
    return new SluiceError('deadline-exceeded', `${name}: the deadline had passed when the request reached the queue`);
  }
  return undefined;
}

/** What an expired request is told: which of its two limits it met. */
export function expiredInQueue<Request extends Queueable>(
  settings: SchedulerSettings,
  node: QueueNode<Request>,
  nowMs: number,
): SluiceError {
  const waited = `${settings.name}: the request waited ${(nowMs - node.enqueuedAtMs).toFixed(1)} ms in the queue`;
  const own = node.request.deadlineMs <= node.expiresAtMs;
  return new SluiceError(
    'deadline-exceeded',
    own
      ? `${waited} and its deadline passed; give it more time or lower the load`
      : `${waited}, longer than defaultTimeoutMicroseconds allows (${settings.defaultTimeoutMs * 1000} µs)`,
  );
}
