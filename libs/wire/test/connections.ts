import { FakeClock } from '@sluice/testkit/fake-clock';
import type { Backlog } from '../src/http2/backlog.ts';
import type { ConnectionPort } from '../src/http2/port.ts';
import type { AbortedBy, Http2Stream, StreamSink } from '../src/http2/http2-stream.ts';
import { defaultLimits } from '../src/http2/limits.ts';
import type { ConnectionLimits } from '../src/http2/limits.ts';
import { ServerConnection } from '../src/http2/server-connection.ts';
import type { HeaderBlock } from '../src/hpack/header-block.ts';
import { errorName } from '../src/errors.ts';
import { describe as describeFrame, hello, parse, settingsAck } from './frames.ts';
import type { Parsed } from './frames.ts';
import { give } from './given-octets.ts';

const nothing = Buffer.alloc(0);

/** A socket that takes everything at once, unless it is told to hold it. */
export class FakePort implements ConnectionPort {
  #octets: Buffer[] = [];
  paused = false;
  ended = false;
  destroyed = false;
  /** It has something that it does not say that it is done with. */
  holds = false;
  sent: () => void = () => undefined;

  send(pieces: readonly Buffer[]): void {
    if (this.ended) throw new Error('sent after its end');
    // The blocks are used again.
    this.#octets.push(...pieces.map((piece) => Buffer.from(piece)));
    if (!this.holds) this.sent();
  }
  pause(): void {
    this.paused = true;
  }
  resume(): void {
    this.paused = false;
  }
  end(): void {
    this.ended = true;
  }
  destroyAfter(): void {
    this.destroyed = true;
  }
  /** What was sent since the last time. */
  take(): Buffer {
    if (this.#octets.length === 0) return nothing;
    const all = Buffer.concat(this.#octets);
    this.#octets = [];
    return all;
  }
}

/** What happened to a stream, in words, and its data. */
export class RecordingSink implements StreamSink {
  readonly events: string[] = [];
  data_ = Buffer.alloc(0);
  onData: (octets: number) => void = () => undefined;

  headers(block: HeaderBlock, ended: boolean): void {
    this.events.push(`headers ${block.fields.join(' ')}${ended ? ' end' : ''}`);
  }
  data(chunk: Buffer, start: number, end: number): void {
    this.data_ = Buffer.concat([this.data_, chunk.subarray(start, end)]);
    this.events.push(`data ${end - start}`);
    this.onData(end - start);
  }
  ended(): void {
    this.events.push('ended');
  }
  aborted(code: number, by: AbortedBy): void {
    this.events.push(`aborted ${errorName(code)} ${by}`);
  }
  drained(): void {
    this.events.push('drained');
  }
  sentEnd(): void {
    this.events.push('sent end');
  }
}

export interface Taken {
  readonly stream: Http2Stream;
  readonly block: HeaderBlock;
  readonly ended: boolean;
  readonly sink: RecordingSink;
}

/** A server's connection of which a test is the client, frame by frame. */
export class ServerSide {
  readonly port = new FakePort();
  readonly clock = new FakeClock();
  readonly taken: Taken[] = [];
  readonly connection: ServerConnection;
  /** How it ended; undefined while it has not. */
  over: { readonly error: Error | undefined } | undefined;

  constructor(limits: Partial<ConnectionLimits> = {}, repeated: readonly string[] = [], backlog?: Backlog) {
    this.connection = new ServerConnection({
      port: this.port,
      clock: this.clock,
      limits: { ...defaultLimits, ...limits },
      repeated,
      ...(backlog === undefined ? {} : { backlog }),
      closed: (error) => (this.over = { error }),
      accept: (stream, block, ended) => {
        const sink = new RecordingSink();
        stream.sink = sink;
        this.taken.push({ stream, block, ended, sink });
      },
    });
    this.port.sent = () => this.connection.sent();
  }

  /** Past the preface and both SETTINGS, with nothing left to read. */
  static begun(
    limits: Partial<ConnectionLimits> = {},
    repeated: readonly string[] = [],
    backlog?: Backlog,
  ): ServerSide {
    const side = new ServerSide(limits, repeated, backlog);
    side.write(hello(), settingsAck());
    side.port.take();
    return side;
  }

  write(...frames: readonly Uint8Array[]): this {
    give(this.connection, Buffer.concat(frames));
    return this;
  }

  /** The frames that were sent since the last time. */
  frames(): Parsed[] {
    // As at the end of a turn.
    this.connection.sent();
    return parse(this.port.take());
  }

  /** The same in words. */
  read(): string[] {
    return this.frames().map(describeFrame);
  }

  last(): Taken {
    return this.taken.at(-1)!;
  }
}
