import type { ServerDuplexStream, ServerReadableStream, sendUnaryData } from '@grpc/grpc-js';
import { SluiceError } from '@sluice/domain/errors';
import type { MethodStats } from '@sluice/telemetry/request-stats';
import { Context } from './context.ts';
import { decodeRequest, encodeResponse } from './messages.ts';
import type { AnyDefinition } from './messages.ts';
import { readMessages } from './read-messages.ts';
import type { ServerCore } from './server-core.ts';
import { StreamLife, cutOffError, endedWithinMessage } from './stream-life.ts';
import type { Surface, Writing } from './stream-life.ts';
import { cancelledError } from './unary-life.ts';

type Reading = ServerReadableStream<Buffer, Buffer> | ServerDuplexStream<Buffer, Buffer>;

/** One streaming call: its messages decoded and encoded. */
export class StreamCall extends StreamLife {
  #waits = 0;
  #lastActivityMs = 0;
  #context: Context | undefined;
  readonly #definition: AnyDefinition;
  readonly #call: Surface;
  #wake: (() => void) | undefined;

  constructor(
    core: ServerCore,
    stats: MethodStats,
    definition: AnyDefinition,
    call: Surface,
    send?: sendUnaryData<Buffer>,
  ) {
    super(core, stats, definition.path.slice(1), call, send);
    this.#definition = definition;
    this.#call = call;
  }

  /** @throws SluiceError invalid-argument when its metadata is not acceptable */
  checkContext(): void {
    this.#context = new Context({
      method: this.method,
      peer: this.peer,
      deadlineMs: this.deadlineMs,
      metadata: (key) => this.metadata(key),
      setTrailer: (key, value) => this.trailers.set(key, value),
    });
  }

  get context(): Context {
    if (this.#context === undefined) throw new Error('checkContext comes first');
    return this.#context;
  }

  /**
   * What the promise gives, or undefined once the call has ended. (Racing every message against one long-lived promise
   * would hold a reaction per message for as long as the stream lasts.)
   */
  async #unlessEnded<T>(work: Promise<T>): Promise<T | undefined> {
    if (this.ended) return undefined;
    return new Promise<T | undefined>((resolve, reject) => {
      this.#wake = () => resolve(undefined);
      work.then(resolve, reject);
    });
  }

  /** The caller's messages; ends with them, throws when one is malformed or the caller is gone. */
  async *requests(): AsyncGenerator<object> {
    const reading = this.#call as Reading;
    this.#waiting(1);
    for await (const bytes of readMessages(reading, () => this.ended)) {
      this.#waiting(-1);
      yield decodeRequest(this.#definition, bytes);
      this.#waiting(1);
    }
    this.#waiting(-1);
    if (this.ended || !reading.readableEnded) throw cancelledError();
    if (endedWithinMessage(this.#call)) throw cutOffError();
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
        const flowing = call.write(encodeResponse(this.#definition, next.value, this.core.maxAnswerBytes));
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
      if (SluiceError.from(error).kind === 'internal') this.core.logDefect(error, this.method, this.peer);
    });
  }

  /** The one answer of a client stream. */
  respond(value: object, send: sendUnaryData<Buffer>): void {
    if (this.ended) return;
    try {
      const bytes = encodeResponse(this.#definition, value, this.core.maxAnswerBytes);
      this.end(0, undefined);
      send(null, bytes, this.trailers);
    } catch (error) {
      this.fail(error);
    }
  }

  get waitingSinceMs(): number | undefined {
    return this.#waits > 0 ? this.#lastActivityMs : undefined;
  }

  /** Begins (1) or ends (-1) a wait for the caller to send or to read; 0 says that something was sent to it. */
  #waiting(change: 1 | 0 | -1): void {
    this.#waits += change;
    this.#lastActivityMs = this.core.clock.monotonic();
  }

  protected override closed(reason: SluiceError | undefined): void {
    this.#wake?.();
    if (reason !== undefined) this.#context?.abort(cancelledError());
  }
}

async function drained(call: Writing): Promise<void> {
  await new Promise<void>((resolve) => call.once('drain', resolve));
}
