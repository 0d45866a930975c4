// A process of its own: what node:http2 alone can read. It takes each request to its end and answers as little as a model that
// averages does. Its windows are those of libs/wire, so that neither waits for the other's sake.
import { constants, createServer, type ServerHttp2Stream } from 'node:http2';
import process from 'node:process';
import { defaultLimits } from '@sluice/wire/http2/limits';
import { shortAnswer } from './large-requests.ts';
import { grpcFrame } from './workloads.ts';

const prefixOctets = 5;
const head = { ':status': 200, 'content-type': 'application/grpc+proto' };
let answered = 0;

const server = createServer({ settings: { initialWindowSize: defaultLimits.streamWindow } });
server.on('session', (session) => session.setLocalWindowSize(defaultLimits.connectionWindow));
server.on('stream', (stream: ServerHttp2Stream) => {
  let octets = 0;
  stream.on('data', (piece: Buffer) => (octets += piece.length));
  stream.on('error', () => stream.close(constants.NGHTTP2_INTERNAL_ERROR));
  stream.on('end', () => {
    answered++;
    stream.respond(head, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
    stream.end(grpcFrame(shortAnswer(octets - prefixOctets)));
  });
});
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  process.send?.({ port: typeof address === 'object' ? address?.port : 0 });
});
// Asked anything, it says how many requests it has answered.
process.on('message', () => process.send?.({ answered }));
process.on('disconnect', () => process.exit(0));
