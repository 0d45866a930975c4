import { join } from 'node:path';
import fc from 'fast-check';
import protobuf from 'protobufjs';
import { describe, expect, it } from 'vitest';
import { copyInput, inputStrings, parseInferRequest } from '../src/infer-request.ts';
import { buildInferResponse, readInferResponse } from '../src/infer-response.ts';
import { streamAnswer, streamFailure } from '../src/infer-stream.ts';
import type { TensorPart } from '../src/message-writer.ts';
import type { ParameterValue } from '../src/parameters.ts';
import { buildInferRequest } from '../src/request-builder.ts';
import { modelOverride, responseParameter } from '../src/rewrite.ts';
import { scanInferRequest } from '../src/scan.ts';
import { decodeTensor } from '../src/tensor-data.ts';
import { name, parameters, signatureFor, tensorParts } from './arbitraries.ts';
import { propertyRuns } from './fixtures.ts';

/** protobufjs knows nothing of our codec: what it writes we must read, and what we write it must read. */
const protos = new protobuf.Root();
protos.resolvePath = (_origin, target) => join(import.meta.dirname, '../../../protos', target);
protos.loadSync('inference/grpc_service.proto', { keepCase: true });
const Request = protos.lookupType('inference.ModelInferRequest');
const Response = protos.lookupType('inference.ModelInferResponse');
const StreamResponse = protos.lookupType('inference.ModelStreamInferResponse');

const options = { longs: String, bytes: Buffer, defaults: true, arrays: true } as const;

interface PlainTensor {
  name: string;
  datatype: string;
  shape: string[];
}
interface Plain {
  model_name: string;
  model_version: string;
  id: string;
  parameters?: Record<string, Record<string, unknown>>;
  inputs: PlainTensor[];
  outputs: PlainTensor[];
  raw_input_contents: Uint8Array[];
  raw_output_contents: Uint8Array[];
}

function plain(type: protobuf.Type, bytes: Uint8Array): Plain {
  return type.toObject(type.decode(bytes), options) as Plain;
}

function plainParameter(value: ParameterValue): Record<string, unknown> {
  if (value.kind === 'none') return {};
  return { [`${value.kind}_param`]: typeof value.value === 'bigint' ? longOf(value.value) : value.value };
}

function longOf(value: bigint): string {
  return BigInt.asIntN(64, value).toString();
}

/** Parameters of a decoded message in our form. */
function ourParameters(of: Plain): Map<string, ParameterValue> {
  return new Map(
    Object.entries(of.parameters ?? {}).map(([key, choice]): [string, ParameterValue] => {
      if ('bool_param' in choice) return [key, { kind: 'bool', value: choice['bool_param'] as boolean }];
      if ('int64_param' in choice) return [key, { kind: 'int64', value: BigInt(choice['int64_param'] as string) }];
      if ('string_param' in choice) return [key, { kind: 'string', value: choice['string_param'] as string }];
      if ('double_param' in choice) return [key, { kind: 'double', value: choice['double_param'] as number }];
      if ('uint64_param' in choice) return [key, { kind: 'uint64', value: BigInt(choice['uint64_param'] as string) }];
      return [key, { kind: 'none' }];
    }),
  );
}

const contentField = {
  BOOL: 'bool_contents',
  INT8: 'int_contents',
  INT16: 'int_contents',
  INT32: 'int_contents',
  INT64: 'int64_contents',
  UINT8: 'uint_contents',
  UINT16: 'uint_contents',
  UINT32: 'uint_contents',
  UINT64: 'uint64_contents',
  FP32: 'fp32_contents',
  FP64: 'fp64_contents',
  BYTES: 'bytes_contents',
  FP16: '',
  BF16: '',
} as const;

/** Elements as protobufjs takes them. */
function typedContents(part: TensorPart): Record<string, unknown> {
  const values = decodeTensor(part.datatype, part.data as Uint8Array);
  const list = Array.from<unknown, unknown>(values, (value) => {
    if (typeof value === 'bigint') return longOf(value);
    if (part.datatype === 'BOOL') return value === 1;
    return typeof value === 'string' ? Buffer.from(value) : value;
  });
  return { [contentField[part.datatype]]: list };
}

const run = { numRuns: Math.ceil(propertyRuns / 2) };
const cleanMap = fc
  .uniqueArray(
    parameters.map((pairs) => pairs[0] ?? (['k', { kind: 'none' }] as const)),
    {
      maxLength: 3,
      selector: ([key]) => key,
    },
  )
  .map((pairs) => pairs.filter(([key]) => key !== 'k__proto__'));

describe('protobufjs as oracle', { timeout: 20_000 + 10 * propertyRuns }, () => {
  it('O1 reads the requests that we build', () => {
    fc.assert(
      fc.property(
        name,
        cleanMap,
        tensorParts,
        fc.array(name, { maxLength: 3 }),
        (modelName, pairs, inputs, outputs) => {
          const ours = buildInferRequest({ modelName, id: 'i', parameters: new Map(pairs), inputs, outputs });
          const read = plain(Request, ours);
          expect([read.model_name, read.model_version, read.id]).toEqual([modelName, '', 'i']);
          expect(ourParameters(read)).toEqual(new Map(pairs));
          expect(read.inputs.map((each) => [each.name, each.datatype, each.shape.map(Number)])).toEqual(
            inputs.map((each) => [each.name, each.datatype, each.shape]),
          );
          expect(read.outputs.map((each) => each.name)).toEqual(outputs);
          expect(read.raw_input_contents.map((each) => [...each])).toEqual(
            inputs.map((each) => [...(each.data as Uint8Array)]),
          );
        },
      ),
      run,
    );
  });

  it('O2 reads the answers that we build and append to', () => {
    fc.assert(
      fc.property(name, cleanMap, tensorParts, (id, pairs, outputs) => {
        const built = buildInferResponse({
          modelName: 'm',
          modelVersion: '9',
          id,
          parameters: new Map(pairs),
          outputs,
        });
        const stamp = { kind: 'string', value: 'é-1' } as const;
        const read = plain(Response, Buffer.concat([built, responseParameter('prediction_id', stamp)]));
        expect([read.model_name, read.model_version, read.id]).toEqual(['m', '9', id]);
        expect(ourParameters(read)).toEqual(new Map([...pairs, ['prediction_id', stamp]]));
        expect(read.outputs.map((each) => [each.name, each.datatype, each.shape.map(Number)])).toEqual(
          outputs.map((each) => [each.name, each.datatype, each.shape]),
        );
        expect(read.raw_output_contents.map((each) => [...each])).toEqual(
          outputs.map((each) => [...(each.data as Uint8Array)]),
        );
      }),
      run,
    );
  });

  it('O3 writes raw requests that we scan, rewrite and parse', () => {
    fc.assert(
      fc.property(name, cleanMap, tensorParts, (modelName, pairs, inputs) => {
        const theirs = Request.encode(
          Request.fromObject({
            model_name: modelName,
            model_version: 'champion',
            id: 'é',
            parameters: Object.fromEntries(pairs.map(([key, value]) => [key, plainParameter(value)])),
            inputs: inputs.map(({ name, datatype, shape }) => ({ name, datatype, shape })),
            raw_input_contents: inputs.map((each) => each.data),
          }),
        ).finish();
        const header = { modelName, modelVersion: 'champion', id: 'é', parameters: new Map(pairs) };
        expect(scanInferRequest(theirs)).toEqual(header);
        const routed = Buffer.concat([theirs, modelOverride({ modelVersion: '3' })]);
        expect(plain(Request, routed).model_version).toBe('3');
        const parsed = parseInferRequest(routed, signatureFor(inputs, true));
        expect(parsed).toMatchObject({ ...header, modelVersion: '3' });
        expect(parsed.inputs.map((each) => [...(each.raw ?? [])])).toEqual(
          inputs.map((each) => [...(each.data as Uint8Array)]),
        );
      }),
      run,
    );
  });

  it('O4 writes typed requests that we decode into the same raw bytes', () => {
    const typed = tensorParts.map((parts) => parts.filter((part) => contentField[part.datatype] !== ''));
    fc.assert(
      fc.property(typed, (inputs) => {
        const theirs = Request.encode(
          Request.fromObject({
            model_name: 'm',
            inputs: inputs.map((part) => ({
              name: part.name,
              datatype: part.datatype,
              shape: part.shape,
              contents: typedContents(part),
            })),
          }),
        ).finish();
        const parsed = parseInferRequest(theirs, signatureFor(inputs, false));
        for (const [index, input] of parsed.inputs.entries()) {
          const raw = new Uint8Array(input.byteLength);
          copyInput(input, raw, 0);
          const expected = inputs[index]!.data as Uint8Array;
          // Not-a-number has many spellings and protobufjs may change one for another.
          expect(decodeTensor(input.datatype, raw)).toEqual(decodeTensor(input.datatype, expected));
          if (input.datatype === 'BYTES') expect(inputStrings(input)).toEqual(decodeTensor('BYTES', expected));
        }
      }),
      run,
    );
  });

  it('O5 writes answers that we read', () => {
    fc.assert(
      fc.property(cleanMap, tensorParts, (pairs, outputs) => {
        const theirs = Response.encode(
          Response.fromObject({
            model_name: 'm',
            model_version: '4',
            parameters: Object.fromEntries(pairs.map(([key, value]) => [key, plainParameter(value)])),
            outputs: outputs.map(({ name, datatype, shape }) => ({ name, datatype, shape })),
            raw_output_contents: outputs.map((each) => each.data),
          }),
        ).finish();
        const read = readInferResponse(theirs);
        expect(read).toMatchObject({ modelName: 'm', modelVersion: '4', parameters: new Map(pairs) });
        expect(read.outputs.map((each) => [...each.data])).toEqual(
          outputs.map((each) => [...(each.data as Uint8Array)]),
        );
      }),
      run,
    );
  });

  it('O6 reads our answers on streams, with the tensors and with all that was appended to them', () => {
    fc.assert(
      fc.property(name, cleanMap, tensorParts, fc.boolean(), (id, pairs, outputs, marked) => {
        const asks = new Map([['triton_enable_empty_final_response', { kind: 'bool', value: marked } as const]]);
        const request = buildInferRequest({ modelName: 'm', id, parameters: asks, inputs: [] });
        const built = buildInferResponse({
          modelName: 'm',
          modelVersion: '9',
          id,
          parameters: new Map(pairs),
          outputs,
        });
        const stamp = { kind: 'string', value: 'é-1' } as const;
        const answer = Buffer.concat([built, responseParameter('prediction_id', stamp)]);
        const read = StreamResponse.toObject(StreamResponse.decode(streamAnswer(request, [answer])), options);
        const inner = read['infer_response'] as Plain;
        expect([read['error_message'], inner.id]).toEqual(['', id]);
        const final = { kind: 'bool', value: true } as const;
        const expected = new Map<string, ParameterValue>([...pairs, ['prediction_id', stamp]]);
        if (marked) expected.set('triton_final_response', final);
        expect(ourParameters(inner)).toEqual(expected);
        expect(inner.raw_output_contents.map((each) => [...each])).toEqual(
          outputs.map((each) => [...(each.data as Uint8Array)]),
        );
        const failed = StreamResponse.toObject(StreamResponse.decode(streamFailure(request, 'zu groß')), options);
        expect(failed).toMatchObject({ error_message: 'zu groß', infer_response: { model_name: 'm', id } });
      }),
      run,
    );
  });
});
