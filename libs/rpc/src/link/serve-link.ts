import type { ServerDuplexStream } from '@grpc/grpc-js';
import { Metadata } from '@grpc/grpc-js';
import type { Metrics } from '@sluice/telemetry/metrics';
import { grpcCode } from '../grpc-code.ts';
import type { AnyDefinition } from '../messages.ts';
import { handles } from '../refusals.ts';
import type { ServerCore } from '../server-core.ts';
import { statusCodes } from '../status.ts';
import type { LinkMethod } from './link-handler.ts';
import { ServedLink } from './served-link.ts';
import type { ServedStream } from './served-link.ts';

type Surface = ServerDuplexStream<Buffer, Buffer>;

/** What links of one server share with it. */
export interface LinkHost {
  readonly core: ServerCore;
  readonly metrics: Pick<Metrics, 'method'>;
  /** Longest request. */
  readonly maxRequestBytes: number;
  /** Links that stand; the server drains and ends them. */
  readonly links: Set<ServedLink>;
}

/** A link as a handler of grpc-js. */
export function serveLink(host: LinkHost, definition: AnyDefinition, method: LinkMethod): (surface: Surface) => void {
  const { core, metrics, links, maxRequestBytes } = host;
  const stats = metrics.method(definition.path.slice(1));
  const methods = Object.entries(method.link).map(([name, { raw, refusalTrailers }]) => ({
    name,
    handler: raw,
    stats: metrics.method(name),
    refusalTrailers,
  }));
  return (surface) => {
    const { options } = method;
    const ended = (link: ServedLink): void => void links.delete(link);
    const stream = new GrpcStream(surface);
    const link = new ServedLink(stream, { core, methods, stats, options, maxRequestBytes, ended });
    links.add(link);
    handles(surface, { trailers: undefined, refused: (code) => link.gone(code) });
    surface.on('data', (message: Buffer) => link.receive(message));
    surface.once('end', () => link.gone(statusCodes.OK));
    surface.once('cancelled', () => link.gone(statusCodes.CANCELLED));
    // A destroyed stream emits it; the cancellation says all there is to say.
    surface.on('error', () => undefined);
  };
}

class GrpcStream implements ServedStream {
  readonly peer: string;
  readonly #surface: Surface;

  constructor(surface: Surface) {
    this.#surface = surface;
    this.peer = surface.getPeer();
  }

  send(message: Buffer, sent: () => void): void {
    this.#surface.write(message, () => sent());
  }

  end(refusal?: { readonly code: number; readonly details: string }): void {
    const surface = this.#surface;
    if (refusal === undefined) surface.end();
    // The way grpc-js gives a writable stream its status: it waits for what was written and then sends this.
    else {
      const status = { code: grpcCode(refusal.code), details: refusal.details, metadata: new Metadata() };
      surface.emit('error', Object.assign(new Error(refusal.details), status));
    }
  }
}
