import { describe, expect, it } from 'vitest';
import type { Datatype } from '@sluice/domain/datatype';
import type { Signature } from '@sluice/domain/signature';
import { buildInferResponse } from '@sluice/inference/infer-response';
import { buildInferRequest } from '@sluice/inference/request-builder';
import { encodeTensor } from '@sluice/inference/tensor-data';
import type { PlainValue } from '@sluice/inference/tensor-data';
import { decodeRequest, decodeResponse } from './decode-payload.ts';

const tensor = (name: string, datatype: Datatype, values: readonly PlainValue[], shape = [values.length]) => ({
  ...{ name, datatype, shape, data: encodeTensor(datatype, values) },
});
const request = (...inputs: ReturnType<typeof tensor>[]) => buildInferRequest({ modelName: 'm', inputs });
const response = (...outputs: ReturnType<typeof tensor>[]) =>
  buildInferResponse({ modelName: 'm', modelVersion: '1', id: '', outputs });

describe('a request', () => {
  it('is decoded by what it says itself, with names of the signature', () => {
    const signature: Signature = {
      inputs: [
        {
          ...{ name: 'x', datatype: 'FP32', shape: [-1, 2], dimNames: ['', ''] },
          features: ['age', 'income'].map((name) => ({ name, nullable: false })),
        },
      ],
      ...{ outputs: [], batched: true },
    };
    const bytes = request(tensor('x', 'FP32', [1, 2, 3, 4], [2, 2]), tensor('more', 'INT64', [7n]));
    expect(decodeRequest(bytes, signature, 10)).toEqual([
      {
        ...{ name: 'x', datatype: 'FP32', shape: [2, 2], elements: 4, values: Float32Array.of(1, 2, 3, 4) },
        ...{ featureNames: ['age', 'income'], classNames: [] },
      },
      {
        ...{ name: 'more', datatype: 'INT64', shape: [1], elements: 1, values: BigInt64Array.of(7n) },
        ...{ featureNames: [], classNames: [] },
      },
    ]);
    expect(decodeRequest(bytes, undefined, 10)[0]).toMatchObject({ featureNames: [] });
  });

  it('may have typed contents', () => {
    // inputs { name: "x" datatype: "INT32" shape: 3 contents { int_contents: 1 -1 2 } }
    const contents = Buffer.from([0x12, 12, 1, ...Buffer.alloc(9, 0xff), 1, 2]);
    const input = Buffer.concat([
      Buffer.from([0x0a, 1, 0x78, 0x12, 5, ...Buffer.from('INT32'), 0x1a, 1, 3, 0x2a, contents.length]),
      contents,
    ]);
    const bytes = Buffer.concat([Buffer.from([0x2a, input.length]), input]);
    expect(decodeRequest(bytes, undefined, 10)).toMatchObject([
      { name: 'x', datatype: 'INT32', shape: [3], values: Int32Array.of(1, -1, 2) },
    ]);
  });

  it('gives the first values, and says how many there are', () => {
    const [found] = decodeRequest(request(tensor('x', 'FP64', [1, 2, 3, 4, 5])), undefined, 2);
    expect(found).toMatchObject({ elements: 5, values: Float64Array.of(1, 2) });
    const [texts] = decodeRequest(request(tensor('x', 'BYTES', ['a', 'bc', 'd'])), undefined, 2);
    expect(texts).toMatchObject({ elements: 3, values: [Uint8Array.of(97), Uint8Array.of(98, 99)] });
    const long = 'x'.repeat(600_000);
    const [cut] = decodeRequest(request(tensor('x', 'BYTES', [long, long, 'd'])), undefined, 10);
    expect([cut!.elements, cut!.values.length]).toEqual([3, 1]);
  });

  it('of any datatype is decoded; scalars and empty tensors too', () => {
    const one: (readonly [Datatype, PlainValue])[] = [
      ...([
        ['BOOL', true],
        ['UINT8', 255],
        ['INT8', -1],
        ['UINT16', 9],
        ['INT16', -9],
        ['UINT32', 4e9],
      ] as const),
      ...([
        ['INT32', -5],
        ['UINT64', 2n ** 64n - 1n],
        ['FP16', 0.5],
        ['BF16', 0.5],
        ['FP32', 0.25],
        ['FP64', 0.1],
      ] as const),
    ];
    const found = decodeRequest(request(...one.map(([type, value]) => tensor(type, type, [value]))), undefined, 10);
    expect(found.map(({ values }) => (values as Float64Array)[0])).toEqual(
      one.map(([, value]) => (value === true ? 1 : value)),
    );
    const odd = decodeRequest(request(tensor('s', 'FP32', [7], []), tensor('e', 'FP32', [], [0, 3])), undefined, 10);
    expect(odd.map(({ elements, values }) => [elements, values.length])).toEqual([
      [1, 1],
      [0, 0],
    ]);
  });

  it('that is none is refused', () => {
    for (const bytes of [
      Buffer.from([1]),
      Buffer.from('not a message'),
      request(tensor('x', 'FP32', [1])).subarray(0, 12),
    ])
      expect(() => decodeRequest(bytes, undefined, 1)).toThrow(
        expect.objectContaining({ kind: 'invalid-argument' }) as Error,
      );
  });
});

describe('a response', () => {
  it('is decoded with the names of its classes', () => {
    const signature: Signature = {
      ...{ inputs: [], batched: true },
      outputs: [
        { name: 'p', datatype: 'FP32', shape: [-1, 2], dimNames: ['', ''], features: [], classNames: ['no', 'yes'] },
      ],
    };
    const bytes = response(tensor('p', 'FP32', [0.5, 0.25], [1, 2]), tensor('label', 'BYTES', ['yes']));
    expect(decodeResponse(bytes, signature, 10)).toMatchObject([
      { name: 'p', classNames: ['no', 'yes'], values: Float32Array.of(0.5, 0.25) },
      { name: 'label', classNames: [], values: [Buffer.from('yes')] },
    ]);
  });

  it('whose texts are cut off is refused', () => {
    const bytes = response({ ...tensor('t', 'BYTES', ['abc']), data: Uint8Array.of(9, 0, 0, 0, 65) });
    expect(() => decodeResponse(bytes, undefined, 10)).toThrow('BYTES tensor: element 0 is cut off');
  });
});
