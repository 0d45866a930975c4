import { Metadata } from '@grpc/grpc-js';
import type { ServerDuplexStream, ServerReadableStream, ServerWritableStream, sendUnaryData } from '@grpc/grpc-js';
import { SluiceError } from '@sluice/domain/errors';
import type { MethodStats } from '@sluice/telemetry/request-stats';
import { ServerCall } from '@sluice/wire/grpc/server-call';
import type { ActiveCall } from './active-calls.ts';
import { textOf } from './context.ts';
import { grpcCode } from './grpc-code.ts';
import { handles } from './refusals.ts';
import type { HandledCall } from './refusals.ts';
import type { ServerCore } from './server-core.ts';
import type { WaitingStream } from './slow-peers.ts';
import { statusCodes, toWire } from './status.ts';
import { cancelledError, isAtDeadline } from './unary-life.ts';

/** A streaming call as grpc-js hands it over. */
export type Surface =
  | ServerReadableStream<Buffer, Buffer>
  | ServerWritableStream<Buffer, Buffer>
  | ServerDuplexStream<Buffer, Buffer>;
export type Writing = ServerWritableStream<Buffer, Buffer> | ServerDuplexStream<Buffer, Buffer>;

/** What all streaming calls share: who calls, what is counted, and the one end, whatever it comes from. */
export abstract class StreamLife implements ActiveCall, WaitingStream, HandledCall {
  readonly method: string;
  readonly peer: string;
  readonly startedMs: number;
  readonly deadlineMs: number | undefined;
  readonly trailers = new Metadata();
  active: ActiveCall['active'];
  undated: ActiveCall['undated'];
  protected readonly core: ServerCore;
  readonly #stats: MethodStats;
  readonly #surface: Surface;
  readonly #finish: (code: number, details: string) => void;
  #ended = false;

  /** @param send how a stream of requests is answered; undefined where answers are a stream too */
  constructor(
    core: ServerCore,
    stats: MethodStats,
    method: string,
    surface: Surface,
    send: sendUnaryData<Buffer> | undefined,
  ) {
    this.core = core;
    this.#stats = stats;
    this.#surface = surface;
    this.method = method;
    this.peer = surface.getPeer();
    this.startedMs = core.clock.monotonic();
    const deadline = surface.getDeadline();
    this.deadlineMs = deadline === Infinity ? undefined : Number(deadline);
    this.#finish = (code, details) => {
      if (send !== undefined) send({ code: grpcCode(code), details, metadata: this.trailers });
      else if (code === 0) (surface as Writing).end(this.trailers);
      // The way grpc-js gives a writable stream its status: it waits for what was written and then sends this.
      else surface.emit('error', Object.assign(new Error(details), { code, details, metadata: this.trailers }));
    };
    stats.started();
    core.active.add(this, false);
    core.slowPeers.add(this);
    surface.on('cancelled', () => this.#cancel(1));
    handles(surface, this);
    // A destroyed Readable emits it; the cancellation says all there is to say.
    surface.on('error', () => undefined);
  }

  abstract get waitingSinceMs(): number | undefined;

  /** Called once, when nothing can be sent any more. @param reason why it failed; undefined when it did not */
  protected abstract closed(reason: SluiceError | undefined): void;

  get ended(): boolean {
    return this.#ended;
  }

  /** The first text value of a metadata key. */
  metadata(key: string): string | undefined {
    return textOf(this.#surface.metadata, key);
  }

  succeed(): void {
    if (this.#ended) return;
    this.end(0, undefined);
    this.#finish(0, 'OK');
  }

  /** @param reason what those are told who work for it: by default that nobody waits for them */
  fail(error: unknown, reason: SluiceError = cancelledError()): void {
    if (this.#ended) return;
    const status = toWire(error);
    if (status.cause !== undefined) this.core.logDefect(status.cause, this.method, this.peer);
    for (const [key, value] of Object.entries(status.trailers)) this.trailers.set(key, value);
    this.end(status.code, reason);
    this.#finish(status.code, status.message);
  }

  /** The server ends it: it stops, and its time for what is under way is over. */
  expire(): void {
    const reason = this.core.endingError(0);
    this.fail(reason, reason);
  }

  /** The server stops: ends the call as soon as its kind lets it. */
  drain(): void {
    this.expire();
  }

  /** For a stream that waits for news as long as its caller likes. */
  hasNoIdleLimit(): void {
    this.core.slowPeers.delete(this);
  }

  giveUp(): void {
    const limit = this.core.streamIdleMs;
    this.fail(new SluiceError('deadline-exceeded', `the caller neither sent nor read anything for ${limit} ms`));
  }

  /** grpc-js answers it by itself: a message is too large, or the deadline has passed. */
  refused(code: number): void {
    this.#cancel(code);
  }

  #cancel(code: number): void {
    if (this.#ended) return;
    // The caller's own deadline and its going away look the same here; the time tells them apart.
    const isLate = isAtDeadline(this.core.clock.now(), this.deadlineMs);
    const late = new SluiceError('deadline-exceeded', "the caller's deadline has passed");
    this.end(isLate ? statusCodes.DEADLINE_EXCEEDED : code, isLate ? late : cancelledError());
  }

  /** Counts it as ended; what is sent then is the caller's business. */
  protected end(code: number, reason: SluiceError | undefined): void {
    this.#ended = true;
    this.core.active.delete(this);
    this.core.slowPeers.delete(this);
    this.#stats.ended(code, this.core.clock.monotonic() - this.startedMs);
    this.closed(reason);
  }
}

/** grpc-js drops the beginning of a message that never ends, and reports the end of the stream as if all were well. */
export function endedWithinMessage(call: unknown): boolean {
  const { call: under } = call as { call?: ServerCall | { decoder?: { readState?: number } } };
  return under instanceof ServerCall ? under.isCutOff : (under?.decoder?.readState ?? 0) !== 0;
}

/** What a stream whose requests ended within a message fails with. */
export const cutOffError = (): SluiceError =>
  new SluiceError('invalid-argument', 'the stream of requests ended within a message');
