import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { eventually } from '@sluice/testkit/eventually';
import { HpackDecoder } from '../src/hpack/decoder.ts';
import { describe, hello, parse, settingsAck } from './frames.ts';
import type { Parsed } from './frames.ts';

/** A client that sends the frames that it is told to, lawful or not, over a socket. */
export class RawClient {
  readonly #socket: Socket;
  readonly #decoder = new HpackDecoder({ maxListSize: 64 * 1024 });
  #octets = Buffer.alloc(0);
  /** Frames of streams, and what ends the connection; SETTINGS, PING and WINDOW_UPDATE are left out. */
  readonly frames: Parsed[] = [];
  /** The same in words, of HEADERS their fields. */
  readonly words: string[] = [];
  closed = false;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => this.#read(chunk));
    socket.on('close', () => (this.closed = true));
    socket.on('error', () => undefined);
  }

  /** Past both SETTINGS. */
  static async connect(port: number): Promise<RawClient> {
    const socket = connect(port, '127.0.0.1');
    await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject));
    const client = new RawClient(socket);
    client.write(hello(), settingsAck());
    return client;
  }

  write(...frames: readonly Uint8Array[]): void {
    this.#socket.write(Buffer.concat(frames));
  }

  /** @returns what was heard, when there are so many frames of it */
  async heard(count: number): Promise<string[]> {
    await eventually(() => {
      if (this.words.length < count) throw new Error(`${this.words.length} of ${count}: ${this.words.join(', ')}`);
    });
    return this.words;
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #read(chunk: Buffer): void {
    this.#octets = Buffer.concat([this.#octets, chunk]);
    while (this.#octets.length >= 9 && this.#octets.length >= 9 + this.#octets.readUIntBE(0, 3)) {
      const end = 9 + this.#octets.readUIntBE(0, 3);
      const [frame] = parse(this.#octets.subarray(0, end));
      this.#octets = this.#octets.subarray(end);
      if (/SETTINGS|PING|WINDOW_UPDATE/.test(frame!.type)) continue;
      this.frames.push(frame!);
      const fields = frame!.type === 'HEADERS' ? ` ${this.#decoder.decode(frame!.payload).fields.join(' ')}` : '';
      this.words.push(describe(frame!) + fields);
    }
  }
}
