import { ConnectionError, errorCodes } from '../errors.ts';
import { Connection } from './connection.ts';
import type { ConnectionOptions } from './connection-options.ts';
import { clientPreface, defaultWindow, largestStreamId } from './frame-types.ts';
import type { Http2Stream, StreamSink } from './http2-stream.ts';
import { settingIds } from './settings.ts';

export interface ClientConnectionOptions extends ConnectionOptions {
  /** The server takes no more streams; those that it has go on. */
  readonly goaway: (code: number, debug: string) => void;
  /** A stream is over, or the server has said how many it takes: there may be room for another. */
  readonly streamClosed?: () => void;
}

/** Streams that may be opened before the server has said how many it takes: no fewer than this should be allowed (RFC 9113, section 6.5.2). */
const streamsBeforeSettings = 100;

/** A connection on which this side opens streams. */
export class ClientConnection extends Connection {
  protected readonly isClient = true;
  readonly #goaway: ClientConnectionOptions['goaway'];
  readonly #streamClosed: ClientConnectionOptions['streamClosed'];
  #nextStreamId = 1;
  /** Resets of the server up to now, of streams that were opened by then. */
  #resets = 0;

  constructor(options: ClientConnectionOptions) {
    super(options);
    this.#goaway = options.goaway;
    this.#streamClosed = options.streamClosed;
    const { limits } = options;
    this.out.append(clientPreface);
    this.sendSettings([
      [settingIds.ENABLE_PUSH, 0],
      [settingIds.MAX_HEADER_LIST_SIZE, limits.maxHeaderListSize],
      ...(limits.streamWindow === defaultWindow
        ? []
        : [[settingIds.INITIAL_WINDOW_SIZE, limits.streamWindow] as const]),
    ]);
    this.writing.schedule();
  }

  /** Whether another stream may be opened now: the server's limit is not reached, and it has not gone away. */
  get hasRoom(): boolean {
    const { maxConcurrentStreams } = this.settings;
    const most = this.receiving.begun ? maxConcurrentStreams : streamsBeforeSettings;
    return this.mayOpen && this.streams.size < most;
  }

  /** Whether another stream may be opened sooner or later. */
  get mayOpen(): boolean {
    return !this.isOver && !this.isDraining && this.#nextStreamId <= largestStreamId;
  }

  /** Opens a stream; ask `hasRoom` before. @param fields of the request, names and values in turn */
  open(fields: readonly string[], constant: boolean, endStream: boolean, sink: StreamSink): Http2Stream {
    const stream = this.newStream(this.#nextStreamId, false);
    this.#nextStreamId += 2;
    stream.sink = sink;
    this.headers(stream, fields, constant, endStream);
    return stream;
  }

  /** A server may reset each stream that was opened here, at whatever rate. */
  protected expectsReset(): boolean {
    if (2 * this.#resets + 1 >= this.#nextStreamId) return false;
    this.#resets++;
    return true;
  }

  protected override streamOver(): void {
    this.#streamClosed?.();
  }

  protected get lastStreamId(): number {
    return 0;
  }

  protected stateByNumber(streamId: number): 'idle' | 'closed' {
    return streamId % 2 === 1 && streamId < this.#nextStreamId ? 'closed' : 'idle';
  }

  protected opened(streamId: number): never {
    throw new ConnectionError('PROTOCOL_ERROR', `the server opens stream ${streamId}`);
  }

  /** Streams that the server has not taken up may be sent again elsewhere. */
  protected wentAway(lastStreamId: number, code: number, debug: string): void {
    // First of all: whoever sends again what is refused here must not find that this connection still has room.
    this.leave();
    this.#goaway(code, debug);
    for (const stream of this.streams.values())
      if (stream.id > lastStreamId) this.abandon(stream, errorCodes.REFUSED_STREAM);
    this.endIfLeft();
  }

  protected preface(): number {
    return 0;
  }
}
