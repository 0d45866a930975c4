import { ConnectionError } from '../errors.ts';
import type { ErrorName } from '../errors.ts';
import { HpackDecoder } from '../hpack/decoder.ts';
import type { HeaderBlock } from '../hpack/header-block.ts';
import type { Floods } from './floods.ts';
import { unpadded } from './frame-reader.ts';
import type { FrameSink } from './frame-reader.ts';
import { defaultWindow, flags as flag, frameTypes } from './frame-types.ts';
import { HeaderAssembly, checkBlock } from './header-assembly.ts';
import type { Http2Stream } from './http2-stream.ts';
import type { ConnectionLimits } from './limits.ts';
import type { ResetStreams, StreamFault } from './reset-streams.ts';
import { received } from './stream-states.ts';
import type { FrameName, StreamState } from './stream-states.ts';

/** What frames lead to beyond reading them. */
export interface ReceivingPorts {
  readonly limits: ConnectionLimits;
  readonly floods: Floods;
  readonly resets: ResetStreams;
  readonly now: () => number;
  /** Those that are not over. */
  readonly find: (streamId: number) => Http2Stream | undefined;
  /** Of a stream that is not among them. */
  readonly stateOf: (streamId: number) => StreamState;
  /** A stream of the peer begins; its number was checked. */
  readonly open: (streamId: number, block: HeaderBlock, ended: boolean) => void;
  /** The peer has ended its side of a stream. */
  readonly endedThere: (stream: Http2Stream) => void;
  /** The peer has ended all of a stream. */
  readonly resetThere: (stream: Http2Stream, code: number) => void;
  /** The peer did something on a stream that it may not. */
  readonly streamError: (stream: Http2Stream, error: StreamFault) => void;
  readonly settings: (from: Buffer, start: number, end: number) => void;
  readonly settingsAcknowledged: () => void;
  readonly ping: (data: Buffer, ack: boolean) => void;
  /** Whether a small frame may be the answer to something that was sent. */
  readonly expects: () => boolean;
  readonly goaway: (lastStreamId: number, code: number, debug: string) => void;
  /** @param stream undefined: the connection's window */
  readonly allow: (stream: Http2Stream | undefined, increment: number) => void;
  /** Says to the peer that it may send more. */
  readonly giveBack: (streamId: number, increment: number) => void;
}

const frameNames = Object.fromEntries(Object.entries(frameTypes).map(([name, type]) => [type, name])) as Readonly<
  Record<number, FrameName | undefined>
>;

/** Header blocks that a stream may get before its last without being counted: those of an answer, and interim ones before it. */
const fewHeads = 8;

/** Smaller increments of a window are not worth their frame, unless they are rare. */
const smallIncrement = 64;

const fault = (name: ErrorName, message: string): ConnectionError => new ConnectionError(name, message);

/** Checks frames as they arrive against the state of the connection and of their stream, and takes them apart (RFC 9113, sections 4 to 6). */
export class Receiving implements FrameSink {
  readonly #ports: ReceivingPorts;
  readonly decoder: HpackDecoder;
  #assembly: HeaderAssembly | undefined;
  /** The stream of the DATA frame that is read, unless its data are dropped. */
  #stream: Http2Stream | undefined;
  #ends = false;
  /** That stream was ended here, within the frame. */
  #endedHere = false;
  /** No octet of data has come of the frame. */
  #isEmpty = false;
  /** Octets of the frame that are not data, so far. */
  #padding = 0;
  #window = defaultWindow;
  #unreturned = 0;
  #begun = false;
  #octets = 0;

  constructor(ports: ReceivingPorts) {
    this.#ports = ports;
    const { maxHeaderListSize, maxHeaderFields } = ports.limits;
    this.decoder = new HpackDecoder({ maxListSize: maxHeaderListSize, maxFields: maxHeaderFields });
  }

  /** The first SETTINGS of the peer has come. */
  get begun(): boolean {
    return this.#begun;
  }
  /** Octets of data that have come, padding among them. */
  get octets(): number {
    return this.#octets;
  }
  /** Since when a header block is coming, on the monotonic clock; undefined when none is. */
  get blockSinceMs(): number | undefined {
    return this.#assembly?.startedMs;
  }

  /** Makes the window of the connection as large as it is to be. @returns the increment to tell */
  enlarge(window: number): number {
    const increment = Math.max(0, window - this.#window);
    this.#window += increment;
    return increment;
  }

  dataBegins(streamId: number, flags: number, length: number): void {
    this.#checkOrder('DATA', streamId);
    if (streamId === 0) throw fault('PROTOCOL_ERROR', 'DATA on stream 0');
    this.#window -= length;
    this.#octets += length;
    if (this.#window < 0) throw fault('FLOW_CONTROL_ERROR', 'more data than the window of the connection allows');
    this.#returnToConnection(length);
    this.#ends = (flags & flag.END_STREAM) !== 0;
    this.#padding = length;
    this.#isEmpty = true;
    const stream = this.#ports.find(streamId);
    this.#stream = undefined;
    this.#endedHere = false;
    if (!this.#takes('DATA', streamId, stream, length)) return;
    stream!.receiveWindow -= length;
    if (stream!.receiveWindow < 0) this.#ports.streamError(stream!, 'FLOW_CONTROL_ERROR');
    else this.#stream = stream;
  }

  dataPiece(chunk: Buffer, start: number, end: number): void {
    this.#padding -= end - start;
    this.#isEmpty = false;
    const stream = this.#stream;
    // It may be over since the last piece.
    if (stream !== undefined && !stream.isOver) stream.sink.data(chunk, start, end);
  }

  dataEnds(): void {
    if (this.#isEmpty && !this.#ends) this.#ports.floods.count('empty');
    const stream = this.#stream;
    this.#stream = undefined;
    if (stream === undefined || stream.isOver) return;
    if (this.#padding > 0) this.consume(stream, this.#padding);
    if (this.#ends) {
      this.#ports.endedThere(stream);
      stream.sink.ended();
    } else if (this.#endedHere) stream.sink.sentEnd();
  }

  /** A stream has ended here. @returns whether it is in the midst of a frame, which may be its end: its sink is told behind that */
  saysEnd(stream: Http2Stream): boolean {
    if (stream !== this.#stream) return false;
    this.#endedHere = true;
    return true;
  }

  /** The data that are given now are the last of that stream. */
  givesLast(stream: Http2Stream): boolean {
    return this.#ends && stream === this.#stream && this.#padding === 0;
  }

  /** Data of a stream need no place here any more: when it is worth a frame, the peer may send as much again. */
  consume(stream: Http2Stream, octets: number): void {
    stream.unreturned += octets;
    if (stream.remoteEnded || 2 * stream.unreturned < this.#ports.limits.streamWindow) return;
    this.#ports.giveBack(stream.id, stream.unreturned);
    stream.receiveWindow += stream.unreturned;
    stream.unreturned = 0;
  }

  frame(type: number, flags: number, streamId: number, from: Buffer, start: number, end: number): void {
    const name = frameNames[type];
    this.#checkOrder(name, streamId);
    switch (name) {
      case 'HEADERS':
        this.#headers(flags, streamId, from, start, end);
        return;
      case 'CONTINUATION':
        this.#continuation(flags, from, start, end);
        return;
      case 'WINDOW_UPDATE':
        this.#windowUpdate(streamId, from, start, end);
        return;
      case 'RST_STREAM':
        this.#rstStream(streamId, from, start, end);
        return;
      case 'PRIORITY':
        this.#priority(streamId, start, end);
        return;
      case 'PUSH_PROMISE':
        throw fault('PROTOCOL_ERROR', 'PUSH_PROMISE');
      case undefined:
        // Nothing is known of its kind, so nothing of it is wrong (section 5.5).
        this.#ports.floods.count('empty');
        return;
      default:
        this.#ofConnection(name, flags, streamId, from, start, end);
    }
  }

  /** What holds of every frame: SETTINGS comes first, and nothing comes between the frames of a header block. */
  #checkOrder(name: FrameName | undefined, streamId: number): void {
    if (!this.#begun && name !== 'SETTINGS')
      throw fault('PROTOCOL_ERROR', `the first frame is ${name ?? 'of an unknown kind'} and not SETTINGS`);
    const open = this.#assembly?.streamId;
    if (open === undefined ? name === 'CONTINUATION' : name !== 'CONTINUATION' || streamId !== open)
      throw fault(
        'PROTOCOL_ERROR',
        `${name ?? 'a frame of an unknown kind'} on stream ${streamId} ${open === undefined ? 'without HEADERS before it' : `within the header block of stream ${open}`}`,
      );
  }

  /** What the state of its stream makes of a frame. @param octets of one that costs something also when it is dropped */
  #takes(
    name: Exclude<FrameName, 'SETTINGS' | 'PING' | 'GOAWAY'>,
    streamId: number,
    stream: Http2Stream | undefined,
    octets?: number,
  ): boolean {
    const state = stream === undefined ? this.#ports.stateOf(streamId) : stream.state;
    const verdict = received[state][name];
    if (verdict === 'take') return true;
    if (verdict === 'drop') {
      if (octets !== undefined) this.#ports.resets.dropped(octets);
      return false;
    }
    if ('connection' in verdict) throw fault(verdict.connection, `${name} on stream ${streamId}, which is ${state}`);
    this.#ports.streamError(stream!, verdict.stream);
    return false;
  }

  #headers(flags: number, streamId: number, from: Buffer, start: number, end: number): void {
    if (streamId === 0) throw fault('PROTOCOL_ERROR', 'HEADERS on stream 0');
    let [blockStart, blockEnd] = [start, end];
    if (flags & flag.PADDED) {
      blockEnd = unpadded(from, start, end);
      blockStart++;
    }
    if (flags & flag.PRIORITY) blockStart += 5;
    if (blockStart > blockEnd) throw fault('FRAME_SIZE_ERROR', 'HEADERS without room for its priority');
    const endStream = (flags & flag.END_STREAM) !== 0;
    if (flags & flag.END_HEADERS) {
      this.#block(streamId, endStream, from, blockStart, blockEnd);
      return;
    }
    const { limits, now } = this.#ports;
    this.#assembly = new HeaderAssembly(limits, { streamId, endStream, nowMs: now() });
    this.#assembly.add(from, blockStart, blockEnd);
  }

  #continuation(flags: number, from: Buffer, start: number, end: number): void {
    const assembly = this.#assembly!;
    assembly.add(from, start, end);
    if ((flags & flag.END_HEADERS) === 0) return;
    this.#assembly = undefined;
    const whole = assembly.whole();
    this.#block(assembly.streamId, assembly.endStream, whole, 0, whole.length);
  }

  /** A header block is whole. It is decoded whatever becomes of it: the tables of both sides must agree. */
  #block(streamId: number, endStream: boolean, from: Buffer, start: number, end: number): void {
    checkBlock(end - start, this.#ports.limits);
    const block = this.decoder.decode(from, start, end);
    const stream = this.#ports.find(streamId);
    if (!this.#takes('HEADERS', streamId, stream, end - start)) return;
    if (stream === undefined) {
      this.#ports.open(streamId, block, endStream);
      return;
    }
    if (endStream) this.#ports.endedThere(stream);
    else if (stream.heads++ >= fewHeads) this.#ports.floods.count('empty');
    stream.sink.headers(block, endStream);
  }

  #windowUpdate(streamId: number, from: Buffer, start: number, end: number): void {
    if (end - start !== 4) throw fault('FRAME_SIZE_ERROR', `WINDOW_UPDATE of ${end - start} octets`);
    const increment = from.readUInt32BE(start) & 0x7fff_ffff;
    const stream = streamId === 0 ? undefined : this.#ports.find(streamId);
    // Of a stream that is over it says nothing, whatever it allows.
    const saysLittle = increment < smallIncrement || (streamId !== 0 && stream === undefined);
    if (saysLittle && !this.#ports.expects()) this.#ports.floods.count('empty');
    if (streamId === 0) {
      if (increment === 0) throw fault('PROTOCOL_ERROR', 'WINDOW_UPDATE of 0 on the connection');
      this.#ports.allow(undefined, increment);
      return;
    }
    if (!this.#takes('WINDOW_UPDATE', streamId, stream)) return;
    if (increment === 0) this.#ports.streamError(stream!, 'PROTOCOL_ERROR');
    else this.#ports.allow(stream, increment);
  }

  #rstStream(streamId: number, from: Buffer, start: number, end: number): void {
    if (end - start !== 4) throw fault('FRAME_SIZE_ERROR', `RST_STREAM of ${end - start} octets`);
    if (streamId === 0) throw fault('PROTOCOL_ERROR', 'RST_STREAM on stream 0');
    this.#ports.resets.count();
    const stream = this.#ports.find(streamId);
    if (this.#takes('RST_STREAM', streamId, stream)) this.#ports.resetThere(stream!, from.readUInt32BE(start));
  }

  /** Checked, and of no effect: the scheme of priorities is deprecated (section 5.3). */
  #priority(streamId: number, start: number, end: number): void {
    if (streamId === 0) throw fault('PROTOCOL_ERROR', 'PRIORITY on stream 0');
    this.#ports.floods.count('priorities');
    if (end - start === 5) return;
    const stream = this.#ports.find(streamId);
    // Of a stream that is not open there is nothing to reset.
    if (stream === undefined) throw fault('FRAME_SIZE_ERROR', `PRIORITY of ${end - start} octets`);
    this.#ports.streamError(stream, 'FRAME_SIZE_ERROR');
  }

  #ofConnection(name: FrameName, flags: number, streamId: number, from: Buffer, start: number, end: number): void {
    if (streamId !== 0) throw fault('PROTOCOL_ERROR', `${name} on stream ${streamId}`);
    const length = end - start;
    const ack = (flags & flag.ACK) !== 0;
    if (name === 'PING') {
      if (length !== 8) throw fault('FRAME_SIZE_ERROR', `PING of ${length} octets`);
      if (ack || !this.#ports.expects()) this.#ports.floods.count('pings');
      this.#ports.ping(from.subarray(start, end), ack);
    } else if (name === 'GOAWAY') {
      if (length < 8) throw fault('FRAME_SIZE_ERROR', `GOAWAY of ${length} octets`);
      this.#ports.floods.count('goaways');
      const lastStreamId = from.readUInt32BE(start) & 0x7fff_ffff;
      this.#ports.goaway(lastStreamId, from.readUInt32BE(start + 4), from.toString('utf8', start + 8, end));
    } else {
      this.#settings(ack, from, start, end);
    }
  }

  #settings(ack: boolean, from: Buffer, start: number, end: number): void {
    const length = end - start;
    if (ack) {
      if (length !== 0) throw fault('FRAME_SIZE_ERROR', `an acknowledgement of SETTINGS with ${length} octets`);
      if (!this.#begun) throw fault('PROTOCOL_ERROR', 'the first SETTINGS is an acknowledgement');
      this.#ports.floods.count('settings');
      this.#ports.settingsAcknowledged();
      return;
    }
    if (length % 6 !== 0) throw fault('FRAME_SIZE_ERROR', `SETTINGS of ${length} octets`);
    if (length > 6 * this.#ports.limits.maxSettings)
      throw fault(
        'ENHANCE_YOUR_CALM',
        `${length / 6} settings in one frame, of ${this.#ports.limits.maxSettings} allowed`,
      );
    this.#ports.floods.count('settings');
    this.#begun = true;
    this.#ports.settings(from, start, end);
  }

  /** What arrives counts for the connection only while it is on the way: what streams hold is bounded by their own windows, and by memory. */
  #returnToConnection(octets: number): void {
    this.#unreturned += octets;
    if (2 * this.#unreturned < this.#ports.limits.connectionWindow) return;
    this.#ports.giveBack(0, this.#unreturned);
    this.#window += this.#unreturned;
    this.#unreturned = 0;
  }
}
