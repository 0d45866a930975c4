import { describe, expect, it } from 'vitest';
import { inferenceService, registryService } from './services.ts';
import { requestProblem } from './wire-check.ts';

const getModel = '/sluice.registry.v1.RegistryService/GetModel';
const problem = (path: string, ...bytes: number[]): string | undefined => requestProblem(path, Uint8Array.from(bytes));

describe('requestProblem', () => {
  it.each([
    ['nothing', []],
    ['a name', [0x0a, 1, 0x41]],
    ['U+FFFD itself', [0x0a, 3, 0xef, 0xbf, 0xbd]],
    [
      'unknown fields of every wire type',
      [0x78, 0x80, 1, 0x79, 0, 0, 0, 0, 0, 0, 0, 0, 0x7a, 1, 0xff, 0x7d, 0, 0, 0, 0],
    ],
  ])('takes %s', (_name, bytes) => expect(problem(getModel, ...bytes)).toBeUndefined());

  it.each([
    ['a string that is cut off', [0x0a, 0x7f, 0x41], 'name is cut off: the message ends before it does'],
    ['a length that is cut off', [0x0a], 'name is cut off: the message ends before it does'],
    [
      'a length beyond all memory',
      [0x0a, 255, 255, 255, 255, 255, 255, 255, 255, 127],
      'name is cut off: the message ends before it does',
    ],
    ['a key that never ends', [0xff, 0xff, 0xff], 'a field key is cut off or malformed at byte 0'],
    ['text that is not UTF-8', [0x0a, 2, 0xc3, 0x28], 'name is not valid UTF-8'],
    ['another wire type', [0x08, 1], 'name has wire type 0, expected 2'],
    ['a field number 0', [0x00, 1], 'byte 0 starts a field with the number 0'],
    ['wire types that proto3 has not', [0x7b], 'field 15 has the unknown wire type 3'],
    ['wire types that nobody has', [0x7f], 'field 15 has the unknown wire type 7'],
  ])('refuses %s', (_name, bytes, expected) => expect(problem(getModel, ...bytes)).toBe(expected));

  it('names the field inside messages, lists and maps', () => {
    const infer = '/inference.GRPCInferenceService/ModelInfer';
    // inputs (5): an input whose datatype (2) is not UTF-8.
    expect(problem(infer, 0x2a, 3, 0x12, 1, 0xff)).toBe('inputs.datatype is not valid UTF-8');
    // parameters (4): an entry whose value (2) holds a string_param (3) that is longer than its message.
    expect(problem(infer, 0x22, 4, 0x12, 2, 0x1a, 9)).toBe(
      'parameters.value.string_param is cut off: the message ends before it does',
    );
    expect(problem(infer, 0x22, 3, 0x0a, 1, 0xff)).toBe('parameters.key is not valid UTF-8');
    // inputs.shape: packed or one by one.
    expect(problem(infer, 0x2a, 6, 0x1a, 1, 5, 0x18, 0x80, 1)).toBeUndefined();
    expect(problem(infer, 0x2a, 5, 0x1d, 0, 0, 0, 0)).toBe('inputs.shape has wire type 5, expected 0');
  });

  it('refuses more fields than any request has, before they are decoded', () => {
    const list = '/sluice.feedback.v1.PredictionService/ListPredictions';
    const labels = '/sluice.feedback.v1.LabelService/RecordLabels';
    const tag = (octet: number, count: number) => Buffer.alloc(2 * count, Buffer.of(octet, 0));
    expect(requestProblem(labels, tag(0x0a, 250_000))).toBeUndefined();
    expect(requestProblem(labels, tag(0x0a, 250_001))).toBe(
      'labels: the request has more than 250000 fields; send less at once',
    );
    // Messages inside another count, and so does each number of a packed list.
    const of = (octet: number, { length }: Buffer) =>
      Buffer.of(octet, 0x80 | (length & 0x7f), 0x80 | ((length >> 7) & 0x7f), length >> 14);
    const values = tag(0x3a, 250_000);
    expect(requestProblem(labels, Buffer.concat([of(0x0a, values), values]))).toMatch(/^labels\.values: the request/);
    const packed = (numbers: Buffer) => requestProblem(list, Buffer.concat([of(0x12, numbers), numbers]));
    expect(packed(Buffer.alloc(500_000, Buffer.of(0xff, 1)))).toBeUndefined();
    expect(packed(Buffer.alloc(250_001, 1))).toMatch(/^versions: the request has more/);
    // A length beyond all memory is not counted to.
    expect(problem(list, 0x12, 255, 255, 255, 255, 255, 255, 255, 255, 127)).toMatch(/^versions is cut off/);
  });

  it('takes what our own serializers write', () => {
    const { requestSerialize, path } = registryService.definition['CreateVersion']!;
    const request = { model: 'm', files: [{ path: 'ä.onnx', sha256: 'f', size: '12' }], graphPath: 'ä.onnx' };
    expect(requestProblem(path, requestSerialize(request))).toBeUndefined();
    const infer = inferenceService.definition['ModelInfer']!;
    const tensors = {
      inputs: [{ shape: [1, 2], contents: { fp32Contents: [1, 2], bytesContents: [Buffer.of(0xff)] } }],
    };
    const message = { modelName: 'm', parameters: { a: { boolParam: true }, b: { doubleParam: 1 } }, ...tensors };
    expect(requestProblem(infer.path, infer.requestSerialize(message))).toBeUndefined();
  });

  it('does not look into methods that are not ours', () => {
    expect(problem('/grpc.health.v1.Health/Check', 0xff)).toBeUndefined();
    expect(problem('nonsense', 0xff)).toBeUndefined();
  });
});
