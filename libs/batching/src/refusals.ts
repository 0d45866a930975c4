import { SluiceError, invalidArgument } from '@sluice/domain/errors';
import type { Ticket } from './contract.ts';
import type { SchedulerSettings } from './options.ts';
import type { Queueable, QueueLevel, QueueNode } from './queue-node.ts';

/** Why this request can never be queued now, whatever the state of the queue. */
export function refuse(
  { name, priorityLevels }: SchedulerSettings,
  request: Queueable & { readonly ticket: Ticket | undefined },
  nowMs: number,
): SluiceError | undefined {
  if (request.ticket) {
    return new SluiceError('internal', `${name}: this request object was enqueued before; make one per request`);
  }
  if (!Number.isSafeInteger(request.rows) || request.rows < 0) {
    return invalidArgument(`${name}: rows must be a whole number from 0 up, got ${request.rows}`);
  }
  const { priority, timeoutMicroseconds } = request;
  if (priority !== undefined && !(Number.isInteger(priority) && priority >= 0 && priority <= priorityLevels)) {
    const levels =
      priorityLevels === 0
        ? 'be 0, since there are no priority levels'
        : `be a level from 1 (highest) to ${priorityLevels}, or 0 for the default`;
    return invalidArgument(`${name}: priority must ${levels}; got ${priority}`);
  }
  if (timeoutMicroseconds !== undefined && !(Number.isInteger(timeoutMicroseconds) && timeoutMicroseconds >= 0)) {
    return invalidArgument(
      `${name}: timeoutMicroseconds must be a whole number from 0 (none) up, got ${timeoutMicroseconds}`,
    );
  }
  if (Number.isNaN(request.deadlineMs)) {
    return invalidArgument(`${name}: deadlineMs must be a time in milliseconds or Infinity, got NaN`);
  }
  if (request.deadlineMs <= nowMs) {
    return new SluiceError('deadline-exceeded', `${name}: the deadline had passed when the request reached the queue`);
  }
  return undefined;
}

/** What an expired request is told: which of its limits it met. */
export function expiredInQueue<Request extends Queueable>(
  { name }: SchedulerSettings,
  node: QueueNode<Request>,
  nowMs: number,
): SluiceError {
  const waited = `${name}: the request waited ${(nowMs - node.enqueuedAtMs).toFixed(1)} ms in the queue`;
  return new SluiceError('deadline-exceeded', `${waited}${limit(node)}`);
}

function limit<Request extends Queueable>({ request, level, expiresAtMs, delays }: QueueNode<Request>): string {
  // One that a time-out only delays can have ended by its deadline alone.
  if (delays || request.deadlineMs <= expiresAtMs)
    return ' and its deadline passed; give it more time or lower the load';
  const { defaultTimeoutMs } = level;
  return level.timeoutMs(request.timeoutMicroseconds) < defaultTimeoutMs
    ? `, longer than its own time-out allows (${request.timeoutMicroseconds ?? 0} µs)`
    : `, longer than defaultTimeoutMicroseconds allows (${defaultTimeoutMs * 1000} µs)`;
}

/** What a request is told that finds as many waiting as may wait. */
export function queueFull(
  { name, priorityLevels }: SchedulerSettings,
  { number, maxQueueSize }: QueueLevel,
  retryAfterMs: number,
): SluiceError {
  const whose = priorityLevels === 0 ? '' : ` of priority level ${number}`;
  return new SluiceError(
    'resource-exhausted',
    `${name}: the queue${whose} is full (maxQueueSize is ${maxQueueSize} requests); try again in ${retryAfterMs} ms`,
    { retryAfterMs },
  );
}
