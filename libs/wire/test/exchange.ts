import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { errorName } from '../src/errors.ts';
import { HpackDecoder } from '../src/hpack/decoder.ts';
import { flags } from '../src/http2/frame-types.ts';
import { parse, ping } from './frames.ts';
import type { Parsed } from './frames.ts';

/** What came of an exchange, in a form that two servers can be compared by. */
export interface Verdict {
  /** How the connection ended: with which word of the server, or "open". */
  readonly connection: string;
  /** By stream what came of it; empty when the connection ended by an error, as it is a matter of time what came before. */
  readonly streams: Readonly<Record<string, string>>;
}

/** How long a server that says nothing may take to say it: it is waiting for the rest of something. */
const silenceMs = 60;
const lastPing = (round: number): string => `b0b0b0b0b0b0b0${round.toString(16).padStart(2, '0')}`;

/**
 * Sends octets to a server and says what it made of them. After each phase the server is asked for a PING, some times in a row, so that its handlers
 * have had their turn; where an answer to that cannot come it is waited for a moment.
 */
export async function exchange(port: number, phases: readonly Uint8Array[]): Promise<Verdict> {
  const client = new Client(port);
  let round = 0;
  for (const phase of phases) {
    client.write(phase);
    for (let turns = 0; turns < 3 && !client.isOver; turns++) {
      const payload = lastPing(round++);
      client.write(ping(0, payload));
      await client.until(Buffer.from(payload, 'hex'));
    }
  }
  return verdictOf(whole(client.close()), client.isOver);
}

/** A socket, and what came of it. */
class Client {
  readonly #socket: Socket;
  #received: Buffer = Buffer.alloc(0);
  #over = false;
  #wake = (): void => undefined;

  constructor(port: number) {
    this.#socket = connect({ port, host: '127.0.0.1', noDelay: true });
    this.#socket.on('data', (chunk: Buffer) => {
      this.#received = Buffer.concat([this.#received, chunk]);
      this.#wake();
    });
    for (const event of ['close', 'end', 'error'] as const)
      this.#socket.on(event, () => {
        this.#over = true;
        this.#wake();
      });
  }

  /** The server has closed it. */
  get isOver(): boolean {
    return this.#over;
  }

  write(octets: Uint8Array): void {
    this.#socket.write(octets);
  }

  /** Waits for these octets, for the end, or for a moment. */
  async until(octets: Buffer): Promise<void> {
    const late = new AbortController();
    const moment = delay(silenceMs, 'late', { signal: late.signal }).catch(() => 'late');
    while (!this.#over && !this.#received.includes(octets)) {
      const news = new Promise<string>((resolve) => (this.#wake = () => resolve('news')));
      if ((await Promise.race([news, moment])) === 'late') break;
    }
    late.abort();
  }

  /** @returns all that came */
  close(): Buffer {
    this.#socket.destroy();
    return this.#received;
  }
}

/** Octets up to the last frame that is whole. */
function whole(octets: Buffer): Parsed[] {
  let at = 0;
  while (at + 9 <= octets.length && at + 9 + octets.readUIntBE(at, 3) <= octets.length)
    at += 9 + octets.readUIntBE(at, 3);
  return parse(octets.subarray(0, at));
}

function verdictOf(frames: readonly Parsed[], over: boolean): Verdict {
  const away = frames.filter(({ type }) => type === 'GOAWAY').map(({ payload }) => payload.readUInt32BE(4));
  const code = away.find((each) => each !== 0);
  if (code !== undefined) return { connection: `GOAWAY ${errorName(code)}`, streams: {} };
  return { connection: over ? 'closed' : 'open', streams: streamsOf(frames) };
}

function streamsOf(frames: readonly Parsed[]): Record<string, string> {
  const decoder = new HpackDecoder({ maxListSize: 1 << 20 });
  const streams: Record<string, string> = {};
  const add = (id: number, what: string): void => {
    streams[id] = streams[id] === undefined ? what : `${streams[id]} ${what}`;
  };
  const bodies = new Map<number, number>();
  for (const { type, flags: flag, streamId, payload } of frames) {
    if (type === 'HEADERS') {
      const { fields } = decoder.decode(payload);
      for (let at = 0; at < fields.length; at += 2)
        if (fields[at] === ':status' || fields[at] === 'grpc-status')
          add(streamId, `${fields[at]!}=${fields[at + 1]!}`);
    } else if (type === 'DATA') bodies.set(streamId, (bodies.get(streamId) ?? 0) + payload.length);
    // After an answer it says no more than that nobody reads on.
    else if (type === 'RST_STREAM' && payload.readUInt32BE(0) !== 0)
      add(streamId, `RST_STREAM ${errorName(payload.readUInt32BE(0))}`);
    else if (type === 'SETTINGS' && flag & flags.ACK) add(0, 'acknowledged');
    else if (type === 'PING' && flag & flags.ACK && !payload.toString('hex').startsWith('b0b0')) add(0, 'ponged');
  }
  for (const [id, octets] of bodies) if (octets > 0) add(id, `${octets} octets`);
  return streams;
}
