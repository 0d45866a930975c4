import type { SluiceError } from '@sluice/domain/errors';
import type { MethodStats } from '@sluice/telemetry/request-stats';
import type { ActiveCall } from './active-calls.ts';
import type { RawCall, StreamCodec } from './handlers.ts';
import { checkSize } from './messages.ts';
import type { ServerCore } from './server-core.ts';
import { statusCodes, statusOf, toWire } from './status.ts';

/** The stream that a request came on. */
export interface RequestStream {
  readonly method: string;
  readonly peer: string;
  /** When the caller gives up on all of it, in milliseconds since the epoch. */
  readonly deadlineMs: number | undefined;
  readonly codec: StreamCodec;
  /** Whether its first failure ends it. */
  readonly endsAtFailure: boolean;
  /** Counts of the requests of such streams. */
  readonly stats: MethodStats;
  metadata(key: string): string | undefined;
  /** The request's answer leaves after those of all before it that were given the same key. */
  inOrder(request: StreamRequest, key: string): void;
  /** Sends the message that a request ended with. */
  deliver(request: StreamRequest, message: Uint8Array): void;
  /** Ends the stream with the failure of one request. */
  failAll(request: StreamRequest, error: unknown, trailers: ReadonlyMap<string, string>): void;
}

const noTrailers: ReadonlyMap<string, string> = new Map();

/**
 * One message of a stream as a call of its own: a handler of unary calls cannot tell it from one. It has the deadline that
 * a unary call without one would have, and at most its stream's.
 */
export class StreamRequest implements RawCall, ActiveCall {
  readonly startedMs: number;
  readonly deadlineMs: number;
  ended = false;
  /** It failed for a deadline that is its stream's too. */
  isLate = false;
  active: ActiveCall['active'];
  undated: ActiveCall['undated'];
  readonly #core: ServerCore;
  readonly #stream: RequestStream;
  readonly #bytes: Buffer;
  #trailers: Map<string, string> | undefined;
  #onCancel: ((reason: SluiceError) => void) | undefined;
  #cancelled: SluiceError | undefined;

  constructor(core: ServerCore, stream: RequestStream, bytes: Buffer) {
    this.#core = core;
    this.#stream = stream;
    this.#bytes = bytes;
    this.startedMs = core.clock.monotonic();
    this.deadlineMs = Math.min(core.clock.now() + core.defaultDeadlineMs, stream.deadlineMs ?? Infinity);
    stream.stats.started();
    core.active.add(this, true);
  }

  get method(): string {
    return this.#stream.method;
  }
  get peer(): string {
    return this.#stream.peer;
  }

  metadata(key: string): string | undefined {
    return this.#stream.metadata(key);
  }

  /** Only a failure that ends the whole stream has trailers. */
  setTrailer(key: string, value: string): void {
    if (this.#stream.endsAtFailure) (this.#trailers ??= new Map()).set(key, value);
  }

  inOrder(key: string): void {
    if (!this.ended) this.#stream.inOrder(this, key);
  }

  respond(...answer: readonly Uint8Array[]): void {
    if (this.ended) return;
    let bytes: Uint8Array;
    try {
      bytes = this.#stream.codec.answer(this.#bytes, answer);
      checkSize(bytes, this.#core.maxAnswerBytes);
    } catch (error) {
      this.fail(error);
      return;
    }
    this.#end(0);
    this.#stream.deliver(this, bytes);
  }

  fail(error: unknown, about?: string): void {
    if (this.ended) return;
    const status = toWire(error);
    this.#end(status.code);
    const stream = this.#stream;
    this.isLate = status.code === statusCodes.DEADLINE_EXCEEDED && this.deadlineMs === stream.deadlineMs;
    if (stream.endsAtFailure) {
      stream.failAll(this, error, this.#trailers ?? noTrailers);
      return;
    }
    if (status.cause !== undefined) this.#core.logDefect(status.cause, this.method, this.peer, about);
    let message: Uint8Array;
    try {
      message = stream.codec.failure(this.#bytes, status.message);
    } catch (thrown) {
      stream.failAll(this, thrown, noTrailers);
      return;
    }
    stream.deliver(this, message);
  }

  onCancel(fn: (reason: SluiceError) => void): void {
    if (this.#cancelled) fn(this.#cancelled);
    else this.#onCancel = fn;
  }

  /** The default deadline has passed, or the server ends what is left. */
  expire(): void {
    if (this.ended) return;
    const reason = this.#core.endingError(this.#core.defaultDeadlineMs);
    const cancel = this.#onCancel;
    this.#onCancel = undefined;
    this.#cancelled = reason;
    this.fail(reason);
    cancel?.(reason);
  }

  /** Its stream has ended: nobody waits for it. */
  cancel(reason: SluiceError): void {
    if (this.ended) return;
    this.#end(statusOf(reason.kind));
    this.#cancelled = reason;
    const fn = this.#onCancel;
    this.#onCancel = undefined;
    fn?.(reason);
  }

  #end(code: number): void {
    this.ended = true;
    this.#core.active.delete(this);
    this.#stream.stats.ended(code, this.#core.clock.monotonic() - this.startedMs);
  }
}
