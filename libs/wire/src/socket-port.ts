import type { Socket } from 'node:net';
import type { Clock, Timer } from '@sluice/domain/clock';
import { DirectSocket, pieceOctets } from './direct-socket.ts';
import type { Connection } from './http2/connection.ts';
import type { ConnectionPort } from './http2/port.ts';
import { tlsFault } from './tls.ts';

/** How long a peer may take to close a connection that was ended, in milliseconds: it may not have read why. */
const lingerMs = 1000;

/**
 * What one socket may take of a turn, in milliseconds, before the others have theirs. A socket that is full is read up to 32 times
 * in a row, 64 KiB each: of small requests that is a second.
 */
const turnMs = 1;
/** A full piece that took less is of few large requests: the next may be larger, and is far from a turn too. */
const quickMs = turnMs / 8;

/** Who is told what the socket does. */
type SocketReader = Pick<Connection, 'receive' | 'sent' | 'lost'>;

/** A socket of node:net or node:tls as what a connection stands on. */
export class SocketPort implements ConnectionPort {
  readonly #socket: Socket;
  readonly #clock: Clock;
  #connection: SocketReader | undefined;
  #linger: Timer | undefined;
  #error: Error | undefined;
  /** The connection wants nothing more for now. */
  #paused = false;
  /** It has had its turn. */
  #yields = false;

  constructor(socket: Socket, clock: Clock) {
    this.#socket = socket;
    this.#clock = clock;
    socket.setNoDelay(true);
  }

  /** Hands what comes to the connection; to be called in the turn in which the socket came. */
  serve(connection: SocketReader): void {
    this.#connection = connection;
    const socket = this.#socket;
    if (socket instanceof DirectSocket) {
      const { reader } = socket;
      reader.received = (octets) => {
        const tookMs = this.#receive(connection, octets);
        reader.takesMuch = tookMs < quickMs && octets.length >= pieceOctets;
      };
    } else socket.on('data', (octets: Buffer) => this.#receive(connection, octets));
    socket.on('error', (error) => (this.#error = tlsFault(error)));
    // The other side sends nothing more, and with that no frame that would let anything go on. What the socket has may still be read.
    socket.on('end', () => {
      connection.lost(this.#error);
      socket.destroySoon();
      this.destroyAfter(lingerMs);
    });
    socket.on('close', () => {
      this.#linger?.cancel();
      connection.lost(this.#error);
    });
  }

  /** @returns how long that took, in milliseconds */
  #receive(connection: SocketReader, octets: Buffer): number {
    const began = this.#clock.monotonic();
    connection.receive(octets);
    const tookMs = this.#clock.monotonic() - began;
    if (tookMs >= turnMs) this.#yield();
    return tookMs;
  }

  send(pieces: readonly Buffer[]): void {
    const socket = this.#socket;
    const last = pieces.length - 1;
    if (last > 0) socket.cork();
    for (let at = 0; at < last; at++) socket.write(pieces[at]!);
    socket.write(pieces[last]!, this.#sent);
    if (last > 0) socket.uncork();
  }

  readonly #sent = (error?: Error | null): void => {
    // Of a socket that failed there is nothing to go on with: it closes.
    if (!error) this.#connection?.sent();
  };

  pause(): void {
    this.#paused = true;
    this.#socket.pause();
  }

  resume(): void {
    this.#paused = false;
    if (!this.#yields) this.#socket.resume();
  }

  /** Goes on when the others have had their turn. */
  #yield(): void {
    if (this.#yields) return;
    this.#yields = true;
    this.#socket.pause();
    setImmediate(() => {
      this.#yields = false;
      if (!this.#paused) this.#socket.resume();
    });
  }

  end(): void {
    this.#socket.end();
    this.resume();
    this.destroyAfter(lingerMs);
  }

  destroyAfter(ms: number): void {
    this.#linger?.cancel();
    this.#linger = this.#clock.schedule(Math.max(0, ms), () => this.#socket.destroy());
  }
}
