import { Metadata } from '@grpc/grpc-js';
import type { ServerUnaryCall, sendUnaryData } from '@grpc/grpc-js';
import { SluiceError } from '@sluice/domain/errors';
import type { MethodStats } from '@sluice/telemetry/request-stats';
import { asBuffer, checkSize } from './messages.ts';
import type { ActiveCall } from './active-calls.ts';
import type { RawCall } from './handlers.ts';
import type { ServerCore } from './server-core.ts';
import { grpcCode } from './grpc-code.ts';
import { toWire } from './status.ts';

/** One unary call, from its request to its one answer. Everything that can end it comes through `#end`. */
export class UnaryCall implements RawCall, ActiveCall {
  readonly method: string;
  readonly startedMs: number;
  readonly deadlineMs: number;
  ended = false;
  readonly #core: ServerCore;
  readonly #stats: MethodStats;
  readonly #call: ServerUnaryCall<Buffer, Buffer>;
  readonly #send: sendUnaryData<Buffer>;
  #trailers: Metadata | undefined;
  #onCancel: (() => void) | undefined;
  #cancelled = false;
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

  respond(message: Uint8Array): void {
    if (this.ended) return;
    if (message.byteLength > this.#core.maxMessageBytes) {
      try {
        checkSize(message, this.#core.maxMessageBytes);
      } catch (error) {
        this.fail(error);
      }
      return;
    }
    this.#end(0);
    this.#send(null, asBuffer(message), this.#trailers);
  }

  fail(error: unknown): void {
    if (this.ended) return;
    const status = toWire(error);
    if (status.cause !== undefined) this.#core.logDefect(status.cause, this.method, this.peer);
    const trailers = (this.#trailers ??= new Metadata());
    for (const [key, value] of Object.entries(status.trailers)) trailers.set(key, value);
    this.#end(status.code);
    this.#send({ code: grpcCode(status.code), details: status.message, metadata: trailers });
  }

  onCancel(fn: () => void): void {
    if (this.#cancelled) fn();
    else this.#onCancel = fn;
  }

  /** The default deadline has passed, or the server ends what is left. */
  expire(): void {
    if (this.ended) return;
    const cancel = this.#onCancel;
    this.#onCancel = undefined;
    this.#cancelled = true;
    this.fail(this.#core.endingError(this.#core.defaultDeadlineMs));
    cancel?.();
  }

  #cancel(code: number): void {
    if (this.ended) return;
    // The caller's own deadline and its going away look the same here; the time tells them apart.
    this.#end(this.#core.clock.now() >= this.deadlineMs ? 4 : code);
    this.#cancelled = true;
    const fn = this.#onCancel;
    this.#onCancel = undefined;
    fn?.();
  }

  #end(code: number): void {
    this.ended = true;
    this.#core.active.delete(this);
    this.#stats.ended(code, this.#core.clock.monotonic() - this.startedMs);
  }
}

/** What `ctx.signal` aborts with. */
export const cancelledError = (): SluiceError =>
  new SluiceError('cancelled', 'the caller is gone or its deadline has passed');
