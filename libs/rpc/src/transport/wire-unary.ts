import type { MethodStats } from '@sluice/telemetry/request-stats';
import type { CallObserver, CallSink, MessageRoom, ServerCall } from '@sluice/wire/grpc/server-call';
import { valueOf } from '@sluice/wire/http2/fields';
import type { RawUnaryHandler } from '../handlers.ts';
import type { RefusalRule } from '../refusals.ts';
import { runRaw } from '../run-raw.ts';
import type { ServerCore } from '../server-core.ts';
import { statusCodes } from '../status.ts';
import { UnaryLife } from '../unary-life.ts';
import { Unhandled } from './unhandled.ts';
import type { UsedMemory } from './used-memory.ts';

/** A method of bytes on `libs/wire`. */
export interface WireRawMethod {
  readonly core: ServerCore;
  /** Without a leading slash. */
  readonly method: string;
  readonly handler: RawUnaryHandler;
  readonly refusal: RefusalRule;
  /** For its large requests. */
  readonly memory: UsedMemory;
}

/** A call of such a method, until its one request is there. */
export class WireRequest extends Unhandled implements CallSink {
  readonly #of: WireRawMethod;
  readonly #call: ServerCall;
  #octets: Buffer | undefined;
  /** The memory that its request was given. */
  #room: Buffer | undefined;

  static begin(of: WireRawMethod, call: ServerCall): void {
    call.sink = call.observer = new WireRequest(of, call);
  }

  private constructor(of: WireRawMethod, call: ServerCall) {
    super(of.refusal, of.core.clock);
    this.#of = of;
    this.#call = call;
  }

  get takesOne(): boolean {
    return true;
  }

  room(octets: number): MessageRoom | undefined {
    const room = this.#of.memory.room(octets);
    this.#room = room?.octets;
    return room;
  }

  message(octets: Buffer): void {
    if (this.#octets === undefined) {
      this.#octets = this.#call.hold(octets);
    } else
      this.#call.refuse(statusCodes.UNIMPLEMENTED, `${this.#of.method}: a second request message, where one is taken`);
  }

  halfClosed(): void {
    const { core, refusal, method, handler, memory } = this.#of;
    if (this.#call.refuseCutOff()) return;
    if (this.#octets === undefined) {
      this.#call.refuse(statusCodes.UNIMPLEMENTED, `${method}: no request message`);
      return;
    }
    const call = new WireUnary(core, refusal.stats, method, this.#call);
    // What was inflated lies elsewhere, and a second message, for which there may be room too, is refused.
    if (this.#octets === this.#room) call.canReuse(this.#octets, memory);
    runRaw(handler, this.#octets, call);
  }

  cancelled(): void {
    // Nobody works for it yet.
  }

  drained(): void {
    // Nothing was written.
  }
}

/** A call of such a method, as its handler has it. */
class WireUnary extends UnaryLife implements CallSink, CallObserver {
  readonly #call: ServerCall;
  /** Names and values in turn. */
  readonly #trailers: string[] = [];
  /** Where its request lies, and whose memory that is. */
  #request: Buffer | undefined;
  #memory: UsedMemory | undefined;

  constructor(core: ServerCore, stats: MethodStats, method: string, call: ServerCall) {
    super(core, stats, method, call.deadlineMs);
    this.#call = call;
    call.sink = call.observer = this;
  }

  /** The memory of its request may be given back. */
  canReuse(request: Buffer, memory: UsedMemory): void {
    this.#request = request;
    this.#memory = memory;
  }

  requestIsUnused(): void {
    if (this.#request !== undefined) this.#memory!.give(this.#request);
  }

  get peer(): string {
    return this.#call.peer;
  }

  metadata(key: string): string | undefined {
    return valueOf(this.#call.head.fields, key);
  }

  setTrailer(key: string, value: string): void {
    const at = this.#trailers.findIndex((name, index) => index % 2 === 0 && name === key);
    if (at < 0) this.#trailers.push(key, value);
    else this.#trailers[at + 1] = value;
  }

  trailers(): readonly string[] {
    return this.#trailers;
  }

  message(): void {
    // Its request is there, and the caller has said that no other comes.
  }

  halfClosed(): void {
    // It was before.
  }

  /** @param code what its caller sees */
  cancelled(code: number): void {
    this.refused(code);
  }

  drained(): void {
    // It writes once.
  }

  protected mayAnswer(bytes: number): boolean {
    return this.#call.mayWrite(bytes);
  }

  protected sendAnswer(message: Buffer): void {
    this.#call.write(message);
    this.#call.finish(0, '', this.#trailers);
  }

  protected sendFailure(code: number, details: string): void {
    this.#call.finish(code, details, this.#trailers);
  }
}
