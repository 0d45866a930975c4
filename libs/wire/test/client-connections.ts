import { FakeClock } from '@sluice/testkit/fake-clock';
import { HpackEncoder } from '../src/hpack/encoder.ts';
import { ClientConnection } from '../src/http2/client-connection.ts';
import { clientPreface } from '../src/http2/frame-types.ts';
import type { Http2Stream } from '../src/http2/http2-stream.ts';
import { defaultLimits } from '../src/http2/limits.ts';
import type { ConnectionLimits } from '../src/http2/limits.ts';
import { FakePort, RecordingSink } from './connections.ts';
import { describe as describeFrame, parse, settings, settingsAck } from './frames.ts';
import type { Parsed } from './frames.ts';
import { give } from './given-octets.ts';

/** A block that stands for itself, whatever was encoded before it on the connection. */
export const block = (...fields: readonly string[]): Buffer => Buffer.from(new HpackEncoder([]).encode(fields));

export const requestFields = [':method', 'POST', ':scheme', 'http', ':path', '/', ':authority', 'a'] as const;

/** A client's connection of which a test is the server, frame by frame. */
export class ClientSide {
  readonly port = new FakePort();
  readonly clock = new FakeClock();
  readonly connection: ClientConnection;
  /** What the server said when it went away: codes and debug data. */
  readonly goaways: (readonly [code: number, debug: string])[] = [];
  /** Called when it goes away, before anything else is. */
  onGoaway: () => void = () => undefined;
  /** How it ended; undefined while it has not. */
  over: { readonly error: Error | undefined } | undefined;

  constructor(limits: Partial<ConnectionLimits> = {}) {
    this.connection = new ClientConnection({
      port: this.port,
      clock: this.clock,
      limits: { ...defaultLimits, ...limits },
      repeated: [],
      closed: (error) => (this.over = { error }),
      goaway: (code, debug) => {
        this.goaways.push([code, debug]);
        this.onGoaway();
      },
    });
    this.port.sent = () => this.connection.sent();
  }

  /** Past the preface and both SETTINGS, with nothing left to read. @param payload of the server's SETTINGS */
  static begun(payload = '', limits: Partial<ConnectionLimits> = {}): ClientSide {
    const side = new ClientSide(limits);
    side.write(settings(payload), settingsAck());
    side.connection.sent();
    side.port.take();
    return side;
  }

  write(...frames: readonly Uint8Array[]): this {
    give(this.connection, Buffer.concat(frames));
    return this;
  }

  /** Opens the next stream. @param ended the request has nothing but its fields */
  open(ended = false, sink = new RecordingSink()): { readonly stream: Http2Stream; readonly sink: RecordingSink } {
    return { stream: this.connection.open(requestFields, false, ended, sink), sink };
  }

  /** The preface, and the frames behind it. */
  beginning(): Parsed[] {
    this.connection.sent();
    const octets = this.port.take();
    if (!octets.subarray(0, clientPreface.length).equals(clientPreface)) throw new Error('no preface');
    return parse(octets.subarray(clientPreface.length));
  }

  /** The frames that were sent since the last time, without a preface. */
  frames(): Parsed[] {
    // As at the end of a turn.
    this.connection.sent();
    return parse(this.port.take());
  }

  /** The same in words. */
  read(): string[] {
    return this.frames().map(describeFrame);
  }
}
