import { constants } from 'node:http2';
import type { ServerDuplexStream } from '@grpc/grpc-js';
import type { SluiceError } from '@sluice/domain/errors';
import type { MethodStats } from '@sluice/telemetry/request-stats';
import { ServerCall } from '@sluice/wire/grpc/server-call';
import type { RawStreamMethod } from './handlers.ts';
import { asBuffer } from './messages.ts';
import { OrderedAnswers } from './ordered-answers.ts';
import { runRaw } from './run-raw.ts';
import type { ServerCore } from './server-core.ts';
import { StreamLife, cutOffError, endedWithinMessage } from './stream-life.ts';
import { StreamRequest } from './stream-request.ts';
import type { RequestStream } from './stream-request.ts';
import { cancelledError } from './unary-life.ts';

/** Bytes of answers that wait for the caller to read them before nothing more is read from it. */
const maxUnsentBytes = 4 * 1024 * 1024;

/** The counts of a method whose streams carry requests. */
export interface RawStreamStats {
  /** Of the streams. */
  readonly streams: MethodStats;
  /** Of the requests that came on them. */
  readonly requests: MethodStats;
}

/**
 * A stream whose messages stay bytes and are requests, each of them a call of its own: many are under way at once, and one
 * that fails says so in its answer while the stream goes on.
 *
 * What the caller can make the server hold is bounded: nothing is read from it while `maxInFlight` requests are under way
 * or answered and not yet read by it, nor while it has more than 4 MiB of answers to read.
 */
export class RawStreamCall extends StreamLife implements RequestStream {
  readonly endsAtFailure: boolean;
  readonly codec: RawStreamMethod['codec'];
  readonly stats: MethodStats;
  readonly #stream: ServerDuplexStream<Buffer, Buffer>;
  readonly #handling: RawStreamMethod;
  /** Without an answer, or with one that waits for its turn. */
  readonly #inFlight = new Set<StreamRequest>();
  readonly #ordered = new OrderedAnswers<StreamRequest>();
  #unsent = 0;
  #unsentBytes = 0;
  #lastActivityMs: number;
  #paused = false;
  /** The caller has said that it sends nothing more. */
  #isHalfClosed = false;
  #isStopping = false;
  /** The stream's own deadline has come, which its stack is about to see. */
  #isLate = false;
  /** A request came that the server was too late for. */
  #hasRefused = false;

  constructor(
    core: ServerCore,
    stats: RawStreamStats,
    method: string,
    stream: ServerDuplexStream<Buffer, Buffer>,
    handling: RawStreamMethod,
  ) {
    super(core, stats.streams, method, stream, undefined);
    this.stats = stats.requests;
    this.codec = handling.codec;
    this.#stream = stream;
    this.#handling = handling;
    this.#lastActivityMs = this.startedMs;
    this.endsAtFailure = handling.codec.endsAtFailure((key) => this.metadata(key));
  }

  /** Begins to read. */
  start(): void {
    readOneAhead(this.#stream);
    this.#stream.on('data', (bytes: Buffer) => this.#take(bytes));
    this.#stream.on('end', () => {
      this.#isHalfClosed = true;
      this.#endIfDone();
    });
  }

  /** Answers what is under way and takes nothing new. The stream then fails, unless its caller had no more to send. */
  override drain(): void {
    this.#isStopping = true;
    // It is read on, to learn whether there is more.
    this.#pace();
    this.#endIfDone();
  }

  /** It waits for its caller to read, or for it to send while nothing is under way. */
  get waitingSinceMs(): number | undefined {
    return this.#unsent > 0 || this.#inFlight.size === 0 ? this.#lastActivityMs : undefined;
  }

  /** A status would wait behind what the caller does not read, and keep it: the stream is reset instead. */
  override giveUp(): void {
    const isUnread = this.#unsent > 0;
    super.giveUp();
    if (isUnread) reset(this.#stream);
  }

  /** grpc-js sends these trailers after this, with its own status. */
  override refused(code: number): void {
    if (!this.ended) {
      for (const [key, value] of Object.entries(this.#handling.refusalTrailers?.() ?? {}))
        this.trailers.set(key, value);
    }
    super.refused(code);
  }

  #take(bytes: Buffer): void {
    if (this.ended) return;
    if (this.#isStopping) {
      this.#hasRefused = true;
      return;
    }
    this.#lastActivityMs = this.core.clock.monotonic();
    const request = new StreamRequest(this.core, this, bytes);
    this.#inFlight.add(request);
    runRaw(this.#handling.rawStream, bytes, request);
    this.#pace();
  }

  inOrder(request: StreamRequest, key: string): void {
    this.#ordered.add(request, key);
  }

  /**
   * Sends what a request ended with. This is the one place that decides the order of a stream's answers: each goes when
   * it is there, but for those that must keep an order (`inOrder`), which wait for those before them.
   */
  deliver(request: StreamRequest, message: Uint8Array): void {
    for (const [each, bytes] of this.#ordered.answered(request, message)) this.#send(each, bytes);
    this.#pace();
  }

  #send(request: StreamRequest, message: Uint8Array): void {
    this.#inFlight.delete(request);
    if (this.ended) return;
    this.#isLate ||= request.isLate;
    if (this.#unsent === 0) this.#lastActivityMs = this.core.clock.monotonic();
    const { byteLength } = message;
    this.#unsent++;
    this.#unsentBytes += byteLength;
    this.#stream.write(asBuffer(message), () => this.#sent(byteLength));
  }

  /** A request failed on a stream that ends at its first failure. */
  failAll(request: StreamRequest, error: unknown, trailers: ReadonlyMap<string, string>): void {
    this.#inFlight.delete(request);
    if (this.ended) return;
    for (const [key, value] of trailers) this.trailers.set(key, value);
    this.fail(error);
  }

  #sent(bytes: number): void {
    this.#unsent--;
    this.#unsentBytes -= bytes;
    if (this.ended) return;
    this.#lastActivityMs = this.core.clock.monotonic();
    this.#pace();
    this.#endIfDone();
  }

  /** Reads on or holds still, as the bounds have it. */
  #pace(): void {
    if (this.ended) return;
    const isFull = this.#inFlight.size + this.#unsent >= this.#handling.maxInFlight;
    const bytes = this.#unsentBytes + this.#ordered.bytes;
    const mustWait = (isFull || bytes > maxUnsentBytes) && !this.#isStopping;
    if (mustWait === this.#paused) return;
    this.#paused = mustWait;
    if (mustWait) this.#stream.pause();
    else this.#stream.resume();
  }

  #endIfDone(): void {
    // A stream whose deadline has passed is no success, although its last answer says so of itself a moment earlier.
    if (this.ended || this.#isLate || this.#inFlight.size > 0 || this.#unsent > 0) return;
    if (this.#isHalfClosed && !this.#hasRefused) {
      if (endedWithinMessage(this.#stream)) this.fail(cutOffError());
      else this.succeed();
    } else if (this.#isStopping) this.expire();
  }

  protected override closed(reason: SluiceError | undefined): void {
    const left = [...this.#inFlight];
    this.#inFlight.clear();
    for (const request of left) request.cancel(reason ?? cancelledError());
  }
}

/** Ends a stream without a status and forgets what was written; grpc-js offers that to clients only. */
function reset(stream: ServerDuplexStream<Buffer, Buffer>): void {
  const { call } = stream as unknown as { call?: ServerCall | { stream?: { close(code: number): void } } };
  if (call instanceof ServerCall) call.abort();
  else call?.stream?.close(constants.NGHTTP2_CANCEL);
}

/** Streams of objects read sixteen of them ahead, which here may be a gigabyte; grpc-js has no setting for it. */
function readOneAhead(stream: ServerDuplexStream<Buffer, Buffer>): void {
  (stream as unknown as { _readableState: { highWaterMark: number } })._readableState.highWaterMark = 1;
}
