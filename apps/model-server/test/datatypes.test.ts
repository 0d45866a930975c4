import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { InferTensorContents } from '@sluice/contracts/gen/inference/InferTensorContents';
import type { Datatype } from '@sluice/domain/datatype';
import { decodeTensor, encodeTensor, type PlainValue } from '@sluice/inference/tensor-data';
import { attribute, graph, identityModel, model, node, tensor, value } from '@sluice/testkit/onnx-builder';
import { eventually } from '@sluice/testkit/eventually';
import {
  identitySignature,
  requestOf,
  spec,
  startRuntime,
  temporaryFolder,
  type TestRuntime,
} from './support/runtime.ts';
import { TestRegistry, type TestVersion } from './support/test-registry.ts';

type Typed = { values: PlainValue[]; field?: keyof InferTensorContents };

/** Values at the edges of each datatype, and the typed field that carries them; FP16 has a raw form only. */
const samples: Record<Exclude<Datatype, 'BF16'>, Typed> = {
  BOOL: { values: [1, 0, 1, 0, 0, 1], field: 'boolContents' },
  UINT8: { values: [0, 1, 2, 254, 255, 7], field: 'uintContents' },
  UINT16: { values: [0, 1, 2, 65_534, 65_535, 7], field: 'uintContents' },
  UINT32: { values: [0, 1, 2, 4_294_967_295, 5, 7], field: 'uintContents' },
  UINT64: { values: [0n, 1n, 2n, 18_446_744_073_709_551_615n, 5n, 7n], field: 'uint64Contents' },
  INT8: { values: [0, -1, 2, -128, 127, 7], field: 'intContents' },
  INT16: { values: [0, -1, 2, -32_768, 32_767, 7], field: 'intContents' },
  INT32: { values: [0, -1, 2, -2_147_483_648, 2_147_483_647, 7], field: 'intContents' },
  INT64: { values: [0n, -1n, 2n, -9_223_372_036_854_775_808n, 9_223_372_036_854_775_807n, 7n], field: 'int64Contents' },
  FP16: { values: [0, 0.5, -2, 65_504, 1024, 7] },
  FP32: { values: [0, 0.5, -2, 3.4028234663852886e38, Infinity, 7], field: 'fp32Contents' },
  FP64: { values: [0, 0.5, -2, 1.7e308, 5e-324, 7], field: 'fp64Contents' },
  BYTES: { values: ['', 'a', 'größe', '日本', 'x'.repeat(300), '7'], field: 'bytesContents' },
};
const datatypes = Object.keys(samples) as (keyof typeof samples)[];
const modelName = (datatype: string, kind = 'rows'): string => `${kind}-${datatype.toLowerCase()}`;

const shapes = { rows: [-1, 3], open: [-1, -1], whole: [2, 3], scalar: [] as number[] } as const;

function identities(datatype: keyof typeof samples): TestVersion[] {
  return Object.entries(shapes).map(([kind, shape]) => {
    const signature = identitySignature(datatype, shape);
    const dims = shape.map((dim, index) => (dim < 0 ? ['batch', 'width'][index]! : dim));
    return {
      model: modelName(datatype, kind),
      version: 1,
      signature,
      files: { 'm.onnx': identityModel(datatype, dims) },
    };
  });
}

/** Concat over the rows of two inputs of different datatypes and a bias: several inputs, several outputs. */
const twoInOut: TestVersion = {
  model: 'two',
  version: 1,
  signature: {
    inputs: [spec('a', 'FP32', [-1, 2]), spec('names', 'BYTES', [-1, 2])],
    outputs: [spec('sum', 'FP32', [-1, 1]), spec('same', 'BYTES', [-1, 2]), spec('twice', 'FP32', [-1, 2])],
    batched: true,
  },
  files: {
    'm.onnx': model({
      graph: graph({
        nodes: [
          node('ReduceSum', ['a', 'axis'], ['sum'], [attribute.int('keepdims', 1)]),
          node('Identity', ['names'], ['same']),
          node('Add', ['a', 'a'], ['twice']),
        ],
        inputs: [value('a', 'FP32', ['batch', 2]), value('names', 'BYTES', ['batch', 2])],
        outputs: [
          value('sum', 'FP32', ['batch', 1]),
          value('same', 'BYTES', ['batch', 2]),
          value('twice', 'FP32', ['batch', 2]),
        ],
        initializers: [tensor('axis', 'INT64', [1], [1])],
      }),
    }),
  },
};

let registry: TestRegistry;
let runtime: TestRuntime;

beforeAll(async () => {
  registry = await new TestRegistry().start();
  registry.place(...datatypes.flatMap(identities), twoInOut, {
    model: 'half-bf16',
    version: 1,
    signature: identitySignature('BF16', [-1, 3]),
    files: { 'm.onnx': identityModel('BF16', ['batch', 3]) },
  });
  runtime = await (await startRuntime({ registry: registry.address, stateDir: temporaryFolder() })).ready(60_000);
});
afterAll(async () => {
  await runtime.stop();
  await registry.stop();
});

async function roundTrip(
  name: string,
  datatype: keyof typeof samples,
  shape: readonly number[],
  values: readonly PlainValue[],
) {
  const response = await runtime.infer(requestOf(name, datatype, shape, values, { id: 'r1' }));
  expect(response).toMatchObject({ modelName: name, modelVersion: '1', id: 'r1' });
  const [output] = response.outputs;
  expect(output).toMatchObject({ name: 'y', datatype, shape });
  return [...decodeTensor(datatype, output!.data)];
}

describe('datatypes', () => {
  it.each(datatypes)(
    '%s: raw contents, batches, whole tensors, scalars, dynamic and empty dimensions',
    async (datatype) => {
      const { values } = samples[datatype];
      const expected = [...decodeTensor(datatype, encodeTensor(datatype, values))];
      await expect(roundTrip(modelName(datatype), datatype, [2, 3], values)).resolves.toEqual(expected);
      await expect(roundTrip(modelName(datatype), datatype, [0, 3], [])).resolves.toEqual([]);
      await expect(roundTrip(modelName(datatype, 'open'), datatype, [3, 2], values)).resolves.toEqual(expected);
      await expect(roundTrip(modelName(datatype, 'open'), datatype, [2, 0], [])).resolves.toEqual([]);
      await expect(roundTrip(modelName(datatype, 'open'), datatype, [0, 5], [])).resolves.toEqual([]);
      await expect(roundTrip(modelName(datatype, 'whole'), datatype, [2, 3], values)).resolves.toEqual(expected);
      await expect(roundTrip(modelName(datatype, 'scalar'), datatype, [], [values[3]!])).resolves.toEqual([
        expected[3],
      ]);
    },
  );

  it.each(datatypes.filter((datatype) => samples[datatype].field))('%s: typed contents', async (datatype) => {
    const { values, field } = samples[datatype];
    const typed =
      datatype === 'BYTES'
        ? values.map((text) => Buffer.from(String(text)))
        : values.map((v) => (typeof v === 'bigint' ? String(v) : v));
    const inputs = [{ name: 'x', datatype, shape: ['2', '3'], contents: { [field!]: typed } }];
    const response = await runtime.inference.modelInfer({ modelName: modelName(datatype), inputs });
    expect(Buffer.from(response.rawOutputContents[0]!)).toEqual(Buffer.from(encodeTensor(datatype, values)));
    expect(response.outputs[0]!.shape).toEqual(['2', '3']);
  });

  it.each(datatypes)('%s: more rows than the maximum are split and joined', async (datatype) => {
    const { values } = samples[datatype];
    const many = Array.from({ length: 61 }, (_, row) =>
      [0, 1, 2].map((column) => values[(row + column) % values.length]!),
    ).flat();
    const expected = [...decodeTensor(datatype, encodeTensor(datatype, many))];
    await expect(roundTrip(modelName(datatype), datatype, [61, 3], many)).resolves.toEqual(expected);
  });

  it('keeps requests of one batch apart, strings and numbers, whatever outputs they want', async () => {
    const answers = await Promise.all(
      Array.from({ length: 200 }, async (_, index) => {
        const rows = (index % 4) + 1;
        const a = Array.from({ length: rows * 2 }, (_, at) => index + at);
        const names = a.map((number) => `n${number}`);
        const outputs = index % 3 === 0 ? ['twice'] : index % 3 === 1 ? ['same', 'sum'] : [];
        const response = await runtime.inference.modelInfer({
          modelName: 'two',
          inputs: [
            {
              name: 'names',
              datatype: 'BYTES',
              shape: [rows, 2],
              contents: { bytesContents: names.map((text) => Buffer.from(text)) },
            },
            { name: 'a', datatype: 'FP32', shape: [rows, 2], contents: { fp32Contents: a } },
          ],
          outputs: outputs.map((name) => ({ name })),
        });
        return { a, names, outputs, response };
      }),
    );
    for (const { a, names, outputs, response } of answers) {
      const got = new Map(
        response.outputs.map((output, at) => [
          output.name,
          [...decodeTensor(output.datatype as Datatype, response.rawOutputContents[at]!)],
        ]),
      );
      expect([...got.keys()]).toEqual(outputs.length > 0 ? outputs : ['sum', 'same', 'twice']);
      if (got.has('same')) expect(got.get('same')).toEqual(names);
      if (got.has('twice')) expect(got.get('twice')).toEqual(a.map((number) => number * 2));
      if (got.has('sum'))
        expect(got.get('sum')).toEqual(
          a.filter((_, at) => at % 2 === 0).map((number, row) => number + a[row * 2 + 1]!),
        );
    }
  });

  it('refuses BF16 when the version is loaded, with what to do', async () => {
    const half = await eventually(async () => {
      const found = (await runtime.state()).versions.find((version) => version['model'] === 'half-bf16');
      expect(found?.['state']).toBe('failed');
      return found!;
    });
    expect(half['reason']).toMatch(/datatype BF16 cannot be served.*export the model with FP16 or FP32/);
  });
});
