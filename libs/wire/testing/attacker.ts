import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { errorName } from '../src/errors.ts';
import { HpackDecoder } from '../src/hpack/decoder.ts';
import { flags, frameHeaderOctets, frameTypes } from '../src/http2/frame-types.ts';
import { frame, headers, hello, parse, settingsAck } from './frames.ts';
import type { Parsed } from './frames.ts';

/** A string of a header block with its length before it, which is an integer of seven bits and more (RFC 7541, section 5.1). */
function text(value: string): Buffer {
  const octets = [Math.min(value.length, 127)];
  if (value.length >= 127) {
    let rest = value.length - 127;
    for (; rest >= 128; rest >>= 7) octets.push((rest & 127) | 128);
    octets.push(rest);
  }
  return Buffer.concat([Buffer.from(octets), Buffer.from(value, 'latin1')]);
}

/** A field as a literal that is not indexed. */
const literal = (name: string, value: string): Buffer => Buffer.concat([Buffer.of(0), text(name), text(value)]);

/** A field that goes into the table, where `newest` stands for it. */
export const indexed = (name: string, value: string): Buffer =>
  Buffer.concat([Buffer.of(0x40), text(name), text(value)]);
/** The field that came into the table last. */
export const newest = Buffer.of(0xbe);

/** The header block of a call, without compression. */
export const callBlock = (method: string, fields: Readonly<Record<string, string>> = {}): Buffer =>
  Buffer.concat([
    Buffer.from('8386', 'hex'),
    ...Object.entries({
      ...{ ':path': `/test.Echo/${method}`, 'content-type': 'application/grpc', te: 'trailers' },
      ...fields,
    }).map(([name, value]) => literal(name, value)),
  ]);

/** The same with a field of the table, which its first request put there and others refer to, `times` in each. */
export const blocksWith = (
  method: string,
  [name, value]: readonly [string, string],
  times = 1,
): { readonly first: Buffer; readonly others: Buffer } => {
  const [before, behind] = splitAt(name, method);
  const more = Buffer.alloc(times - 1, newest);
  return {
    first: Buffer.concat([before, indexed(name, value), more, behind]),
    others: Buffer.concat([before, newest, more, behind]),
  };
};

/** Pseudo-header fields come before others, and there is one path. */
function splitAt(name: string, method: string): [before: Buffer, behind: Buffer] {
  const type = literal('content-type', 'application/grpc');
  const start = Buffer.from('8386', 'hex');
  return name === ':path' ? [start, type] : [Buffer.concat([start, literal(':path', `/test.Echo/${method}`)]), type];
}

/** HEADERS of a call; its messages are to follow. */
export const callHeaders = (streamId: number, method: string, fields: Readonly<Record<string, string>> = {}): Buffer =>
  headers(streamId, flags.END_HEADERS, callBlock(method, fields));

/** DATA with one message, cut to frames. @param ends whether it is the last */
export function message(streamId: number, octets: Uint8Array, ends: boolean, compressed = false): Buffer {
  const whole = Buffer.alloc(5 + octets.length);
  whole[0] = compressed ? 1 : 0;
  whole.writeUInt32BE(octets.length, 1);
  whole.set(octets, 5);
  const frames: Buffer[] = [];
  for (let at = 0; at < whole.length; at += 16_384) {
    const end = Math.min(whole.length, at + 16_384);
    const flag = ends && end === whole.length ? flags.END_STREAM : 0;
    frames.push(frame(frameTypes.DATA, flag, streamId, whole.subarray(at, end)));
  }
  return Buffer.concat(frames);
}

const mostFields = 64 * 1024;

/** A client on a plain socket that does whatever it likes. */
export class Attacker {
  readonly #socket: Socket;
  readonly #pieces: Buffer[] = [];
  /** The server has ended the connection, or it is broken. */
  over = false;
  /** Resolves when the connection is gone. */
  readonly closed: Promise<void>;

  /**
   * @param greets with the preface, SETTINGS and their acknowledgement, as an honest client does
   * @param keeps what comes, for `frames`
   */
  static async connect<Kind extends Attacker>(
    this: new (socket: Socket, keeps: boolean) => Kind,
    port: number,
    greets = true,
    keeps = true,
  ): Promise<Kind> {
    const socket = connect({ port, host: '127.0.0.1' });
    await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject));
    const attacker = new this(socket, keeps);
    if (greets) await attacker.write(hello(), settingsAck());
    return attacker;
  }

  /** @param keeps what comes, for `frames` */
  constructor(socket: Socket, keeps: boolean) {
    this.#socket = socket;
    socket.setNoDelay(true);
    const { promise, resolve } = Promise.withResolvers<undefined>();
    this.closed = promise.then(() => undefined);
    socket.on('data', (piece: Buffer) => {
      if (keeps) this.#pieces.push(piece);
    });
    socket.on('error', () => undefined);
    socket.on('end', () => (this.over = true));
    socket.on('close', () => {
      this.over = true;
      resolve(undefined);
    });
  }

  /** @returns false when nobody is there any more */
  async write(...frames: readonly Uint8Array[]): Promise<boolean> {
    if (this.over) return false;
    const socket = this.#socket;
    if (!socket.write(Buffer.concat(frames)))
      await new Promise((resolve) => {
        const go = (): void => {
          socket.off('drain', go).off('close', go);
          resolve(undefined);
        };
        socket.once('drain', go).once('close', go);
      });
    // What it leads to may have come meanwhile.
    await new Promise((resolve) => setImmediate(resolve));
    return !this.over;
  }

  /** Writes what `batch` makes, again and again, until the server ends it. @returns how often it did */
  async flood(batch: (at: number) => Uint8Array, most: number): Promise<number> {
    for (let at = 0; at < most; at++) if (!(await this.write(batch(at)))) return at;
    return most;
  }

  /** Writes an octet at a time with a pause behind each, until the server ends it. */
  async drip(octets: Uint8Array, everyMs: number): Promise<void> {
    for (const octet of octets) {
      if (!(await this.write(Buffer.from([octet])))) return;
      await setTimeout(everyMs);
    }
  }

  /** Reads nothing from now on. */
  stopReading(): void {
    this.#socket.pause();
  }

  /** Reads some octets again and again with a pause behind each, until there were so many or none are left. @returns how many there were */
  async readSlowly(octets: number, everyMs: number, most: number): Promise<number> {
    this.#socket.pause();
    let count = 0;
    while (!this.over && count < most) {
      const piece = this.#socket.read(Math.min(octets, this.#socket.readableLength || 1)) as Buffer | null;
      count += piece?.length ?? 0;
      await setTimeout(everyMs);
    }
    return count;
  }

  /** Sends FIN, and reads on. */
  halfClose(): void {
    this.#socket.end();
  }

  /** All whole frames that came. */
  frames(): Parsed[] {
    const all = Buffer.concat(this.#pieces);
    let end = 0;
    for (let at = 0; at + frameHeaderOctets <= all.length;) {
      at += frameHeaderOctets + all.readUIntBE(at, 3);
      if (at <= all.length) end = at;
    }
    return parse(all.subarray(0, end));
  }

  count(type: keyof typeof frameTypes): number {
    return this.frames().filter((each) => each.type === type).length;
  }

  /** The fields of all header blocks that came, names and values in turn. */
  fields(): (readonly string[])[] {
    const decoder = new HpackDecoder({ maxListSize: mostFields });
    return this.frames()
      .filter(({ type }) => type === 'HEADERS')
      .map(({ payload }) => [...decoder.decode(payload, 0, payload.length).fields]);
  }

  /** Is gone, without a word. */
  stop(): void {
    this.#socket.destroy();
  }

  /** The code with which the server said good-bye. */
  goaway(): string | undefined {
    const said = this.frames().findLast(({ type }) => type === 'GOAWAY');
    return said === undefined ? undefined : errorName(said.payload.readUInt32BE(4));
  }
}
