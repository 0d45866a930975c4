import { Metadata, status as grpcStatus } from '@grpc/grpc-js';
import type { Server, ServerInterceptor, StatusObject } from '@grpc/grpc-js';
import type { Clock } from '@sluice/domain/clock';
import type { MethodStats } from '@sluice/telemetry/request-stats';
import { fieldsOf } from '@sluice/wire/grpc/metadata';
import { ServerCall } from '@sluice/wire/grpc/server-call';

/** A call that has reached its handler. */
export interface HandledCall {
  /** Trailers that its handler has set so far. */
  readonly trailers: Metadata | undefined;
  /** grpc-js answers it with this status; nothing happens when it was answered before. */
  refused(code: number): void;
}

/** What a refusal of one method needs. */
export interface RefusalRule {
  readonly stats: MethodStats;
  /** Trailers of an answer to a call that never reached its handler. */
  readonly trailers: (() => Readonly<Record<string, string>>) | undefined;
}

type Status = Omit<StatusObject, 'metadata'> & { readonly metadata?: Metadata | null };

const rule = Symbol('rule');
const receivedMs = Symbol('receivedMs');
const handled = Symbol('handled');

/** The call of grpc-js that everything a peer gets goes through, with what is known of it here. */
interface TransportCall {
  sendStatus: (this: TransportCall, status: Status) => void;
  sendMessage: (message: unknown, callback: () => void) => void;
  checkCancelled(): boolean;
  [rule]: RefusalRule;
  [receivedMs]: number;
  [handled]: HandledCall | undefined;
}

/**
 * For calls that grpc-js has given a status: answers that a stream had written before and grpc-js not yet sent would be
 * written after its end. That destroys the HTTP/2 stream, and a caller whose window is full never hears of it.
 */
const dropMessage = (_message: unknown, callback: () => void): void => callback();

/**
 * Statuses that grpc-js makes by itself: a message over the limit, one that does not decompress, none or two of them, a
 * time-out that is none, a deadline that passed. They bypass handlers; here they get the trailers that every answer of
 * the method has, are counted, and say what the limit is.
 */
export class Refusals {
  readonly interceptor: ServerInterceptor;
  readonly #rules = new Map<string, RefusalRule>();

  constructor(clock: Clock) {
    // One function for all calls: it is assigned, so grpc-js's own calls of `this.sendStatus` meet it too.
    const sendStatus = function (this: TransportCall, status: Status): void {
      const { sendStatus: send } = Object.getPrototypeOf(this) as Pick<TransportCall, 'sendStatus'>;
      // What handlers answer is OK or has metadata; what grpc-js makes has neither.
      const isOwn = status.code !== grpcStatus.OK && !status.metadata && !this.checkCancelled();
      if (isOwn) this.sendMessage = dropMessage;
      send.call(this, isOwn ? completed(this, status, clock) : status);
    };
    this.interceptor = (method, intercepted) => {
      const call = intercepted as unknown as TransportCall;
      const known = this.#rules.get(method.path);
      if (known !== undefined) {
        call[rule] = known;
        call[receivedMs] = clock.monotonic();
        call[handled] = undefined;
        call.sendStatus = sendStatus;
      }
      return intercepted as never;
    };
  }

  /** @param path with a leading slash */
  add(path: string, refusal: RefusalRule): void {
    this.#rules.set(path, refusal);
  }
}

/** Says that a call reached its handler: from now on its own trailers and counts hold. */
export function handles(surface: unknown, by: HandledCall): void {
  const { call } = surface as { readonly call?: TransportCall | ServerCall };
  if (call instanceof ServerCall)
    call.observer = { trailers: () => fieldsOf(by.trailers), refused: (code) => by.refused(code) };
  else if (call !== undefined) call[handled] = by;
}

function completed(call: TransportCall, status: Status, clock: Clock): Status {
  const by = call[handled];
  const { stats, trailers } = call[rule];
  let metadata = by?.trailers;
  if (by === undefined) {
    stats.started();
    stats.ended(status.code, clock.monotonic() - call[receivedMs]);
    metadata = new Metadata();
    for (const [key, value] of Object.entries(trailers?.() ?? {})) metadata.set(key, value);
  } else by.refused(status.code);
  return { code: status.code, details: readable(status.details), metadata: metadata ?? null };
}

const tooLarge = /^Received message larger than max \((\d+) vs (\d+)\)/;
const inflatesTooLarge = /^Received message that decompresses to a size larger than (\d+)/;

function readable(details: string): string {
  const [, size, limit] = tooLarge.exec(details) ?? [];
  if (limit !== undefined) return `the request has ${size} bytes, more than the limit of ${limit}; send less at once`;
  const [, inflated] = inflatesTooLarge.exec(details) ?? [];
  if (inflated !== undefined)
    return `the request has more bytes than the limit of ${inflated} when it is decompressed; send less at once`;
  return details;
}

/** The largest time-out in hours that a timer takes: 24 days. */
const longestHours = 596;
const longTimeout = /^(\d{1,8})([HMS])$/;
const unitHours: Readonly<Record<string, number>> = { H: 1, M: 1 / 60, S: 1 / 3600 };

/** `grpc-timeout` as grpc-js can hold it: it takes milliseconds modulo 2^32, so that a month fires at once. */
export function boundedTimeout(header: string): string {
  const [, amount, unit] = longTimeout.exec(header) ?? [];
  if (unit === undefined || Number(amount) * unitHours[unit]! <= longestHours) return header;
  return `${longestHours}H`;
}

/** Bounds the time-outs of calls before grpc-js reads them; call it after every bind. */
export function boundTimeouts(server: Server): void {
  const { http2Servers } = server as unknown as {
    readonly http2Servers: ReadonlyMap<NodeJS.EventEmitter, unknown>;
  };
  for (const listener of http2Servers.keys()) {
    if (listener.listeners('stream').includes(boundHeader)) continue;
    listener.prependListener('stream', boundHeader);
  }
}

function boundHeader(_stream: unknown, headers: Record<string, unknown>): void {
  const timeout = headers['grpc-timeout'];
  if (typeof timeout === 'string') headers['grpc-timeout'] = boundedTimeout(timeout);
}
