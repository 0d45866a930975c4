import { SluiceError } from '@sluice/domain/errors';
import { graph, model, node, value } from '@sluice/testkit/onnx-builder';
import type { BuilderDim, OnnxType } from '@sluice/testkit/onnx-builder';
import { describe, expect, it } from 'vitest';
import { scanGraph } from '../onnx/scan-graph.ts';
import { describeVersion } from './describe-version.ts';
import { parseManifest } from './parse-manifest.ts';

/** A graph with an image as its input, and these outputs. */
async function graphWith(outputs: Readonly<Record<string, [OnnxType, readonly BuilderDim[]]>>) {
  const bytes = model({
    graph: graph({
      nodes: [node('Identity', ['x'], ['y'])],
      inputs: [value('x', 'FP32', ['batch', 3, 8, 8])],
      outputs: Object.entries(outputs).map(([name, [type, shape]]) => value(name, type, shape)),
    }),
  });
  const read = async (offset: number, length: number) => bytes.subarray(offset, offset + length);
  return scanGraph({ size: bytes.length, read, close: async () => undefined });
}

async function described(yaml: string, outputs: Parameters<typeof graphWith>[0] = { y: ['FP32', ['batch', 3]] }) {
  return describeVersion('m.onnx', await graphWith(outputs), parseManifest(Buffer.from(yaml)));
}

const problem = async (yaml: string, outputs?: Parameters<typeof graphWith>[0]): Promise<string> =>
  described(yaml, outputs).then(
    () => 'none',
    (error: unknown) => SluiceError.from(error).message,
  );

describe('class names and formats', () => {
  it('are part of the signature, and of what is kept of sluice.yaml', async () => {
    const outputs = { y: ['FP32', ['batch', 3]], z: ['INT64', ['batch', 2]] } as const;
    const { signature, manifestJson } = await described(
      'signature: { inputs: [{ name: x, format: NCHW }], outputs: [{ name: z, class_names: [no, "yes"] }] }',
      outputs as never,
    );
    expect(signature.inputs[0]).toMatchObject({ name: 'x', format: 'NCHW' });
    expect(signature.outputs.map(({ name, classNames }) => [name, classNames])).toEqual([
      ['y', undefined],
      ['z', ['no', 'yes']],
    ]);
    expect(JSON.parse(manifestJson)).toMatchObject({
      signature: { inputs: [{ name: 'x', format: 'NCHW' }], outputs: [{ name: 'z', class_names: ['no', 'yes'] }] },
    });
  });

  it('are those of the task where its values are by class and somebody wrote names', async () => {
    const task = 'task: { kind: classification, prediction: y';
    const names = async (yaml: string, outputs?: Parameters<typeof graphWith>[0]) =>
      (await described(yaml, outputs)).signature.outputs[0]!.classNames;
    expect(await names(`${task}, class_names: [a, b, c] }`)).toEqual(['a', 'b', 'c']);
    expect(await names(`${task} }`)).toBeUndefined();
    const threshold = `${task}, class_from: threshold, class_names: [a, b] }`;
    expect(await names(threshold, { y: ['FP32', ['batch', 1]] })).toBeUndefined();
    const own = 'signature: { outputs: [{ name: y, class_names: [d, e, f] }] }\n';
    expect(await names(`${own}${task}, class_names: [a, b, c] }`)).toEqual(['d', 'e', 'f']);
  });

  it('are as many as there are values, of an output of numbers', async () => {
    const own = (names: string) => `signature: { outputs: [{ name: y, class_names: [${names}] }] }`;
    expect(await problem(own('a, b'))).toContain('signature.outputs[0].class_names: expected 3, since the shape is');
    expect(await problem(own('a, b'), { y: ['BYTES', ['batch', 2]] })).toContain('BYTES has no value for each class');
    expect(await problem(own('a, b'), { y: ['FP32', ['batch', 'classes']] })).toBe('none');
    expect(await problem('signature: { inputs: [{ name: x, format: CHW }] }')).toContain('expected NCHW or NHWC');
    expect(await problem('signature: { inputs: [{ name: x, class_names: [a] }] }')).toContain('unknown key');
    expect(await problem('signature: { outputs: [{ name: y, format: NCHW }] }')).toContain('unknown key');
  });
});
