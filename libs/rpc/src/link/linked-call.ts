import { SluiceError } from '@sluice/domain/errors';
import type { MethodStats } from '@sluice/telemetry/request-stats';
import type { ActiveCall } from '../active-calls.ts';
import type { RawCall, RawUnaryHandler } from '../handlers.ts';
import { checkSize, join } from '../messages.ts';
import { runRaw } from '../run-raw.ts';
import type { ServerCore } from '../server-core.ts';
import { statusCodes, toWire } from '../status.ts';
import { cancelledError, lateError } from '../unary-life.ts';
import { encodePairs, frameTypes, maxFactBytes, noDeadline, withFacts, withFactsBehind } from './frames.ts';
import type { MessageHead, MessageType } from './frames.ts';

/** A method that a link carries. */
export interface ServedMethod {
  /** Full name. */
  readonly name: string;
  readonly handler: RawUnaryHandler;
  readonly stats: MethodStats;
  /** Trailers of answers to calls that never reach the handler. */
  readonly refusalTrailers: (() => Readonly<Record<string, string>>) | undefined;
}

/** What carries the answers of a call. */
export interface AnswerCarrier {
  readonly core: ServerCore;
  readonly peer: string;
  /** Its client asked for facts. */
  readonly takesFacts: boolean;
  /** The one answer of a call. @param pairs as bytes, with facts behind them where the code has `withFacts` */
  answer(call: LinkedCall, type: MessageType, code: number, pairs: Uint8Array, message: Uint8Array): void;
}

/** One call that came over a link, from its first frame to its one answer. */
export class LinkedCall implements RawCall, ActiveCall {
  readonly startedMs: number;
  readonly deadlineMs: number;
  readonly number: number;
  readonly served: ServedMethod;
  ended = false;
  active: ActiveCall['active'];
  undated: ActiveCall['undated'];
  readonly #carrier: AnswerCarrier;
  readonly #metadata: MessageHead['pairs'];
  #trailers: Record<string, string> | undefined;
  #facts: Uint8Array | undefined;
  #onCancel: ((reason: SluiceError) => void) | undefined;
  #cancelled: SluiceError | undefined;

  constructor(carrier: AnswerCarrier, served: ServedMethod, head: MessageHead) {
    this.#carrier = carrier;
    this.served = served;
    this.number = head.call;
    this.#metadata = head.pairs;
    const { core } = carrier;
    this.startedMs = core.clock.monotonic();
    const undated = head.timeLeftMs === noDeadline;
    this.deadlineMs = core.clock.now() + (undated ? core.defaultDeadlineMs : head.timeLeftMs);
    served.stats.started();
    core.active.add(this, undated);
  }

  get method(): string {
    return this.served.name;
  }
  get peer(): string {
    return this.#carrier.peer;
  }

  metadata(key: string): string | undefined {
    return Object.hasOwn(this.#metadata, key) ? this.#metadata[key] : undefined;
  }

  setTrailer(key: string, value: string): void {
    if (!this.ended) (this.#trailers ??= {})[key] = value;
  }

  get takesFacts(): boolean {
    return this.#carrier.takesFacts;
  }

  setFacts(facts: Uint8Array): void {
    if (facts.length > maxFactBytes)
      throw new RangeError(`facts of ${facts.length} bytes, at most ${maxFactBytes} are allowed`);
    if (this.takesFacts) this.#facts = facts;
  }

  respond(first: Uint8Array, ...more: readonly Uint8Array[]): void {
    if (this.ended) return;
    const { core } = this.#carrier;
    try {
      const message = join(first, more);
      checkSize(message, core.maxAnswerBytes);
      const pairs = encodePairs(this.#trailers);
      this.#end(0);
      this.#send(frameTypes.ANSWER, 0, pairs, message);
    } catch (error) {
      this.fail(error);
    }
  }

  fail(error: unknown, about?: string): void {
    if (this.ended) return;
    const status = toWire(error);
    const { core } = this.#carrier;
    if (status.cause !== undefined) core.logDefect(status.cause, this.method, this.peer, about);
    let pairs: Uint8Array;
    try {
      pairs = encodePairs({ ...this.#trailers, ...status.trailers });
    } catch {
      // Trailers that no frame takes are a defect; the failure goes without them.
      pairs = encodePairs(status.trailers);
    }
    this.#end(status.code);
    this.#send(frameTypes.FAILURE, status.code, pairs, Buffer.from(status.message));
  }

  onCancel(fn: (reason: SluiceError) => void): void {
    if (this.#cancelled) fn(this.#cancelled);
    else this.#onCancel = fn;
  }

  /** Its handler's turn. Whatever it throws, at once or later, is the answer. */
  run(message: Buffer): void {
    runRaw(this.served.handler, message, this);
  }

  /** Its message is larger than the limit: it never reaches its handler. */
  refuse(total: number, limit: number): void {
    for (const [key, value] of Object.entries(this.served.refusalTrailers?.() ?? {})) this.setTrailer(key, value);
    const message = `the request has ${total} bytes, more than the limit of ${limit}; send less at once`;
    this.fail(new SluiceError('resource-exhausted', message));
  }

  /** The default deadline has passed, or the server ends what is left. */
  expire(): void {
    const { core } = this.#carrier;
    const reason = core.endingError(core.defaultDeadlineMs);
    if (this.ended) return;
    this.#cancelled = reason;
    this.fail(reason);
    this.#tell(reason);
  }

  /** Nobody waits for it any more. @param late because its deadline has passed */
  cancel(late: boolean): void {
    if (this.ended) return;
    this.#end(late ? statusCodes.DEADLINE_EXCEEDED : statusCodes.CANCELLED);
    this.#cancelled = late ? lateError() : cancelledError();
    this.#tell(this.#cancelled);
  }

  #send(type: MessageType, code: number, pairs: Uint8Array, message: Uint8Array): void {
    const facts = this.#facts;
    if (facts === undefined) this.#carrier.answer(this, type, code, pairs, message);
    else this.#carrier.answer(this, type, code + withFacts, withFactsBehind(pairs, facts), message);
  }

  #tell(reason: SluiceError): void {
    const fn = this.#onCancel;
    this.#onCancel = undefined;
    fn?.(reason);
  }

  #end(code: number): void {
    this.ended = true;
    const { core } = this.#carrier;
    core.active.delete(this);
    this.served.stats.ended(code, core.clock.monotonic() - this.startedMs);
  }
}
