import { once } from 'node:events';
import { connect } from 'node:http2';
import type {
  ClientHttp2Session,
  ClientHttp2Stream,
  IncomingHttpHeaders,
  SecureClientSessionOptions,
} from 'node:http2';
import { later } from './echo.ts';
import { framed } from './programs.ts';

/** A session of node:http2 that is connected and has the server's settings. */
export async function session(port: number, options: SecureClientSessionOptions = {}): Promise<ClientHttp2Session> {
  const client = connect(`http://127.0.0.1:${port}`, options);
  client.on('error', () => undefined);
  later(() => client.destroy());
  await once(client, 'remoteSettings');
  return client;
}

/** A request of gRPC, of which nothing is sent yet but its header fields. */
export const begin = (
  client: ClientHttp2Session,
  method: string,
  fields: Readonly<Record<string, string | readonly string[]>> = {},
  options: { endStream?: boolean } = {},
): ClientHttp2Stream =>
  client.request(
    {
      ...{ ':method': 'POST', ':path': `/test.Echo/${method}`, 'content-type': 'application/grpc', te: 'trailers' },
      ...fields,
    },
    options,
  );

export interface Answer {
  readonly headers: IncomingHttpHeaders | undefined;
  readonly trailers: IncomingHttpHeaders | undefined;
  /** Messages as they came, with their prefixes. */
  readonly octets: Buffer;
  readonly rstCode: number | undefined;
}

/** Reads an answer to its end, whatever that is. */
export async function answerTo(stream: ClientHttp2Stream): Promise<Answer> {
  let headers: IncomingHttpHeaders | undefined;
  let trailers: IncomingHttpHeaders | undefined;
  const pieces: Buffer[] = [];
  stream.on('response', (received) => (headers = received));
  stream.on('trailers', (received) => (trailers = received));
  stream.on('data', (piece: Buffer) => pieces.push(piece));
  stream.on('error', () => undefined);
  if (!stream.closed || !stream.destroyed) await new Promise((resolve) => stream.once('close', resolve));
  return { headers, trailers, octets: Buffer.concat(pieces), rstCode: stream.rstCode };
}

/** A unary call, and its answer. */
export function call(
  client: ClientHttp2Session,
  message: Uint8Array,
  fields: Readonly<Record<string, string | readonly string[]>> = {},
): Promise<Answer> {
  const stream = begin(client, 'Unary', fields);
  stream.end(framed(message));
  return answerTo(stream);
}
