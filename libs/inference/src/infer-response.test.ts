import { describe, expect, it } from 'vitest';
import { field, fp32, messageOf, number } from '../test/fixtures.ts';
import { decodeStrings } from './bytes-tensor.ts';
import { buildInferResponse, readInferResponse } from './infer-response.ts';

const tensorField = (name: string, datatype: string, shape: readonly number[]) =>
  field(5, [...field(1, name), ...field(2, datatype), ...field(3, shape)]);

describe('buildInferResponse', () => {
  it('A1 writes header, parameters, outputs and their bytes, all of it in the buffer that it made', () => {
    const response = buildInferResponse({
      modelName: 'digits',
      modelVersion: '3',
      id: 'é',
      parameters: new Map([['k', { kind: 'uint64', value: 300n }]]),
      outputs: [
        { name: 'y', datatype: 'FP32', shape: [1, 2], data: Uint8Array.from(fp32(1, 2)) },
        { name: 's', datatype: 'INT64', shape: [], data: new Uint8Array(8) },
        { name: 'none', datatype: 'FP32', shape: [0, 300], data: new Uint8Array(0) },
      ],
    });
    expect(readInferResponse(response)).toEqual({
      modelName: 'digits',
      modelVersion: '3',
      id: 'é',
      parameters: new Map([['k', { kind: 'uint64', value: 300n }]]),
      outputs: [
        { name: 'y', datatype: 'FP32', shape: [1, 2], data: Buffer.from(fp32(1, 2)) },
        { name: 's', datatype: 'INT64', shape: [], data: Buffer.alloc(8) },
        { name: 'none', datatype: 'FP32', shape: [0, 300], data: Buffer.alloc(0) },
      ],
    });
  });

  it('A2 writes BYTES from strings and takes views of shared memory', () => {
    const shared = new Uint8Array(new SharedArrayBuffer(4)).subarray(1, 3);
    shared.set([7, 8]);
    const response = readInferResponse(
      buildInferResponse({
        modelName: 'm',
        modelVersion: '1',
        id: '',
        outputs: [
          { name: 'label', datatype: 'BYTES', shape: [2], data: ['malignant', 'é'] },
          { name: 'u', datatype: 'UINT8', shape: [2], data: shared },
        ],
      }),
    );
    expect(decodeStrings(response.outputs[0]!.data)).toEqual(['malignant', 'é']);
    expect([...response.outputs[1]!.data]).toEqual([7, 8]);
  });

  it('A3 refuses bytes that do not fit the shape', () => {
    const build = (shape: number[], data: Uint8Array | string[], datatype: 'FP32' | 'BYTES' = 'FP32') =>
      messageOf(() =>
        buildInferResponse({
          modelName: 'm',
          modelVersion: '1',
          id: '',
          outputs: [{ name: 'y', datatype, shape, data }],
        }),
      );
    expect(build([3], new Uint8Array(8))).toBe("RangeError: tensor 'y': shape [3] of FP32 takes 12 bytes, got 8");
    expect(build([-1], new Uint8Array(8))).toBe("RangeError: tensor 'y': -1 is not a dimension");
    expect(build([1], ['a'])).toBe("RangeError: tensor 'y': strings are BYTES, not FP32");
    expect(build([2], ['a'], 'BYTES')).toBe("RangeError: tensor 'y': expected 2 strings, got 1");
  });
});

describe('readInferResponse', () => {
  const read = (...bytes: number[]) => messageOf(() => readInferResponse(Uint8Array.from(bytes)));

  it('A4 refuses answers whose raw entries do not fit their outputs', () => {
    expect(read(...tensorField('y', 'FP32', [1]))).toBe(
      'invalid-argument: raw_output_contents: expected 1 entries, one per output, got 0',
    );
    expect(read(...tensorField('y', 'FP32', [2]), ...field(6, fp32(1)))).toContain('of FP32 takes 8 bytes, got 4');
    expect(read(...tensorField('y', 'FLOAT', [1]), ...field(6, fp32(1)))).toContain('"FLOAT" is not a datatype');
  });

  it('A5 takes unpacked shapes and skips what it does not know', () => {
    const output = field(5, [
      ...field(1, 'y'),
      ...field(2, 'UINT8'),
      ...number(3, 1),
      ...number(3, 2),
      ...number(77, 1),
    ]);
    const response = readInferResponse(Uint8Array.from([...output, ...field(6, [1, 2]), ...number(99, 1)]));
    expect(response.outputs[0]).toMatchObject({ shape: [1, 2], data: Buffer.of(1, 2) });
  });
});
