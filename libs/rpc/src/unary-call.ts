import { Metadata } from '@grpc/grpc-js';
import type { ServerUnaryCall, sendUnaryData } from '@grpc/grpc-js';
import { SluiceError } from '@sluice/domain/errors';
import type { MethodStats } from '@sluice/telemetry/request-stats';
import { asBuffer, checkSize, join } from './messages.ts';
import type { ActiveCall } from './active-calls.ts';
import { handles } from './refusals.ts';
import type { HandledCall } from './refusals.ts';
import type { RawCall } from './handlers.ts';
import type { ServerCore } from './server-core.ts';
import { grpcCode } from './grpc-code.ts';
import { statusCodes, toWire } from './status.ts';

/** One unary call, from its request to its one answer. Everything that can end it comes through `#end`. */
export class UnaryCall implements RawCall, ActiveCall, HandledCall {
  readonly method: string;
  readonly startedMs: number;
  readonly deadlineMs: number;
  ended = false;
  active: ActiveCall['active'];
  undated: ActiveCall['undated'];
  readonly #core: ServerCore;
  readonly #stats: MethodStats;
  readonly #call: ServerUnaryCall<Buffer, Buffer>;
  readonly #send: sendUnaryData<Buffer>;
  #trailers: Metadata | undefined;
  #onCancel: ((reason: SluiceError) => void) | undefined;
  #cancelled: SluiceError | undefined;
  #peer: string | undefined;

  constructor(
    core: ServerCore,
    stats: MethodStats,
    method: string,
    call: ServerUnaryCall<Buffer, Buffer>,
    send: sendUnaryData<Buffer>,
  ) {
    this.#core = core;
    this.#stats = stats;
    this.method = method;
    this.#call = call;
    this.#send = send;
    this.startedMs = core.clock.monotonic();
    const deadline = call.getDeadline();
    const undated = deadline === Infinity;
    this.deadlineMs = undated ? core.clock.now() + core.defaultDeadlineMs : Number(deadline);
    stats.started();
    core.active.add(this, undated);
    // grpc-js emits it after every end, so it says nothing by itself.
    call.on('cancelled', () => this.#cancel(1));
    handles(call, this);
  }

  /** Looked up when asked for: most calls never do. */
  get peer(): string {
    return (this.#peer ??= this.#call.getPeer());
  }

  metadata(key: string): string | undefined {
    const value = this.#call.metadata.get(key)[0];
    return typeof value === 'string' ? value : undefined;
  }

  setTrailer(key: string, value: string): void {
    (this.#trailers ??= new Metadata()).set(key, value);
  }

  respond(first: Uint8Array, ...more: readonly Uint8Array[]): void {
    if (this.ended) return;
    const message = join(first, more);
    if (message.byteLength > this.#core.maxAnswerBytes) {
      try {
        checkSize(message, this.#core.maxAnswerBytes);
      } catch (error) {
        this.fail(error);
      }
      return;
    }
    this.#end(0);
    this.#send(null, asBuffer(message), this.#trailers);
  }

  fail(error: unknown, about?: string): void {
    if (this.ended) return;
    const status = toWire(error);
    if (status.cause !== undefined) this.#core.logDefect(status.cause, this.method, this.peer, about);
    const trailers = (this.#trailers ??= new Metadata());
    for (const [key, value] of Object.entries(status.trailers)) trailers.set(key, value);
    this.#end(status.code);
    this.#send({ code: grpcCode(status.code), details: status.message, metadata: trailers });
  }

  onCancel(fn: (reason: SluiceError) => void): void {
    if (this.#cancelled) fn(this.#cancelled);
    else this.#onCancel = fn;
  }

  get trailers(): Metadata | undefined {
    return this.#trailers;
  }

  /** grpc-js answers it by itself: its deadline has passed. */
  refused(code: number): void {
    this.#cancel(code);
  }

  /** The default deadline has passed, or the server ends what is left. */
  expire(): void {
    if (this.ended) return;
    const cancel = this.#onCancel;
    this.#onCancel = undefined;
    const reason = this.#core.endingError(this.#core.defaultDeadlineMs);
    this.#cancelled = reason;
    this.fail(reason);
    cancel?.(reason);
  }

  #cancel(code: number): void {
    if (this.ended) return;
    // The caller's own deadline and its going away look the same here; the time tells them apart.
    const isLate = code === statusCodes.DEADLINE_EXCEEDED || isAtDeadline(this.#core.clock.now(), this.deadlineMs);
    this.#end(isLate ? statusCodes.DEADLINE_EXCEEDED : code);
    this.#cancelled = isLate ? lateError() : cancelledError();
    const fn = this.#onCancel;
    this.#onCancel = undefined;
    fn?.(this.#cancelled);
  }

  #end(code: number): void {
    this.ended = true;
    this.#core.active.delete(this);
    this.#stats.ended(code, this.#core.clock.monotonic() - this.startedMs);
  }
}

/** How much earlier than here a caller may see its deadline: it started the clock before the request travelled. */
const travelMs = 50;

/** Whether a call that its caller ends now ends for its deadline. */
export const isAtDeadline = (nowMs: number, deadlineMs: number | undefined): boolean =>
  deadlineMs !== undefined && nowMs >= deadlineMs - travelMs;

export const lateError = (): SluiceError => new SluiceError('deadline-exceeded', "the caller's deadline has passed");

/** What `ctx.signal` aborts with. */
export const cancelledError = (): SluiceError =>
  new SluiceError('cancelled', 'the caller is gone or its deadline has passed');
