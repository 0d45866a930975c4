import { ConnectionError } from '../errors.ts';
import type { HeaderBlock } from '../hpack/header-block.ts';
import { Connection } from './connection.ts';
import type { ConnectionOptions } from './connection-options.ts';
import { clientPreface, defaultWindow } from './frame-types.ts';
import type { Http2Stream } from './http2-stream.ts';
import { settingIds } from './settings.ts';

export interface ServerConnectionOptions extends ConnectionOptions {
  /** A client has begun a stream: give it a sink. @param ended nothing comes behind these fields */
  readonly accept: (stream: Http2Stream, block: HeaderBlock, ended: boolean) => void;
}

/** The first octet of a client that speaks TLS (RFC 8446, section 5.1). */
const tlsHandshake = 22;
/** Ranges of numbers that are remembered as left out. Clients leave out none; one that does so on purpose does not make them grow. */
const mostGaps = 64;

/** A connection on which clients open streams. */
export class ServerConnection extends Connection {
  protected readonly isClient = false;
  readonly #accept: ServerConnectionOptions['accept'];
  /** Octets of the preface that have come. */
  #prefaceAt = 0;
  /** The highest that a client has opened, taken up or not. */
  #highest = -1;
  #highestTaken = 0;
  /** Ranges of numbers that were left out, the first and the last of each. */
  readonly #gaps: (readonly [first: number, last: number])[] = [];

  constructor(options: ServerConnectionOptions) {
    super(options);
    this.#accept = options.accept;
    const { limits } = options;
    this.sendSettings([
      [settingIds.MAX_CONCURRENT_STREAMS, limits.maxConcurrentStreams],
      [settingIds.MAX_HEADER_LIST_SIZE, limits.maxHeaderListSize],
      ...(limits.streamWindow === defaultWindow
        ? []
        : [[settingIds.INITIAL_WINDOW_SIZE, limits.streamWindow] as const]),
    ]);
    this.writing.schedule();
  }

  protected get lastStreamId(): number {
    return this.#highestTaken;
  }

  protected stateByNumber(streamId: number): 'idle' | 'skipped' | 'closed' {
    if (streamId % 2 === 0 || streamId > this.#highest) return 'idle';
    return this.#gaps.some(([first, last]) => first <= streamId && streamId <= last) ? 'skipped' : 'closed';
  }

  protected opened(streamId: number, block: HeaderBlock, ended: boolean): void {
    if (streamId % 2 === 0) throw new ConnectionError('PROTOCOL_ERROR', `a client opens stream ${streamId}`);
    if (streamId > this.#highest + 2) {
      this.#gaps.push([this.#highest + 2, streamId - 2]);
      if (this.#gaps.length > mostGaps) this.#gaps.shift();
    }
    this.#highest = streamId;
    // Whoever opens too many may come again with those; after GOAWAY on another connection.
    if (this.isDraining || this.streams.size >= this.options.limits.maxConcurrentStreams) {
      this.refuse(streamId);
      return;
    }
    this.#highestTaken = streamId;
    this.#accept(this.newStream(streamId, ended), block, ended);
  }

  /** Whoever opens a stream and resets it makes work for others alone. */
  protected expectsReset(): boolean {
    return false;
  }

  /** A client that goes away opens no more streams by itself. */
  protected wentAway(): void {
    this.leave();
    this.endIfLeft();
  }

  protected preface(chunk: Buffer): number {
    if (this.#prefaceAt === clientPreface.length) return 0;
    const count = Math.min(chunk.length, clientPreface.length - this.#prefaceAt);
    if (chunk.compare(clientPreface, this.#prefaceAt, this.#prefaceAt + count, 0, count) !== 0) {
      const what =
        this.#prefaceAt === 0 && chunk[0] === tlsHandshake
          ? 'this port has no TLS, and the client came with it'
          : 'this port speaks HTTP/2 (gRPC), which begins otherwise';
      throw new ConnectionError('PROTOCOL_ERROR', what);
    }
    this.#prefaceAt += count;
    return count;
  }
}
