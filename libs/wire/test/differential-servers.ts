import { createServer } from 'node:http2';
import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import type { ServerCall } from '../src/grpc/server-call.ts';
import { WireServer } from '../src/server/wire-server.ts';
import { methodNames } from './grpc-side.ts';
import { systemClock } from './peers.ts';

const neverPaths = ['/d/Never', '/fuzz/Never'];
const echoPaths = [
  '/d/Echo',
  ...methodNames.map((name) => `/fuzz/${name}`).filter((path) => !neverPaths.includes(path)),
];

/** Two servers that answer requests equally: those that are named Never never, most with what was sent, others with UNIMPLEMENTED. */
export interface Pair {
  readonly ours: number;
  readonly theirs: number;
  close(): void;
}

export async function startPair(): Promise<Pair> {
  const wire = new WireServer({ clock: systemClock });
  for (const path of echoPaths) wire.register(path, { begin: echo });
  for (const path of neverPaths) wire.register(path, { begin: (call) => (call.sink = { ...silent }) });
  const ours = await wire.listen('127.0.0.1', 0);
  const server = createServer({ settings: { maxConcurrentStreams: 1024, maxHeaderListSize: 16_384 } });
  server.on('stream', answer);
  server.on('sessionError', () => undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    ours,
    theirs: (server.address() as AddressInfo).port,
    close: () => {
      wire.close();
      server.close();
    },
  };
}

const silent = {
  message: () => undefined,
  halfClosed: () => undefined,
  cancelled: () => undefined,
  drained: () => undefined,
};

function echo(call: ServerCall): void {
  const messages: Buffer[] = [];
  call.sink = {
    ...silent,
    message: (octets) => void messages.push(octets),
    halfClosed: () => {
      for (const octets of messages) call.write(octets);
      call.finish(0, '');
    },
  };
}

/** What a gRPC server says, in the words of node:http2. */
function answer(
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders & { ':method'?: string; ':path'?: string },
): void {
  const pieces: Buffer[] = [];
  stream.on('error', () => undefined);
  stream.on('data', (chunk: Buffer) => pieces.push(chunk));
  const status = (code: string, httpStatus = 200): void =>
    stream.respond({ ':status': httpStatus, 'grpc-status': code }, { endStream: true });
  if (headers[':method'] !== 'POST') status('13', 405);
  else if (headers['content-type'] !== 'application/grpc') status('13', 415);
  else if (echoPaths.includes(headers[':path'] ?? ''))
    stream.on('end', () => {
      if (stream.destroyed || stream.aborted) return;
      if (pieces.length === 0) {
        status('0');
        return;
      }
      stream.respond({ ':status': 200 }, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
      stream.end(Buffer.concat(pieces));
    });
  else if (!neverPaths.includes(headers[':path'] ?? '')) status('12');
}
