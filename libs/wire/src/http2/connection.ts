import { apart } from '../apart.ts';
import { ConnectionError, ConnectionLost, errorCodes } from '../errors.ts';
import type { HeaderBlock } from '../hpack/header-block.ts';
import { NumberMap } from '../number-map.ts';
import { Backlog } from './backlog.ts';
import type { ConnectionOptions } from './connection-options.ts';
import { Floods } from './floods.ts';
import { FrameReader } from './frame-reader.ts';
import { defaultWindow, largestStreamId } from './frame-types.ts';
import { writeGoaway, writePing, writeSettings, writeSettingsAck, writeWindowUpdate } from './frame-writer.ts';
import { Http2Stream } from './http2-stream.ts';
import type { AbortedBy } from './http2-stream.ts';
import { Life } from './life.ts';
import { OutQueue } from './out-queue.ts';
import { Receiving } from './receiving.ts';
import { ResetStreams } from './reset-streams.ts';
import type { OwnEnd, StreamFault } from './reset-streams.ts';
import { Sending } from './sending.ts';
import { initialSettings, readSettings, settingIds, settingsPayload } from './settings.ts';
import { SlowStreams } from './slow-streams.ts';
import type { StreamState } from './stream-states.ts';
import { Writing } from './writing.ts';

const pingData = Buffer.from('sluice\0\0', 'latin1');

/**
 * One HTTP/2 connection (RFC 9113): octets in, octets out. What streams carry is for their sinks; who opens them, and how a connection begins, for
 * `ServerConnection` and `ClientConnection`.
 */
export abstract class Connection {
  protected readonly options: ConnectionOptions;
  protected readonly settings = initialSettings();
  protected readonly out = new OutQueue();
  protected readonly sending: Sending;
  protected readonly receiving: Receiving;
  protected readonly streams = new NumberMap<Http2Stream>();
  readonly floods: Floods;
  readonly backlog: Backlog;
  protected readonly life: Life;
  protected readonly writing: Writing;
  readonly #slow: SlowStreams;
  readonly #reader: FrameReader;
  readonly #resets: ResetStreams;
  /** No more is read: it ends when all is sent, or has ended. */
  #over = false;
  #draining = false;
  /** What ended it, unless both sides were done. */
  failure: Error | undefined;
  /** GOAWAY with the last stream that was taken up was sent. */
  #saidLast = false;

  constructor(options: ConnectionOptions) {
    const { port, clock, limits, backlog = new Backlog() } = options;
    const { out } = this;
    const now = (): number => clock.monotonic();
    this.options = options;
    this.backlog = backlog;
    this.#slow = new SlowStreams(limits);
    this.writing = new Writing({ port, clock, limits, out, backlog });
    this.life = new Life(limits, now());
    this.floods = new Floods(limits.floods, now);
    this.#resets = new ResetStreams({
      ...{ out, floods: this.floods, connectionWindow: limits.connectionWindow },
      expectsReset: () => this.expectsReset(),
    });
    this.sending = new Sending({
      ...{ now, out, backlog, leastOctets: limits.leastOctets, settings: this.settings, repeated: options.repeated },
      ended: (stream) => this.#endedHere(stream),
    });
    this.receiving = new Receiving({
      ...{ limits, now, floods: this.floods, resets: this.#resets, expects: () => this.sending.expects() },
      find: (streamId) => this.streams.get(streamId),
      stateOf: (streamId) => this.#stateOf(streamId),
      open: (streamId, block, ended) => this.opened(streamId, block, ended),
      endedThere: (stream) => this.#endedThere(stream),
      resetThere: (stream, code) => this.#abort(stream, 'closed', code, 'peer'),
      streamError: (stream, error) => this.resetForFault(stream, error),
      settings: (from, start, end) => this.#settings(from, start, end),
      settingsAcknowledged: () => this.life.settingsAcknowledged(),
      ping: (data, ack) => this.#ping(data, ack),
      goaway: (lastStreamId, code, debug) => this.wentAway(lastStreamId, code, debug),
      allow: (stream, increment) => this.#allow(stream, increment),
      giveBack: (streamId, increment) => writeWindowUpdate(this.out, streamId, increment),
    });
    this.#reader = new FrameReader(this.receiving, () => this.writing.isFull);
  }

  /** Streams that are not over. */
  get streamCount(): number {
    return this.streams.size;
  }
  /** Nothing more comes of it. */
  get isOver(): boolean {
    return this.#over;
  }
  /** Octets that wait for the peer to read. */
  get unsent(): number {
    return this.writing.unsent;
  }
  /** It takes no new streams. */
  get isDraining(): boolean {
    return this.#draining;
  }

  /** The other side has opened a stream. */
  protected abstract opened(streamId: number, block: HeaderBlock, ended: boolean): void;
  /** What a stream that is not open is by its number alone. */
  protected abstract stateByNumber(streamId: number): 'idle' | 'skipped' | 'closed';
  /** Of the highest stream of the peer that was taken up. */
  protected abstract get lastStreamId(): number;
  /** The other side says that it takes no more streams. */
  protected abstract wentAway(lastStreamId: number, code: number, debug: string): void;
  /** The peer has a stream end early. @returns whether this side has begun as many as did, so that it is none too many */
  protected abstract expectsReset(): boolean;
  /** What precedes frames. @returns from where on there are frames */
  protected abstract preface(chunk: Buffer): number;

  /** Octets of the socket. They are read now, and nothing of them is kept. */
  receive(chunk: Buffer): void {
    if (this.#over) return;
    this.life.heard(this.options.clock.monotonic());
    this.#read(chunk);
  }

  /** @param chunk undefined: what is left of the last */
  #read(chunk: Buffer | undefined): void {
    this.writing.gathers = true;
    try {
      const start = chunk === undefined ? 0 : this.preface(chunk);
      if (chunk === undefined) this.#reader.goOn();
      else if (start < chunk.length) this.#reader.read(start === 0 ? chunk : chunk.subarray(start));
    } catch (error) {
      this.fail(error);
    } finally {
      this.writing.gathers = false;
    }
    this.writing.flush();
  }

  /** The socket has taken what it was given last. */
  sent(): void {
    if (this.writing.taken()) {
      if (!this.#over) this.sending.resume();
      this.writing.flush();
      if (this.#over && this.writing.sinceMs === undefined) this.options.port.end();
    }
    this.#goOn();
  }

  /** Reads on where there is room again for what that leads to. */
  #goOn(): void {
    while (this.#reader.isHalted && !this.writing.isFull && !this.writing.gathers) this.#read(undefined);
    if (!this.#reader.isHalted) this.writing.goOn();
  }

  /** The socket is gone. Without streams nobody misses it: most clients leave without a GOAWAY. */
  lost(error: Error | undefined): void {
    const why = error?.message ?? 'the connection was closed by the other side';
    this.#close(this.streams.size === 0 ? undefined : new ConnectionLost(why, error));
    this.backlog.clear();
  }

  /** Looks at what took too long; to be called every second or so. */
  tick(): void {
    if (this.#over) return;
    const nowMs = this.options.clock.monotonic();
    try {
      const step = this.life.check(nowMs, {
        begun: this.receiving.begun,
        ...{ streams: this.streams.size, isRead: !this.writing.isPaused },
        blockSinceMs: this.receiving.blockSinceMs,
        unfinishedFrame: this.#reader.unfinished,
        writingSinceMs: this.writing.sinceMs,
      });
      if (step === 'ping') writePing(this.out, pingData, false);
      if (step === 'close') this.close();
      const now = { nowMs, received: this.receiving.octets, isRead: !this.writing.isPaused };
      for (const stream of this.#slow.look(this.streams, now)) this.cancel(stream, 'ENHANCE_YOUR_CALM');
    } catch (error) {
      this.fail(error);
    }
    this.writing.flush();
  }

  /** @param constant the same array for all that have these fields */
  headers(stream: Http2Stream, fields: readonly string[], constant: boolean, endStream: boolean): void {
    this.sending.headers(stream, fields, constant, endStream);
    this.writing.schedule();
  }

  /** @param head a few octets before the others, which need no array of their own then */
  data(stream: Http2Stream, head: Uint8Array | undefined, octets: Uint8Array, endStream: boolean): void {
    this.sending.data(stream, head, octets, endStream);
    this.writing.schedule();
  }

  /** Whether `data` of so many octets may be given now: they go out at once, or have room to wait. */
  mayWait(stream: Http2Stream, octets: number): boolean {
    return this.backlog.fits(octets) || this.sending.goesOut(stream, octets);
  }

  /** The data that a sink is given now are the last of its stream. */
  givesLast(stream: Http2Stream): boolean {
    return this.receiving.givesLast(stream);
  }

  /** Octets of a sink's data need no place any more. */
  consume(stream: Http2Stream, octets: number): void {
    this.receiving.consume(stream, octets);
    if (this.out.octets > 0) this.writing.schedule();
  }

  /**
   * Ends a stream at once for what the peer did, without a word to its sink but `aborted`. Whoever provokes that is counted as one who resets.
   * @throws ConnectionError when it is one too many
   */
  resetForFault(stream: Http2Stream, error: StreamFault): void {
    if (stream.isOver) return;
    this.#resets.forFault(stream.id, error, stream.receiveWindow);
    this.#abort(stream, 'reset', errorCodes[error], 'here');
    this.writing.schedule();
  }

  /** Ends a stream at once for reasons of this side, which no peer brings about in a moment; else as `resetForFault`. */
  cancel(stream: Http2Stream, error: OwnEnd): void {
    if (stream.isOver) return;
    this.#resets.forUs(stream.id, error, stream.receiveWindow);
    this.#abort(stream, 'reset', errorCodes[error], 'here');
    this.writing.schedule();
  }

  /** Says that no further streams are taken up, with time for those that are on their way; `drain` is next. */
  announceDrain(): void {
    if (this.#over || this.#draining) return;
    writeGoaway(this.out, largestStreamId, errorCodes.NO_ERROR, 'stopping');
    writePing(this.out, pingData, false);
    this.writing.flush();
  }

  /** Takes no further streams, and ends when the last is over. */
  drain(): void {
    if (this.#over || this.#draining) return;
    this.#draining = this.#saidLast = true;
    writeGoaway(this.out, this.lastStreamId, errorCodes.NO_ERROR, 'stopping');
    this.endIfLeft();
    this.writing.flush();
  }

  /** Ends it now; streams that are open are aborted. */
  close(): void {
    if (this.#over) return;
    writeGoaway(this.out, this.lastStreamId, errorCodes.NO_ERROR, '');
    this.#finish(undefined);
    this.writing.flush();
  }

  /** Ends it for what the peer has done. */
  protected fail(error: unknown): void {
    if (this.#over) return;
    const known = error instanceof ConnectionError;
    // What is not the peer's fault is a defect here: one connection pays for it, not the process.
    const code = known ? error.code : errorCodes.INTERNAL_ERROR;
    writeGoaway(this.out, this.lastStreamId, code, known ? error.debugData : 'internal error');
    this.#finish(error instanceof Error ? error : new Error(String(error)));
  }

  /** Has a stream that the peer began end before it was anybody's. */
  protected refuse(streamId: number): void {
    this.#resets.forFault(streamId, 'REFUSED_STREAM', this.#streamWindow);
  }

  /** Before our settings are acknowledged the peer may go by the default. */
  get #streamWindow(): number {
    return Math.max(this.options.limits.streamWindow, this.life.settingsAreKnown ? 0 : defaultWindow);
  }

  /** Takes no further streams: the peer has said so. */
  protected leave(): void {
    this.#draining = true;
  }

  /** Ends, where no further streams are taken and none is left. */
  protected endIfLeft(): void {
    if (!this.#draining || this.streams.size > 0 || this.#over) return;
    // Where the peer has left it does not know yet what was taken up.
    if (!this.#saidLast) writeGoaway(this.out, this.lastStreamId, errorCodes.NO_ERROR, '');
    this.#finish(undefined);
  }

  /** A stream is over for the peer, which does not say so by its number. */
  protected abandon(stream: Http2Stream, code: number): void {
    this.#resets.remember(stream.id, stream.receiveWindow);
    this.#abort(stream, 'reset', code, 'peer');
  }

  /** A stream that begins with HEADERS of the peer, or that this side is about to begin. */
  protected newStream(streamId: number, ended: boolean): Http2Stream {
    const windows = { send: this.settings.initialWindowSize, receive: this.#streamWindow };
    const stream = new Http2Stream(streamId, ended, windows);
    this.streams.set(streamId, stream);
    this.life.opened();
    return stream;
  }

  protected sendSettings(entries: readonly (readonly [id: number, value: number])[]): void {
    writeSettings(this.out, settingsPayload(entries));
    const increment = this.receiving.enlarge(this.options.limits.connectionWindow);
    if (increment > 0) writeWindowUpdate(this.out, 0, increment);
  }

  #stateOf(streamId: number): StreamState {
    const state = this.stateByNumber(streamId);
    return state !== 'idle' && this.#resets.has(streamId) ? 'reset' : state;
  }

  #endedHere(stream: Http2Stream): void {
    if (stream.state === 'open') {
      stream.state = 'half-closed (local)';
      if (!this.receiving.saysEnd(stream)) stream.sink.sentEnd();
    } else this.#remove(stream, 'closed');
  }

  #endedThere(stream: Http2Stream): void {
    if (stream.state === 'open') stream.state = 'half-closed (remote)';
    else this.#remove(stream, 'closed');
  }

  #remove(stream: Http2Stream, state: StreamState): void {
    stream.state = state;
    this.streams.delete(stream.id);
    this.endIfLeft();
    if (!this.#over) this.streamOver();
  }

  /** There may be room for another stream. */
  protected streamOver(): void {
    // A server waits for its clients to make use of it.
  }

  #abort(stream: Http2Stream, state: StreamState, code: number, by: AbortedBy): void {
    this.sending.drop(stream);
    this.#remove(stream, state);
    apart(() => stream.sink.aborted(code, by));
  }

  #settings(from: Buffer, start: number, end: number): void {
    const before = this.settings.initialWindowSize;
    readSettings(from, start, end, {
      settings: this.settings,
      fromServer: this.isClient,
      changed: (id) => {
        if (id === settingIds.HEADER_TABLE_SIZE) this.sending.encoder.allowTableSize(this.settings.headerTableSize);
      },
    });
    writeSettingsAck(this.out);
    const change = this.settings.initialWindowSize - before;
    this.streams.forEach((stream) => {
      if (change !== 0 && !this.sending.allowStream(stream, change))
        throw new ConnectionError('FLOW_CONTROL_ERROR', `the window of stream ${stream.id} is too large`);
    });
    this.streamOver();
  }

  protected abstract readonly isClient: boolean;

  #ping(data: Buffer, ack: boolean): void {
    if (ack) this.life.pong();
    else writePing(this.out, data, true);
  }

  #allow(stream: Http2Stream | undefined, increment: number): void {
    if (stream === undefined) {
      if (!this.sending.allow(increment))
        throw new ConnectionError('FLOW_CONTROL_ERROR', 'the window of the connection is too large');
      this.sending.resume();
    } else if (!this.sending.allowStream(stream, increment)) {
      this.resetForFault(stream, 'FLOW_CONTROL_ERROR');
    }
  }

  /** Nothing more is read. What was written goes out, GOAWAY last. */
  #finish(error: Error | undefined): void {
    if (this.#over) return;
    this.#close(error);
    this.writing.gathers = false;
    this.writing.flush();
    this.writing.end();
  }

  #close(error: Error | undefined): void {
    if (this.#over) return;
    this.#over = true;
    this.failure = error;
    this.#reader.stop();
    const code = error instanceof ConnectionError ? error.code : errorCodes.NO_ERROR;
    for (const stream of this.streams.values()) this.#abort(stream, 'closed', code, 'connection');
    this.options.closed(error);
  }
}
