// A server that answers every request at once with bytes that it was given: what the generator is calibrated against.
import { createServer, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { parentPort, workerData } from 'node:worker_threads';
import { fieldSize, WireWriter } from '@sluice/inference/wire-writer';
import { FrameReader, idFieldBytes, RequestFrames } from './frames.ts';

const answer = workerData as Uint8Array;
const [framed] = new RequestFrames([answer]).take(undefined, undefined);
const headers = { ':status': 200, 'content-type': 'application/grpc' };
const trailers = { 'grpc-status': '0' };
const streamPath = '/inference.GRPCInferenceService/ModelStreamInfer';

/** Requests of a stream end with their id as a field, and an answer has it under the same number. */
function streamAnswer(request: Buffer): Buffer {
  const id = request.subarray(-idFieldBytes);
  const inner = answer.byteLength + id.byteLength;
  const writer = new WireWriter(5 + fieldSize(inner));
  writer.bytes[0] = 0;
  writer.pos = writer.bytes.writeUInt32BE(fieldSize(inner), 1);
  writer.open(2, inner);
  writer.raw(answer);
  writer.raw(id);
  return writer.bytes;
}

function respond(stream: ServerHttp2Stream): void {
  stream.respond(headers, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers(trailers));
}

const server = createServer({ maxSessionMemory: 4096 });
server.on('stream', (stream: ServerHttp2Stream, head: IncomingHttpHeaders) => {
  stream.on('error', () => undefined);
  if (head[':path'] === streamPath) {
    const messages = new FrameReader(true);
    respond(stream);
    stream.on('data', (chunk: Buffer) => messages.push(chunk, (request) => void stream.write(streamAnswer(request))));
    stream.on('end', () => stream.end());
    return;
  }
  stream.on('data', () => undefined);
  stream.on('end', () => {
    respond(stream);
    stream.end(framed);
  });
});
server.listen(0, '127.0.0.1', () => parentPort!.postMessage((server.address() as AddressInfo).port));
