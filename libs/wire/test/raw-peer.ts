import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { HpackDecoder } from '../src/hpack/decoder.ts';
import { HpackEncoder } from '../src/hpack/encoder.ts';
import { clientPreface, flags, frameTypes } from '../src/http2/frame-types.ts';
import { settingIds, settingsPayload } from '../src/http2/settings.ts';
import { frame, parse, settings, settingsAck } from './frames.ts';
import type { Parsed } from './frames.ts';

export type Fields = readonly string[];

/** A header list that came, and how it is answered: with these fields, and then with these trailers. */
export type Answer = (received: Fields) => { readonly fields: Fields; readonly trailers: Fields };

/** A server of HTTP/2 that is no more than our HPACK on a socket: what a client sends is decoded, and what it gets was encoded, by it. */
export class RawPeer {
  readonly #server: Server;
  readonly #answer: Answer;
  readonly #decoder = new HpackDecoder({ maxListSize: 1 << 24 });
  readonly #encoder: HpackEncoder;
  #socket: Socket | undefined;
  #rest: Buffer = Buffer.alloc(0);
  #preface = true;
  /** Of our SETTINGS that the client has not acknowledged. */
  readonly #tableSizes: number[] = [];
  #pieces: Buffer[] = [];
  #error: Error | undefined;

  /** @param repeated fields that the encoder adds to its table */
  constructor(repeated: Fields, answer: Answer) {
    this.#answer = answer;
    this.#encoder = new HpackEncoder(repeated);
    this.#server = createServer({ noDelay: true }, (socket) => {
      this.#socket = socket;
      this.allowTableSize(4096);
      socket.on('error', () => undefined);
      socket.on('data', (chunk: Buffer) => {
        try {
          this.#read(chunk);
        } catch (error) {
          this.#error ??= error as Error;
          socket.destroy();
        }
      });
    });
  }

  /** What it could not read. */
  get error(): Error | undefined {
    return this.#error;
  }
  get decoderTable(): number {
    return this.#decoder.tableSize;
  }

  async listen(): Promise<number> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return (this.#server.address() as AddressInfo).port;
  }

  close(): void {
    this.#socket?.destroy();
    this.#server.close();
  }

  /** Says to the client, which has connected, how large the table of its encoder may be. */
  allowTableSize(size: number): void {
    this.#tableSizes.push(size);
    this.#socket!.write(settings(settingsPayload([[settingIds.HEADER_TABLE_SIZE, size]]).toString('hex')));
  }

  #read(chunk: Buffer): void {
    this.#rest = Buffer.concat([this.#rest, chunk]);
    if (this.#preface) {
      if (this.#rest.length < clientPreface.length) return;
      this.#rest = this.#rest.subarray(clientPreface.length);
      this.#preface = false;
    }
    let end = 0;
    while (this.#rest.length >= end + 9 && this.#rest.length >= end + 9 + this.#rest.readUIntBE(end, 3))
      end += 9 + this.#rest.readUIntBE(end, 3);
    const frames = parse(this.#rest.subarray(0, end));
    this.#rest = this.#rest.subarray(end);
    for (const each of frames) this.#frame(each);
  }

  #frame({ type, flags: flag, streamId, payload }: Parsed): void {
    if (type === 'SETTINGS') this.#settings(flag, payload);
    else if (type === 'PING' && (flag & flags.ACK) === 0)
      this.#socket!.write(frame(frameTypes.PING, flags.ACK, 0, payload));
    else if (type === 'HEADERS' || type === 'CONTINUATION') {
      this.#pieces.push(flag & flags.PRIORITY && type === 'HEADERS' ? payload.subarray(5) : payload);
      if ((flag & flags.END_HEADERS) === 0) return;
      const { fields } = this.#decoder.decode(Buffer.concat(this.#pieces));
      this.#pieces = [];
      this.#reply(streamId, fields);
    }
  }

  #settings(flag: number, payload: Buffer): void {
    if (flag & flags.ACK) {
      const size = this.#tableSizes.shift();
      if (size !== undefined) this.#decoder.allowTableSize(size);
      return;
    }
    for (let at = 0; at < payload.length; at += 6)
      if (payload.readUInt16BE(at) === settingIds.HEADER_TABLE_SIZE)
        this.#encoder.allowTableSize(payload.readUInt32BE(at + 2));
    this.#socket!.write(settingsAck());
  }

  #reply(streamId: number, received: Fields): void {
    const { fields, trailers } = this.#answer(received);
    const head = this.#block(streamId, fields, 0);
    this.#socket!.write(Buffer.concat([...head, ...this.#block(streamId, trailers, flags.END_STREAM)]));
  }

  #block(streamId: number, fields: Fields, flag: number): Buffer[] {
    const block = Buffer.from(this.#encoder.encode(fields));
    const frames: Buffer[] = [];
    for (let at = 0; at === 0 || at < block.length; at += 16_384) {
      const last = at + 16_384 >= block.length ? flags.END_HEADERS : 0;
      const type = at === 0 ? frameTypes.HEADERS : frameTypes.CONTINUATION;
      frames.push(frame(type, last | (at === 0 ? flag : 0), streamId, block.subarray(at, at + 16_384)));
    }
    return frames;
  }
}
