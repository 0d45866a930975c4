import { SluiceError } from '@sluice/domain/errors';
import { servingDefaults } from '@sluice/domain/signature';
import { graph, model, node, type OnnxType, type BuilderDim, value } from '@sluice/testkit/onnx-builder';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { scanGraph } from '../onnx/scan-graph.ts';
import { propertyRuns } from '../../test/property-runs.ts';
import { describeVersion } from './describe-version.ts';
import { emptyManifest, parseManifest } from './parse-manifest.ts';
import { suggestion } from './problems.ts';

const parse = (text: string) => parseManifest(Buffer.from(text));

function problemsOf(work: () => unknown): string[] {
  try {
    work();
  } catch (error) {
    expect(error).toBeInstanceOf(SluiceError);
    expect((error as SluiceError).kind).toBe('invalid-argument');
    return (error as SluiceError).message.split('\n').slice(1);
  }
  return expect.unreachable('it was accepted');
}

type Tensors = Record<string, [OnnxType, readonly BuilderDim[]]>;

async function graphOf(inputs: Tensors, outputs: Tensors, metadata: Record<string, string> = {}) {
  const encode = (tensors: Tensors) => Object.entries(tensors).map(([name, [type, shape]]) => value(name, type, shape));
  const nodes = [node('Identity', ['x'], ['y'])];
  const bytes = model({ graph: graph({ nodes, inputs: encode(inputs), outputs: encode(outputs) }), metadata });
  const read = async (offset: number, length: number) => bytes.subarray(offset, offset + length);
  return scanGraph({ size: bytes.length, read, close: async () => undefined });
}

const digits = () => graphOf({ pixels: ['FP32', ['batch', 4]] }, { probabilities: ['FP32', ['batch', 3]] });

const whole = `
description: Handwritten digits
owner: vision
licence: CC-BY-4.0
tags: [demo, vision]
model_card: |
  # Digits
  A small model.
signature:
  inputs:
    - name: pixels
      description: 2x2 image
      range: [0, 16]
      features: [p0, p1, {name: p2, min: 1, nullable: true}, p3]
  outputs:
    - name: probabilities
task:
  kind: classification
  prediction: probabilities
  class_from: argmax
  class_names: [zero, one, two]
  positive_class: one
batching:
  max_batch_size: 32
  preferred_batch_size: [8, 32]
  max_queue_delay_microseconds: 500
  max_queue_size: 1000
  default_timeout_microseconds: 100000
instances: {count: 2, intra_op_threads: 1}
device: cpu
warm_up: {count: 3}
golden:
  - name: blank
    inputs: {pixels: [[0, 0, 0, 0]]}
    outputs: {probabilities: [[0.5, 0.25, .nan]]}
    rtol: 0.01
hyperparameters: {layers: [64, 10], rate: .inf, optimiser: {name: adam}}
framework: {name: pytorch, version: "1.13"}
dependencies: {numpy: "1.24.0"}
training:
  run: ci-1234
  data_sets: [{role: train, reference: s3://data/train.csv}]
metrics: [{name: accuracy, value: 0.98, data_set: holdout}]
`;

describe('sluice.yaml', () => {
  it('reads every key, and joins it with the graph', async () => {
    const { signature, serving, manifest, manifestJson, derived } = describeVersion(
      'm.onnx',
      await digits(),
      parse(whole),
    );
    expect(signature.inputs[0]!.features).toEqual([
      { name: 'p0', min: 0, max: 16, nullable: false },
      { name: 'p1', min: 0, max: 16, nullable: false },
      { name: 'p2', min: 1, max: 16, nullable: true },
      { name: 'p3', min: 0, max: 16, nullable: false },
    ]);
    expect(serving).toEqual({
      ...servingDefaults,
      maxBatchSize: 32,
      preferredBatchSize: [8, 32],
      maxQueueDelayMicroseconds: 500,
      maxQueueSize: 1000,
      defaultTimeoutMicroseconds: 100000,
      instanceCount: 2,
      intraOpThreads: 1,
      device: 'cpu',
      warmupCount: 3,
      batchingOffReason: '',
    });
    expect(manifest.golden[0]).toMatchObject({ name: 'blank', rtol: 0.01, atol: 1e-5 });
    expect(JSON.parse(manifestJson)).toMatchObject({
      owner: 'vision',
      model_card: '# Digits\nA small model.\n',
      task: {
        kind: 'classification',
        class_from: 'argmax',
        class_names: ['zero', 'one', 'two'],
        positive_class: 'one',
      },
      hyperparameters: { layers: [64, 10], rate: 'Infinity', optimiser: { name: 'adam' } },
      training: { run: 'ci-1234', data_sets: [{ role: 'train', reference: 's3://data/train.csv' }] },
      metrics: [{ name: 'accuracy', value: 0.98, data_set: 'holdout' }],
    });
    expect(manifestJson.indexOf('"dependencies"')).toBeLessThan(manifestJson.indexOf('"description"'));
    expect(derived).toEqual([
      'graph m.onnx: ONNX IR 8, operators of ai.onnx 17, made by sluice-testkit',
      'input pixels: FP32 [batch, 4]',
      'output probabilities: FP32 [batch, 3]',
    ]);
  });

  it('keeps ranges and nullability of tensors whose columns nobody named', async () => {
    const text =
      'signature: {inputs: [{name: pixels, range: [0, 16], nullable: true}], outputs: [{name: probabilities}]}';
    const { signature } = describeVersion('m.onnx', await digits(), parse(text));
    expect(signature.inputs[0]).toMatchObject({ features: [], min: 0, max: 16, nullable: true });
    expect(Object.keys(signature.outputs[0]!)).toEqual(['name', 'datatype', 'shape', 'dimNames', 'features']);
  });

  it('derives what nobody wrote, and says so', async () => {
    const info = await graphOf(
      { pixels: ['FP32', ['batch', 2]] },
      { probabilities: ['FP32', ['batch', 3]] },
      { feature_names: 'left,right' },
    );
    const { signature, serving, manifest, derived } = describeVersion('m.onnx', info, emptyManifest());
    expect(signature.inputs[0]!.features.map((feature) => feature.name)).toEqual(['left', 'right']);
    expect(serving).toMatchObject({ maxBatchSize: 64, instanceCount: 0, device: 'cpu', warmupCount: 1 });
    expect(manifest.task).toEqual({ kind: 'none' });
    expect(derived.slice(1)).toEqual([
      "features of pixels: 2 names from the graph's metadata",
      'input pixels: FP32 [batch, 2]',
      'output probabilities: FP32 [batch, 3]',
      'task none: sluice.yaml names none',
      'max_batch_size 64: the first dimension of every tensor is one dynamic batch',
      'device cpu',
    ]);
    const task = parse('task: {kind: classification, prediction: probabilities}');
    expect(describeVersion('m.onnx', info, task).manifest.task).toMatchObject({
      classFrom: 'argmax',
      classNames: ['0', '1', '2'],
    });
  });

  it('says which metadata names it did not use', async () => {
    const info = await graphOf({ x: ['FP32', ['batch', 4]] }, { y: ['FP32', ['batch']] }, { feature_names: '["a"]' });
    expect(describeVersion('m.onnx', info, emptyManifest()).derived).toContain(
      'metadata feature_names not used: 1 names for 4 columns',
    );
  });

  it('turns batching off where there is no batch dimension, and says why', async () => {
    const info = await graphOf({ x: ['FP32', [1, 4]] }, { y: ['FP32', ['n']] });
    const { serving, derived } = describeVersion('m.onnx', info, emptyManifest());
    expect(serving.maxBatchSize).toBe(0);
    expect(derived).toContain('max_batch_size 0: the first dimension of input "x" is 1, not a dynamic batch');
  });
});

describe('mistakes in sluice.yaml', () => {
  it('are reported together, in order, with line, column, what was expected and what came', () => {
    const text = [
      'ownr: me',
      'tags: demo',
      'batching:',
      '  max_batch_size: many',
      '  max_queue_sise: 3',
      'device: gpu',
    ].join('\n');
    expect(problemsOf(() => parse(text))).toEqual([
      'sluice.yaml:1:1: ownr: unknown key; did you mean "owner"?',
      'sluice.yaml:2:7: tags: expected a list of tags, got "demo"',
      'sluice.yaml:4:19: batching.max_batch_size: expected a whole number from 0 to 65536, got "many"',
      'sluice.yaml:5:3: batching.max_queue_sise: unknown key; did you mean "max_queue_size"?',
      'sluice.yaml:6:9: device: expected cpu, cuda, cuda:<number> or webgpu, got "gpu"',
    ]);
  });

  it.each([
    ['zzzzzz: 1', /1:1: zzzzzz: unknown key; expected one of graph, description/],
    ['[1, 2]', /1:1: expected a map of keys and values, got \[1,2\]/],
    ['owner: 12', /1:8: owner: expected text \(quote it if it looks like a number\), got 12/],
    ['dependencies: {torch: 2.10}', /dependencies\.torch: expected a version \(quote it .*\), got 2\.1/],
    ['a: 1\na: 2', /2:1: Map keys must be unique/],
    ['a: [1', /sluice\.yaml:1:\d+: /],
    ['a: *nowhere', /Unresolved alias/],
    [
      'signature:\n  inputs:\n    - features: [{nme: x}]',
      /3:7: signature\.inputs\[0\]\.name: expected the name of a tensor .*, got nothing/,
    ],
    [
      'signature:\n  inputs:\n    - name: x\n      features: [{nme: x}]',
      /4:19: signature\.inputs\[0\]\.features\[0\]\.nme: unknown key; did you mean "name"/,
    ],
    ['signature: {inputs: [{name: x, range: [3, 1]}]}', /range: expected the lowest number first/],
    ['task: {kind: regression}', /task\.prediction: expected the name of an output/],
    ['task: {kind: none, prediction: y}', /task\.prediction: expected nothing, since the task is none/],
    [
      'task: {kind: regression, prediction: y, threshold: 1}',
      /task\.threshold: expected nothing, since the task is regression/,
    ],
    [
      'task: {kind: classification, prediction: y, threshold: 1}',
      /task\.threshold: expected nothing, since class_from is not/,
    ],
    ['golden: [{name: a, inputs: {x: {}}, outputs: {}}]', /golden\[0\]\.inputs\.x: expected numbers, booleans or text/],
    ['metrics: [{name: a, value: high}]', /metrics\[0\]\.value: expected a number, got "high"/],
  ])('%s', (text, message) => {
    expect(problemsOf(() => parse(text)).join('\n')).toMatch(message);
  });

  it('end well for bytes that are no text, too large, too deep or multiply', () => {
    expect(problemsOf(() => parseManifest(Uint8Array.of(0xff, 0xfe, 0xfd)))[0]).toMatch(/not UTF-8/);
    expect(problemsOf(() => parseManifest(Buffer.alloc(1024 * 1024 + 1, 'a')))[0]).toMatch(/at most 1048576/);
    expect(problemsOf(() => parse('['.repeat(100_000)))[0]).toMatch(/sluice\.yaml:1:/);
    const bomb = ['a: &a [1,1,1,1,1,1,1,1,1]'];
    for (let level = 1; level < 12; level += 1) {
      const [name, last] = ['bcdefghijklm'[level - 1]!, 'abcdefghijkl'[level - 1]!];
      bomb.push(`${name}: &${name} [${Array<string>(9).fill(`*${last}`).join(',')}]`);
    }
    expect(problemsOf(() => parse(bomb.join('\n')))[0]).toMatch(/alias/);
  });

  it('say how many they are, and show 50', () => {
    const keys = Array.from({ length: 130 }, (_, index) => `k${index}: 1`);
    expect(() => parse(keys.join('\n'))).toThrow(
      /has 130 problems:\n.*1:1: k0: unknown[^]*50:1: k49: .*\n… and 80 more$/,
    );
    expect(() => parse(`${'k'.repeat(100_000)}: ${'v'.repeat(100_000)}`)).toThrow(/^.{1,1000}$/s);
  });

  it('are found among keys that were given twice, in every map', () => {
    const text = 'hyperparameters:\n  a: {b: 1, c: 2, b: 3}\n  d: [{1: 1, "1": 2}]\n  a: 1\n';
    expect(problemsOf(() => parse(text))).toEqual([
      'sluice.yaml:2:19: Map keys must be unique',
      'sluice.yaml:3:14: Map keys must be unique',
      'sluice.yaml:4:3: Map keys must be unique',
    ]);
  });

  it('name the place of text that cannot be stored', () => {
    const bytes = Buffer.from('owner: "a\\0b"\nlicence: "\\ud800"\nhyperparameters:\n  "x\\0": 1\n');
    expect(() => parseManifest(bytes)).toThrow(
      /:1:8: owner: the text has a NUL[^]*:2:10: licence: the text has half[^]*:4:3: hyperparameters: the key "x\\u0000"/,
    );
  });

  it('never crash the reader, whatever is mutated', () => {
    fc.assert(
      fc.property(fc.nat(whole.length), fc.nat(30), fc.string({ maxLength: 10 }), (at, remove, insert) => {
        try {
          parse(whole.slice(0, at) + insert + whole.slice(at + remove));
        } catch (error) {
          expect((error as SluiceError).kind).toBe('invalid-argument');
        }
      }),
      propertyRuns,
    );
  });

  it.each([
    [
      'signature: {inputs: [{name: pixls}]}',
      /1:29: .*signature\.inputs\[0\]\.name: the graph has no such input; did you mean "pixels"/,
    ],
    [
      'signature: {inputs: [{name: pixels, features: [a, b]}]}',
      /features: expected 4, since the shape is \[batch, 4\], got 2/,
    ],
    ['signature: {inputs: [{name: pixels, features: [a, b, a, c]}]}', /features\[2\]: "a" is given twice/],
    ['signature: {inputs: [{name: pixels}, {name: pixels}]}', /inputs\[1\]\.name: "pixels" is given twice/],
    [
      'task: {kind: regression, prediction: label}',
      /task\.prediction: the graph has no such output; it has "probabilities"/,
    ],
    [
      'task: {kind: classification, prediction: probabilities, class_names: [a]}',
      /class_names: expected 3 names, .* got 1/,
    ],
    [
      'task: {kind: classification, prediction: probabilities, class_names: [a, b, c], positive_class: d}',
      /positive_class: expected one of "a", "b", "c", got "d"/,
    ],
    [
      'task: {kind: classification, prediction: probabilities, class_from: threshold}',
      /threshold needs a numeric output with one value/,
    ],
    [
      'task: {kind: classification, prediction: probabilities, class_from: label}',
      /label needs an output of text or whole numbers/,
    ],
    [
      'batching: {max_batch_size: 4, preferred_batch_size: [8]}',
      /preferred_batch_size\[0\]: expected at most max_batch_size \(4\), got 8/,
    ],
    ['warm_up: {dimensions: {seq: 4}}', /warm_up\.dimensions\.seq: no input has such a dynamic dimension/],
    ['golden: [{name: a, inputs: {}, outputs: {probabilities: [[1, 2, 3]]}}]', /inputs: the input "pixels" is missing/],
    [
      'golden: [{name: a, inputs: {pixels: [[1, 2]]}, outputs: {probabilities: [[1, 2, 3]]}}]',
      /pixels: expected the shape \[batch, 4\], got \[1, 2\]/,
    ],
    [
      'golden: [{name: a, inputs: {pixels: [[1, 2, 3, x]]}, outputs: {probabilities: [[1, 2, 3]]}}]',
      /expected a number for FP32, got "x"/,
    ],
    [
      'golden: [{name: a, inputs: {pixels: [[1, 2], [3]]}, outputs: {probabilities: [[1, 2, 3]]}}]',
      /the lists have different lengths/,
    ],
    [
      'golden: [{name: a, inputs: {pixels: [[1, 2, 3, 4]]}, outputs: {probabilities: [[1, 2, 3], [1, 2, 3]]}}]',
      /same number of rows everywhere, got inputs.pixels 1, outputs.probabilities 2/,
    ],
    ['golden: [{name: a, inputs: {pixels: [[1, 2, 3, 4]]}, outputs: {}}]', /expected at least one output/],
  ])('against the graph: %s', async (text, message) => {
    const info = await digits();
    expect(problemsOf(() => describeVersion('m.onnx', info, parse(text))).join('\n')).toMatch(message);
  });

  it('hold golden values to the datatype', async () => {
    const info = await graphOf(
      { i: ['INT8', ['n']], u: ['UINT64', ['n']], t: ['BYTES', ['n']], b: ['BOOL', ['n']] },
      { y: ['FP32', ['n']] },
    );
    const text = 'golden: [{name: a, inputs: {i: [128], u: [-1], t: [5], b: [1]}, outputs: {y: [1]}}]';
    expect(
      problemsOf(() => describeVersion('m.onnx', info, parse(text))).map((line) => line.replace(/^\S+ /, '')),
    ).toEqual([
      'golden[0].inputs.i: expected a whole number from -128 to 127 for INT8, got 128',
      'golden[0].inputs.u: expected a whole number from 0 to 9007199254740991 for UINT64, got -1',
      'golden[0].inputs.t: expected text (quote it) for BYTES, got 5',
      'golden[0].inputs.b: expected true or false for BOOL, got 1',
    ]);
  });
});

describe('suggestion', () => {
  it.each([
    ['onwer', 'owner'],
    ['Tags', 'tags'],
    ['warm-up', 'warm_up'],
    ['xyzzy', undefined],
  ])('for %s is %s', (word, expected) => {
    expect(suggestion(word, ['owner', 'tags', 'warm_up', 'metrics'])).toBe(expected);
  });
});
