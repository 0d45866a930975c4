import { SluiceError } from '@sluice/domain/errors';
import type { MethodStats } from '@sluice/telemetry/request-stats';
import type { ActiveCall } from './active-calls.ts';
import type { RawCall } from './handlers.ts';
import { asBuffer, checkSize, join } from './messages.ts';
import type { ServerCore } from './server-core.ts';
import { statusCodes, toWire } from './status.ts';

/** One unary call, from its request to its one answer, whatever stack it came on. Everything that can end it comes through `#end`. */
export abstract class UnaryLife implements RawCall, ActiveCall {
  readonly method: string;
  readonly startedMs: number;
  readonly deadlineMs: number;
  ended = false;
  active: ActiveCall['active'];
  undated: ActiveCall['undated'];
  protected readonly core: ServerCore;
  readonly #stats: MethodStats;
  #onCancel: ((reason: SluiceError) => void) | undefined;
  #cancelled: SluiceError | undefined;

  /** @param deadlineMs when the caller gives up, in milliseconds since the epoch; Infinity where it does not say */
  constructor(core: ServerCore, stats: MethodStats, method: string, deadlineMs: number) {
    this.core = core;
    this.#stats = stats;
    this.method = method;
    this.startedMs = core.clock.monotonic();
    const undated = deadlineMs === Infinity;
    this.deadlineMs = undated ? core.clock.now() + core.defaultDeadlineMs : deadlineMs;
    stats.started();
    core.active.add(this, undated);
  }

  abstract readonly peer: string;
  abstract metadata(key: string): string | undefined;
  abstract setTrailer(key: string, value: string): void;
  /** Whether an answer of so many bytes can be sent, or wait for its reader. */
  protected abstract mayAnswer(bytes: number): boolean;
  /** Sends an answer, with the trailers so far. */
  protected abstract sendAnswer(message: Buffer): void;
  /** Sends a status other than OK, with the trailers so far. */
  protected abstract sendFailure(code: number, details: string): void;

  respond(first: Uint8Array, ...more: readonly Uint8Array[]): void {
    if (this.ended) return;
    const message = join(first, more);
    if (message.byteLength > this.core.maxAnswerBytes) {
      try {
        checkSize(message, this.core.maxAnswerBytes);
      } catch (error) {
        this.fail(error);
      }
      return;
    }
    if (!this.mayAnswer(message.byteLength)) {
      this.fail(new SluiceError('resource-exhausted', 'too many bytes of answers wait for the caller to read them'));
      return;
    }
    this.#end(0);
    this.sendAnswer(asBuffer(message));
  }

  fail(error: unknown, about?: string): void {
    if (this.ended) return;
    const status = toWire(error);
    if (status.cause !== undefined) this.core.logDefect(status.cause, this.method, this.peer, about);
    for (const [key, value] of Object.entries(status.trailers)) this.setTrailer(key, value);
    this.#end(status.code);
    this.sendFailure(status.code, status.message);
  }

  onCancel(fn: (reason: SluiceError) => void): void {
    if (this.#cancelled) fn(this.#cancelled);
    else this.#onCancel = fn;
  }

  /** The stack answers it by itself, or its caller is gone. */
  refused(code: number): void {
    if (this.ended) return;
    // The caller's own deadline and its going away look the same here; the time tells them apart.
    const isLate = code === statusCodes.DEADLINE_EXCEEDED || isAtDeadline(this.core.clock.now(), this.deadlineMs);
    this.#end(isLate ? statusCodes.DEADLINE_EXCEEDED : code);
    this.#cancelled = isLate ? lateError() : cancelledError();
    const fn = this.#onCancel;
    this.#onCancel = undefined;
    fn?.(this.#cancelled);
  }

  /** The default deadline has passed, or the server ends what is left. */
  expire(): void {
    if (this.ended) return;
    const cancel = this.#onCancel;
    this.#onCancel = undefined;
    const reason = this.core.endingError(this.core.defaultDeadlineMs);
    this.#cancelled = reason;
    this.fail(reason);
    cancel?.(reason);
  }

  #end(code: number): void {
    this.ended = true;
    this.core.active.delete(this);
    this.#stats.ended(code, this.core.clock.monotonic() - this.startedMs);
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
