import { HpackDecoder } from '../src/hpack/decoder.ts';
import { defaultMaxFrameSize, defaultWindow, flags, largestWindow } from '../src/http2/frame-types.ts';
import { valueOf } from '../src/http2/fields.ts';
import { settingIds } from '../src/http2/settings.ts';
import { FedFrames } from './fed-frames.ts';
import { parse } from './frames.ts';
import type { Parsed } from './frames.ts';

/** What has come from the connection under test on one of its streams. */
type Heard = 'nothing' | 'head' | 'end' | 'reset';

interface HeardStream {
  state: Heard;
  sent: number;
  /** What it lets its peer send beyond the beginning. */
  granted: number;
  /** Its peer had reset it before the last chunk. */
  silenced: boolean;
  /** Its peer had ended its side before the last chunk. */
  endedThere: boolean;
  status: string | undefined;
  readonly data: Buffer[];
  trailers: readonly string[] | undefined;
  grpcStatus: string | undefined;
  resetCode: number | undefined;
}

/** A rule that was broken by what the connection under test has sent. */
class Broken extends Error {}

const must = (holds: boolean, rule: string): void => {
  if (!holds) throw new Broken(rule);
};

/**
 * The other side of a connection under test, which forgives nothing: it holds every frame that the connection sends to the states of its streams, to
 * the windows and settings that were acknowledged, and decodes its header blocks.
 */
export class StrictPeer {
  readonly fed: FedFrames;
  readonly streams = new Map<number, HeardStream>();
  readonly goaways: { readonly lastStreamId: number; readonly code: number }[] = [];
  settingsAcks = 0;
  pongs = 0;
  /** Streams that it has reset without an error after both sides had ended them, or in the same turn. */
  readonly needlessResets: number[] = [];
  readonly #testsServer: boolean;
  readonly #decoder = new HpackDecoder({ maxListSize: 1 << 24 });
  #frames = 0;
  #initialWindow = defaultWindow;
  #maxFrameSize = defaultMaxFrameSize;
  #sent = 0;
  #granted = defaultWindow;
  #highest = 0;
  /** Pieces of a header block. */
  #block: { readonly streamId: number; readonly ends: boolean; readonly pieces: Buffer[] } | undefined;

  /** @param testsServer the connection under test is a server's */
  constructor(testsServer: boolean) {
    this.#testsServer = testsServer;
    this.fed = new FedFrames(testsServer);
  }

  /** What the connection is about to receive. @param settled all that it had to say to what came before was heard */
  feed(chunk: Buffer, settled: boolean): void {
    if (settled) this.#settle();
    this.fed.add(chunk);
  }

  #settle(): void {
    for (const [id, stream] of this.streams) {
      const { reset, ended } = this.fed.stream(id);
      stream.silenced ||= reset;
      stream.endedThere ||= ended;
    }
  }

  /** What the connection has sent since. @throws where it may not */
  hear(octets: Buffer): void {
    for (const frame of parse(octets)) this.#hear(frame);
  }

  stream(id: number): HeardStream {
    let stream = this.streams.get(id);
    if (stream === undefined) {
      stream = {
        ...{ state: 'nothing', sent: 0, granted: 0, silenced: false, endedThere: false, status: undefined },
        ...{ data: [], trailers: undefined, grpcStatus: undefined, resetCode: undefined },
      };
      this.streams.set(id, stream);
    }
    return stream;
  }

  #hear(frame: Parsed): void {
    const { type, streamId, payload } = frame;
    must(this.#frames++ > 0 || (type === 'SETTINGS' && frame.flags === 0), 'SETTINGS comes first');
    must(payload.length <= this.#maxFrameSize, `a frame of ${payload.length} octets`);
    must((this.#block === undefined) === (type !== 'CONTINUATION'), `${type} within a header block, or without one`);
    const last = this.goaways.at(-1);
    must(last === undefined || last.code === 0, `${type} behind the last word`);
    switch (type) {
      case 'SETTINGS':
      case 'PING':
      case 'GOAWAY':
        must(streamId === 0, `${type} on a stream`);
        this.#ofConnection(frame);
        return;
      case 'WINDOW_UPDATE':
        this.#windowUpdate(streamId, payload);
        return;
      case 'DATA':
        this.#data(frame);
        return;
      case 'RST_STREAM':
        this.#reset(streamId, payload);
        return;
      case 'HEADERS':
        this.#headers(frame);
        return;
      case 'CONTINUATION':
        must(this.#block!.streamId === streamId, 'CONTINUATION of another stream');
        this.#addBlock(frame);
        return;
      default:
        throw new Broken(`a frame of type ${type}`);
    }
  }

  #ofConnection({ type, flags: flag, payload }: Parsed): void {
    const ack = (flag & flags.ACK) !== 0;
    if (type === 'GOAWAY') {
      const lastStreamId = payload.readUInt32BE(0);
      const code = payload.readUInt32BE(4);
      // What is announced in a drain is any stream that there may be.
      must(lastStreamId <= this.fed.highestOpened || lastStreamId === 0x7fff_ffff, `GOAWAY of ${lastStreamId}`);
      must(lastStreamId <= (this.goaways.at(-1)?.lastStreamId ?? 0x7fff_ffff), 'GOAWAY of more streams than before');
      must(code !== 2, `a defect: ${payload.toString('utf8', 8)}`);
      this.goaways.push({ lastStreamId, code });
    } else if (type === 'PING') {
      must(payload.length === 8, 'PING of another length');
      if (!ack) return;
      const asked = this.fed.pings.shift();
      must(asked?.equals(payload) === true, 'an answer to a PING that was not asked');
      this.pongs++;
    } else if (ack) {
      const settings = this.fed.settings.shift();
      must(payload.length === 0 && settings !== undefined, 'an acknowledgement of no SETTINGS');
      this.settingsAcks++;
      this.#apply(settings!);
    } else must(this.#frames === 1, 'SETTINGS a second time');
  }

  /** From its acknowledgement on the other side keeps to a setting. */
  #apply(settings: Buffer): void {
    for (let at = 0; at + 6 <= settings.length; at += 6) {
      const value = settings.readUInt32BE(at + 2);
      const id = settings.readUInt16BE(at);
      if (id === settingIds.HEADER_TABLE_SIZE) this.#decoder.allowTableSize(value);
      else if (id === settingIds.INITIAL_WINDOW_SIZE) this.#initialWindow = value;
      else if (id === settingIds.MAX_FRAME_SIZE) this.#maxFrameSize = value;
    }
  }

  /** Of a stream on which anything but its first frame may come. */
  #known(id: number, type: string): HeardStream {
    const stream = this.stream(id);
    must(
      id !== 0 && (this.#testsServer ? this.fed.stream(id).opened : stream.state !== 'nothing'),
      `${type} on an idle stream`,
    );
    must(stream.state !== 'reset', `${type} on stream ${id}, which it has reset`);
    must(!stream.silenced, `${type} on stream ${id}, which was reset`);
    return stream;
  }

  #windowUpdate(id: number, payload: Buffer): void {
    must(payload.length === 4, 'WINDOW_UPDATE of another length');
    const increment = payload.readUInt32BE(0);
    must(increment > 0 && increment <= largestWindow, `an increment of ${increment}`);
    if (id === 0) {
      this.#granted += increment;
      return;
    }
    const stream = this.#known(id, 'WINDOW_UPDATE');
    stream.granted += increment;
    // It gives back what came, and no more.
    must(stream.granted <= this.fed.dataOf(id).length + 256 * this.fed.stream(id).data.length, 'a window that grows');
  }

  #data({ streamId, flags: flag, payload }: Parsed): void {
    const stream = this.#known(streamId, 'DATA');
    must(stream.state === 'head', `DATA on stream ${streamId} before its head or behind its end`);
    must((flag & ~flags.END_STREAM) === 0, 'DATA with other flags');
    stream.sent += payload.length;
    this.#sent += payload.length;
    const window = this.#initialWindow + this.fed.stream(streamId).credit;
    must(payload.length === 0 || stream.sent <= window, `DATA beyond the window of stream ${streamId}`);
    must(this.#sent <= defaultWindow + this.fed.connectionCredit, 'DATA beyond the window of the connection');
    stream.data.push(payload);
    if (flag & flags.END_STREAM) stream.state = 'end';
  }

  #reset(id: number, payload: Buffer): void {
    must(payload.length === 4, 'RST_STREAM of another length');
    const stream = this.#known(id, 'RST_STREAM');
    must(stream.state !== 'end' || !stream.endedThere, `stream ${id} is reset, which both sides have ended`);
    stream.resetCode = payload.readUInt32BE(0);
    if (stream.resetCode === 0 && this.fed.stream(id).ended) this.needlessResets.push(id);
    must(stream.resetCode !== 2, `stream ${id} is reset for a defect`);
    stream.state = 'reset';
  }

  #headers(frame: Parsed): void {
    const { streamId, flags: flag } = frame;
    if (!this.#testsServer && this.stream(streamId).state === 'nothing') {
      must(streamId % 2 === 1 && streamId > this.#highest, `stream ${streamId} is opened`);
      this.#highest = streamId;
    } else {
      const { state } = this.#known(streamId, 'HEADERS');
      must(state === 'nothing' || state === 'head', `HEADERS on stream ${streamId} behind its end`);
    }
    must((flag & ~(flags.END_STREAM | flags.END_HEADERS)) === 0, 'HEADERS with other flags');
    this.#block = { streamId, ends: (flag & flags.END_STREAM) !== 0, pieces: [] };
    this.#addBlock(frame);
  }

  #addBlock({ flags: flag, payload }: Parsed): void {
    const { streamId, ends, pieces } = this.#block!;
    pieces.push(payload);
    if ((flag & flags.END_HEADERS) === 0) return;
    this.#block = undefined;
    const { fields } = this.#decoder.decode(Buffer.concat(pieces));
    const stream = this.stream(streamId);
    if (stream.state === 'nothing') {
      must(fields[0] === (this.#testsServer ? ':status' : ':method'), 'a head that begins otherwise');
      must(fields.includes('content-type'), 'a head without content-type');
      stream.status = fields[1];
      if (ends) stream.trailers = fields;
      stream.state = ends ? 'end' : 'head';
    } else {
      must(ends && !fields.some((name, at) => at % 2 === 0 && name.startsWith(':')), 'trailers that are none');
      stream.trailers = fields;
      stream.state = 'end';
    }
    stream.grpcStatus ??= valueOf(fields, 'grpc-status');
    for (let at = 0; at < fields.length; at += 2) must(/^:?[a-z0-9_.-]+$/.test(fields[at]!), `a field ${fields[at]!}`);
  }
}
