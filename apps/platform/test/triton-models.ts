import type { Datatype } from '@sluice/domain/datatype';
import { attribute, graph, model, node, onnxTypes, tensor, value } from '@sluice/testkit/onnx-builder';
import type { Encoded } from '@sluice/testkit/onnx-builder';

/** A model of Triton's examples, as a load takes it: a graph, and a configuration as JSON. */
export interface TritonModel {
  readonly name: string;
  readonly graph: Uint8Array;
  readonly config?: object;
  readonly files?: Readonly<Record<string, string>>;
}

const row: readonly [string, number] = ['batch', 16];

/** Sum and difference of two rows of 16. */
function addSub(datatype: Datatype, nodes: readonly Encoded[]): Uint8Array {
  return model({
    graph: graph({
      nodes,
      inputs: ['INPUT0', 'INPUT1'].map((name) => value(name, datatype, row)),
      outputs: ['OUTPUT0', 'OUTPUT1'].map((name) => value(name, datatype, row)),
    }),
  });
}

const plainAddSub = [node('Add', ['INPUT0', 'INPUT1'], ['OUTPUT0']), node('Sub', ['INPUT0', 'INPUT1'], ['OUTPUT1'])];

const cast = (from: string, to: string, datatype: Datatype) =>
  node('Cast', [from], [to], [attribute.int('to', onnxTypes[datatype])]);

/** The same by way of another datatype: of numbers written as text, and of INT8, which `Add` may lack. */
const castAddSub = (own: Datatype, by: Datatype) => [
  cast('INPUT0', 'a', by),
  cast('INPUT1', 'b', by),
  node('Add', ['a', 'b'], ['sum']),
  node('Sub', ['a', 'b'], ['difference']),
  cast('sum', 'OUTPUT0', own),
  cast('difference', 'OUTPUT1', own),
];

function identity(): Uint8Array {
  return model({
    graph: graph({
      nodes: [node('Identity', ['INPUT0'], ['OUTPUT0'])],
      inputs: [value('INPUT0', 'BYTES', ['batch', 'length'])],
      outputs: [value('OUTPUT0', 'BYTES', ['batch', 'length'])],
    }),
  });
}

/** Names of the classes of an image: which colour it has most of. */
export const colours = ['red', 'green', 'blue'];

/** A classifier of images: the mean of each channel. */
function image(input: string, output: string, batch: boolean): Uint8Array {
  const dims = batch ? ['batch', 3, 224, 224] : [3, 224, 224];
  const axes = batch ? [2, 3] : [1, 2];
  return model({
    graph: graph({
      nodes: [node('ReduceMean', [input], [output], [attribute.ints('axes', axes), attribute.int('keepdims', 0)])],
      inputs: [value(input, 'FP32', dims)],
      outputs: [value(output, 'FP32', batch ? ['batch', 3] : [3])],
    }),
  });
}

const imageConfig = (input: string, output: string, more: object = {}) => ({
  platform: 'onnxruntime_onnx',
  input: [{ name: input, data_type: 'TYPE_FP32', format: 'FORMAT_NCHW', dims: [3, 224, 224] }],
  output: [{ name: output, data_type: 'TYPE_FP32', dims: [3], label_filename: 'labels.txt' }],
  ...more,
});

const one: readonly [string, number] = ['batch', 1];
const int32 = (name: string) => value(name, 'INT32', one);
const control = (name: string, kind: string): string =>
  `    - { name: ${name}, control: ${kind}, int32_false_true: [0, 1] }\n`;
const sequenceManifest = (...lines: readonly string[]): string =>
  `batching: { max_batch_size: 8 }\nsequence_batching:\n  max_sequence_idle_microseconds: 5000000\n${lines.join('')}`;

/** The input, and 1 more in the first request of a sequence. */
function simpleSequence(): TritonModel {
  const nodes = [node('Add', ['INPUT', 'START'], ['sum']), node('Mul', ['sum', 'READY'], ['OUTPUT'])];
  const inputs = ['INPUT', 'START', 'READY'].map(int32);
  return {
    name: 'simple_sequence',
    graph: model({ graph: graph({ nodes, inputs, outputs: [int32('OUTPUT')] }) }),
    files: {
      'sluice.yaml': sequenceManifest('  control_input:\n', control('START', 'start'), control('READY', 'ready')),
    },
  };
}

/** The same, and in the last request the id of the sequence more. */
function simpleDynaSequence(): TritonModel {
  const nodes = [
    node('Add', ['INPUT', 'START'], ['sum']),
    cast('CORRID', 'id', 'INT32'),
    node('Mul', ['END', 'id'], ['last']),
    node('Add', ['sum', 'last'], ['all']),
    node('Mul', ['all', 'READY'], ['OUTPUT']),
  ];
  const inputs = [...['INPUT', 'START', 'READY', 'END'].map(int32), value('CORRID', 'UINT64', one)];
  return {
    name: 'simple_dyna_sequence',
    graph: model({ graph: graph({ nodes, inputs, outputs: [int32('OUTPUT')] }) }),
    files: {
      'sluice.yaml': sequenceManifest(
        '  control_input:\n',
        ...[control('START', 'start'), control('READY', 'ready'), control('END', 'end')],
        '    - { name: CORRID, control: corrid, data_type: UINT64 }\n',
      ),
    },
  };
}

/** The sum of the inputs of the sequence, a state; in the last request also the number that its id, a text, is. */
export function simpleStringDynaSequence(): TritonModel {
  const nodes = [
    // Ids that are no numbers are the runtime's own, before there are requests.
    node('Where', ['END', 'CORRID', 'zero'], ['text']),
    cast('text', 'last', 'INT32'),
    node('Add', ['INPUT', 'STATE'], ['STATE_NEXT']),
    node('Add', ['STATE_NEXT', 'last'], ['OUTPUT']),
  ];
  const inputs = [...['INPUT', 'STATE'].map(int32), value('END', 'BOOL', one), value('CORRID', 'BYTES', one)];
  const outputs = ['OUTPUT', 'STATE_NEXT'].map(int32);
  const initializers = [tensor('zero', 'BYTES', [1], ['0'])];
  return {
    name: 'simple_string_dyna_sequence',
    graph: model({ graph: graph({ nodes, inputs, outputs, initializers }) }),
    files: {
      'sluice.yaml': sequenceManifest(
        '  control_input:\n',
        '    - { name: END, control: end, bool_false_true: [false, true] }\n',
        '    - { name: CORRID, control: corrid, data_type: BYTES }\n',
        '  state:\n    - { input_name: STATE, output_name: STATE_NEXT, data_type: INT32 }\n',
      ),
    },
  };
}

const labels = { 'labels.txt': `${colours.join('\n')}\n` };

/** The eight models that the examples of Triton's Python client work with. */
export const tritonModels: readonly TritonModel[] = [
  { name: 'simple', graph: addSub('INT32', plainAddSub), config: { max_batch_size: 8 } },
  { name: 'simple_int8', graph: addSub('INT8', castAddSub('INT8', 'INT32')), config: { max_batch_size: 8 } },
  { name: 'simple_string', graph: addSub('BYTES', castAddSub('BYTES', 'INT32')), config: { max_batch_size: 8 } },
  { name: 'simple_identity', graph: identity(), config: { max_batch_size: 8 } },
  {
    name: 'densenet_onnx',
    graph: image('data_0', 'fc6_1', false),
    config: imageConfig('data_0', 'fc6_1', { max_batch_size: 0 }),
    files: labels,
  },
  {
    name: 'inception_onnx',
    graph: image('input', 'scores', true),
    config: imageConfig('input', 'scores', { max_batch_size: 16 }),
    files: labels,
  },
  simpleSequence(),
  simpleDynaSequence(),
];

/** The parameters of RepositoryModelLoad that bring a model, its graph as its version 1. */
export function loadParameters({ graph: bytes, config, files = {} }: TritonModel) {
  const texts = Object.entries(files).map(
    ([path, text]) => [`file:${path}`, { bytesParam: Buffer.from(text) }] as const,
  );
  return {
    'file:1/model.onnx': { bytesParam: Buffer.from(bytes) },
    ...Object.fromEntries(texts),
    ...(config && { config: { stringParam: JSON.stringify(config) } }),
  };
}
