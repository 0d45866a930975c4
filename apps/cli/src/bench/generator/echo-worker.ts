// A server that answers every request at once with bytes that it was given: what the generator is calibrated against.
import { parentPort, workerData } from 'node:worker_threads';
import { fieldSize, WireWriter } from '@sluice/inference/wire-writer';
import { systemClock } from '@sluice/service-kit/clock';
import type { CallSink, ServerCall } from '@sluice/wire/grpc/server-call';
import { WireServer } from '@sluice/wire/server/wire-server';
import { idFieldBytes } from './request-bytes.ts';

const answer = workerData as Uint8Array;
const inferPath = '/inference.GRPCInferenceService/ModelInfer';
const streamPath = '/inference.GRPCInferenceService/ModelStreamInfer';

/** Requests of a stream end with their id as a field, and an answer has it under the same number. */
function streamAnswer(request: Buffer): Buffer {
  const id = request.subarray(-idFieldBytes);
  const inner = answer.byteLength + id.byteLength;
  const writer = new WireWriter(fieldSize(inner));
  writer.open(2, inner);
  writer.raw(answer);
  writer.raw(id);
  return writer.bytes;
}

/** @param answerTo undefined: nothing before the request is whole */
function echo(call: ServerCall, answerTo: ((request: Buffer) => Buffer) | undefined): CallSink {
  return {
    message: (request) => {
      if (answerTo !== undefined) call.write(answerTo(request));
    },
    halfClosed: () => {
      if (answerTo === undefined) call.write(answer);
      call.finish(0, '');
    },
    cancelled: () => undefined,
    drained: () => undefined,
  };
}

const server = new WireServer({ clock: systemClock, maxRequestOctets: 2 ** 31 - 1 });
server.register(inferPath, { begin: (call) => void (call.sink = echo(call, undefined)) });
server.register(streamPath, { begin: (call) => void (call.sink = echo(call, streamAnswer)) });
parentPort!.postMessage(await server.listen('127.0.0.1', 0));
