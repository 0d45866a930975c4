import { join } from 'node:path';
import protobuf from 'protobufjs';
import { copyInput, parseInferRequest } from '../src/infer-request.ts';
import { buildInferResponse } from '../src/infer-response.ts';
import { buildInferRequest } from '../src/request-builder.ts';
import { modelOverride, responseParameter } from '../src/rewrite.ts';
import { scanInferRequest } from '../src/scan.ts';
import { signature, tensor } from './fixtures.ts';

// What the codec costs beside protobufjs on the same message: ratios of one run, not times to compare between machines.
const protos = new protobuf.Root();
protos.resolvePath = (_origin, target) => join(import.meta.dirname, '../../../protos', target);
protos.loadSync('inference/grpc_service.proto');
const Request = protos.lookupType('inference.ModelInferRequest');
const Response = protos.lookupType('inference.ModelInferResponse');

/** Nanoseconds of one call, the best of five rounds. */
function time(fn: () => unknown): number {
  const rounds = 20_000;
  let best = Infinity;
  for (let round = 0; round < 5; round++) {
    const start = process.hrtime.bigint();
    for (let index = 0; index < rounds; index++) fn();
    best = Math.min(best, Number(process.hrtime.bigint() - start) / rounds);
  }
  return best;
}

const subject = signature([tensor('x', 'FP32', [-1, 64])], [tensor('y', 'FP32', [-1, 10])]);
const batch = new Uint8Array(new SharedArrayBuffer(64 * 4));
const request = buildInferRequest({
  modelName: 'digits',
  id: '42',
  inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 64], data: new Uint8Array(256) }],
});
const parts = {
  modelName: 'digits',
  modelVersion: '3',
  id: '42',
  outputs: [{ name: 'y', datatype: 'FP32', shape: [1, 10], data: new Uint8Array(40) }],
} as const;
const response = buildInferResponse(parts);
const override = modelOverride({ modelVersion: '3' });
const arm = responseParameter('sluice_arm', { kind: 'string', value: 'primary' });
const decoded = Response.decode(response);

const rows = [
  ['router: scan and rewrite a request', time(() => (scanInferRequest(request), Buffer.concat([request, override])))],
  ['router: append to an answer', time(() => Buffer.concat([response, arm]))],
  [
    'runtime: parse, check and copy a request',
    time(() => copyInput(parseInferRequest(request, subject).inputs[0]!, batch, 0)),
  ],
  ['runtime: build an answer', time(() => buildInferResponse(parts))],
  ['protobufjs: decode a request', time(() => Request.decode(request))],
  ['protobufjs: encode an answer', time(() => Response.encode(decoded).finish())],
] as const;
const [, unit] = rows[4];
for (const [name, ns] of rows) console.log(`${name.padEnd(44)} ${(ns / unit).toFixed(2)}`);
