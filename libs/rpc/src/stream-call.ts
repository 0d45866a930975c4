import { Metadata } from '@grpc/grpc-js';
import type { ServerDuplexStream, ServerReadableStream, ServerWritableStream, sendUnaryData } from '@grpc/grpc-js';
import { SluiceError } from '@sluice/domain/errors';
import type { MethodStats } from '@sluice/telemetry/request-stats';
import type { ActiveCall } from './active-calls.ts';
import { Context, textOf } from './context.ts';
import { decodeRequest, encodeResponse } from './messages.ts';
import type { AnyDefinition } from './messages.ts';
import { handles } from './refusals.ts';
import type { HandledCall } from './refusals.ts';
import type { ServerCore } from './server-core.ts';
import { grpcCode } from './grpc-code.ts';
import type { WaitingStream } from './slow-peers.ts';
import { statusCodes, toWire } from './status.ts';
import { cancelledError, isAtDeadline } from './unary-call.ts';

type Surface =
  ServerReadableStream<Buffer, Buffer> | ServerWritableStream<Buffer, Buffer> | ServerDuplexStream<Buffer, Buffer>;
type Writing = ServerWritableStream<Buffer, Buffer> | ServerDuplexStream<Buffer, Buffer>;
type Reading = ServerReadableStream<Buffer, Buffer> | ServerDuplexStream<Buffer, Buffer>;

/** One streaming call: its messages decoded and encoded, and its one end. */
export class StreamCall implements ActiveCall, WaitingStream, HandledCall {
  readonly method: string;
  readonly peer: string;
  readonly startedMs: number;
  readonly deadlineMs: number | undefined;
  #waits = 0;
  #lastActivityMs = 0;
  #context: Context | undefined;
  readonly #core: ServerCore;
  readonly #stats: MethodStats;
  readonly #definition: AnyDefinition;
  readonly #call: Surface;
  readonly #trailers = new Metadata();
  #wake: (() => void) | undefined;
  #finish: (code: number, details: string) => void;
  #ended = false;

  constructor(
    core: ServerCore,
    stats: MethodStats,
    definition: AnyDefinition,
    call: Surface,
    send?: sendUnaryData<Buffer>,
  ) {
    this.#core = core;
    this.#stats = stats;
    this.#definition = definition;
    this.#call = call;
    this.method = definition.path.slice(1);
    this.peer = call.getPeer();
    this.startedMs = core.clock.monotonic();
    const deadline = call.getDeadline();
    this.deadlineMs = deadline === Infinity ? undefined : Number(deadline);
    this.#finish = (code, details) => {
      if (send !== undefined) send({ code: grpcCode(code), details, metadata: this.#trailers });
      else if (code === 0) (call as Writing).end(this.#trailers);
      // The way grpc-js gives a writable stream its status: it waits for what was written and then sends this.
      else call.emit('error', Object.assign(new Error(details), { code, details, metadata: this.#trailers }));
    };
    stats.started();
    core.active.add(this, false);
    core.slowPeers.add(this);
    call.on('cancelled', () => this.#cancel(1));
    handles(call, this);
    // A destroyed Readable emits it; the cancellation says all there is to say.
    call.on('error', () => undefined);
  }

  /** @throws SluiceError invalid-argument when its metadata is not acceptable */
  checkContext(): void {
    this.#context = new Context({
      method: this.method,
      peer: this.peer,
      deadlineMs: this.deadlineMs,
      metadata: (key) => textOf(this.#call.metadata, key),
      setTrailer: (key, value) => this.#trailers.set(key, value),
    });
  }

  get context(): Context {
    if (this.#context === undefined) throw new Error('checkContext comes first');
    return this.#context;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /**
   * What the promise gives, or undefined once the call has ended. (Racing every message against one long-lived promise
   * would hold a reaction per message for as long as the stream lasts.)
   */
  async #unlessEnded<T>(work: Promise<T>): Promise<T | undefined> {
    if (this.#ended) return undefined;
    return new Promise<T | undefined>((resolve, reject) => {
      this.#wake = () => resolve(undefined);
      work.then(resolve, reject);
    });
  }

  /** The caller's messages; ends with them, throws when one is malformed or the caller is gone. */
  async *requests(): AsyncGenerator<object> {
    try {
      const reading = this.#call as Reading & AsyncIterable<Buffer>;
      const source = (reading as unknown as { iterator: (o: object) => AsyncIterable<Buffer> }).iterator({
        destroyOnReturn: false,
      });
      this.#waiting(1);
      for await (const bytes of source) {
        this.#waiting(-1);
        yield decodeRequest(this.#definition, bytes);
        this.#waiting(1);
      }
      this.#waiting(-1);
    } catch (error) {
      if (this.#ended) throw cancelledError();
      throw error;
    }
    if (this.#ended) throw cancelledError();
    if (endedWithinMessage(this.#call))
      throw new SluiceError('invalid-argument', 'the stream of requests ended within a message');
  }

  /** Sends what the handler yields, at the caller's pace, and ends the call. */
  async pump(answers: AsyncIterable<object>): Promise<void> {
    const call = this.#call as Writing;
    const iterator = answers[Symbol.asyncIterator]();
    try {
      for (;;) {
        const next = await this.#unlessEnded(iterator.next());
        if (next === undefined) break;
        if (next.done === true) {
          this.succeed();
          return;
        }
        const flowing = call.write(encodeResponse(this.#definition, next.value, this.#core.maxAnswerBytes));
        this.#waiting(flowing ? 0 : 1);
        if (flowing) continue;
        await this.#unlessEnded(drained(call));
        this.#waiting(-1);
      }
    } catch (error) {
      this.fail(error);
    }
    // A generator that waits for something else ends when that does; nobody waits for it.
    void Promise.resolve(iterator.return?.()).catch((error: unknown) => {
      if (SluiceError.from(error).kind === 'internal') this.#core.logDefect(error, this.method, this.peer);
    });
  }

  succeed(): void {
    if (this.#ended) return;
    this.#end(0);
    this.#finish(0, 'OK');
  }

  /** The one answer of a client stream. */
  respond(value: object, send: sendUnaryData<Buffer>): void {
    if (this.#ended) return;
    try {
      const bytes = encodeResponse(this.#definition, value, this.#core.maxAnswerBytes);
      this.#end(0);
      send(null, bytes, this.#trailers);
    } catch (error) {
      this.fail(error);
    }
  }

  fail(error: unknown): void {
    if (this.#ended) return;
    const status = toWire(error);
    if (status.cause !== undefined) this.#core.logDefect(status.cause, this.method, this.peer);
    for (const [key, value] of Object.entries(status.trailers)) this.#trailers.set(key, value);
    this.#end(status.code);
    this.#context?.abort(cancelledError());
    this.#finish(status.code, status.message);
  }

  /** The server stops and this call is one that would never end by itself. */
  expire(): void {
    this.fail(this.#core.endingError(0));
  }

  /** For a stream that waits for news as long as its caller likes. */
  hasNoIdleLimit(): void {
    this.#core.slowPeers.delete(this);
  }

  giveUp(): void {
    const limit = this.#core.streamIdleMs;
    this.fail(new SluiceError('deadline-exceeded', `the caller neither sent nor read anything for ${limit} ms`));
  }

  get waitingSinceMs(): number | undefined {
    return this.#waits > 0 ? this.#lastActivityMs : undefined;
  }

  /** Begins (1) or ends (-1) a wait for the caller to send or to read; 0 says that something was sent to it. */
  #waiting(change: 1 | 0 | -1): void {
    this.#waits += change;
    this.#lastActivityMs = this.#core.clock.monotonic();
  }

  get trailers(): Metadata {
    return this.#trailers;
  }

  /** grpc-js answers it by itself: a message is too large, or the deadline has passed. */
  refused(code: number): void {
    this.#cancel(code);
  }

  #cancel(code: number): void {
    if (this.#ended) return;
    const isLate = isAtDeadline(this.#core.clock.now(), this.deadlineMs);
    this.#end(isLate ? statusCodes.DEADLINE_EXCEEDED : code);
    this.#context?.abort(cancelledError());
  }

  #end(code: number): void {
    this.#ended = true;
    this.#core.active.delete(this);
    this.#core.slowPeers.delete(this);
    this.#stats.ended(code, this.#core.clock.monotonic() - this.startedMs);
    this.#wake?.();
  }
}

/** grpc-js drops the beginning of a message that never ends, and reports the end of the stream as if all were well. */
function endedWithinMessage(call: Surface): boolean {
  const { decoder } = (call as { call?: { decoder?: { readState?: number } } }).call ?? {};
  return (decoder?.readState ?? 0) !== 0;
}

async function drained(call: Writing): Promise<void> {
  await new Promise<void>((resolve) => call.once('drain', resolve));
}
