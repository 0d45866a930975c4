import type { ServingConfig } from '@sluice/contracts/gen/sluice/registry/v1/ServingConfig';
import type { ControlInput } from '@sluice/contracts/gen/sluice/registry/v1/ControlInput';
import type { SequenceBatching } from '@sluice/contracts/gen/sluice/registry/v1/SequenceBatching';
import { buildInferRequest } from '@sluice/inference/request-builder';
import type { InferResponse } from '@sluice/inference/infer-response';
import type { ParameterValue } from '@sluice/inference/parameters';
import { decodeTensor, encodeTensor } from '@sluice/inference/tensor-data';
import { graph, model, node, tensor, value } from '@sluice/testkit/onnx-builder';
import { spec } from './runtime.ts';
import type { TestVersion } from './test-registry.ts';

export interface AccumulatorOptions {
  readonly version?: number;
  readonly aliases?: readonly string[];
  readonly batched?: boolean;
  /** Of the tensor that takes the id. */
  readonly id?: 'UINT64' | 'BYTES';
  /** What a sequence starts with. */
  readonly initial?: number;
  readonly serving?: ServingConfig;
  readonly sequences?: SequenceBatching;
}

/** INPUT of this or more is nothing that the model can take. */
export const tooLarge = 100;

/**
 * A model with a state: OUTPUT is the sum of all INPUTs of the sequence, FLAGS tells which controls were set (1 START, 2
 * READY, 4 END), and ID gives the id back.
 */
export function accumulator(options: AccumulatorOptions = {}): TestVersion {
  const { version = 1, aliases = [], batched = true, id = 'UINT64', initial = 0 } = options;
  const dims = batched ? ['batch', 1] : [1];
  const int = (name: string) => value(name, 'INT32', dims);
  const file = model({
    graph: graph({
      nodes: [
        // Looked up in a table of zeros: an index that is not in it fails the run.
        node('Gather', ['zeros', 'INPUT'], ['zero']),
        node('Add', ['INPUT', 'zero'], ['checked']),
        node('Add', ['checked', 'STATE'], ['OUTPUT']),
        node('Identity', ['OUTPUT'], ['STATE_NEXT']),
        node('Mul', ['READY', 'two'], ['ready2']),
        node('Mul', ['END', 'four'], ['end4']),
        node('Add', ['START', 'ready2'], ['started']),
        node('Add', ['started', 'end4'], ['FLAGS']),
        node('Identity', ['CORRID'], ['ID']),
      ],
      inputs: [...['INPUT', 'START', 'READY', 'END', 'STATE'].map(int), value('CORRID', id, dims)],
      outputs: [...['OUTPUT', 'FLAGS', 'STATE_NEXT'].map(int), value('ID', id, dims)],
      initializers: [
        tensor('zeros', 'INT32', [tooLarge], Array<number>(tooLarge).fill(0)),
        tensor('two', 'INT32', [1], [2]),
        tensor('four', 'INT32', [1], [4]),
      ],
    }),
  });
  const shape = batched ? [-1, 1] : [1];
  const flag = (name: string, kind: ControlInput['kind']): ControlInput => {
    const values = { falseValue: 0, trueValue: 1 };
    return { name, ...(kind !== undefined && { kind }), datatype: 'INT32', dims: [1], ...values };
  };
  const initialState = initial === 0 ? { zeroData: true } : { rawData: Buffer.from(encodeTensor('INT32', [initial])) };
  return {
    model: 'accumulator',
    version,
    aliases,
    signature: {
      inputs: [spec('INPUT', 'INT32', shape)],
      outputs: [spec('OUTPUT', 'INT32', shape), spec('FLAGS', 'INT32', shape), spec('ID', id, shape)],
      batched,
    },
    files: { 'm.onnx': file },
    serving: {
      ...{ maxBatchSize: batched ? 8 : 0, warmupCount: 1, instanceCount: 1, ...options.serving },
      sequenceBatching: {
        maxSequenceIdleMicroseconds: 60_000_000,
        direct: {},
        controlInputs: [
          flag('START', 'CONTROL_KIND_START'),
          flag('READY', 'CONTROL_KIND_READY'),
          flag('END', 'CONTROL_KIND_END'),
          { name: 'CORRID', kind: 'CONTROL_KIND_CORRID', datatype: id, dims: [1] },
        ],
        states: [{ inputName: 'STATE', outputName: 'STATE_NEXT', datatype: 'INT32', dims: [1], ...initialState }],
        ...options.sequences,
      },
    },
  };
}

export interface StepOptions {
  readonly start?: boolean;
  readonly end?: boolean;
  readonly version?: string;
  /** Of the request, not of its sequence. */
  readonly name?: string;
  readonly batched?: boolean;
  readonly rows?: number;
  readonly model?: string;
  /** Asked for; all by default. */
  readonly outputs?: readonly string[];
}

/** A request of a sequence; without an id of none. */
export function step(id: bigint | string | undefined, input: number, options: StepOptions = {}): Buffer {
  const { start = false, end = false, version = '', name = '', batched = true, rows = 1 } = options;
  const parameters = new Map<string, ParameterValue>();
  if (id !== undefined)
    parameters.set(
      'sequence_id',
      typeof id === 'string' ? { kind: 'string', value: id } : { kind: 'int64', value: id },
    );
  if (start) parameters.set('sequence_start', { kind: 'bool', value: true });
  if (end) parameters.set('sequence_end', { kind: 'bool', value: true });
  const data = encodeTensor('INT32', Array<number>(rows).fill(input));
  return buildInferRequest({
    modelName: options.model ?? 'accumulator',
    modelVersion: version,
    id: name,
    parameters,
    inputs: [{ name: 'INPUT', datatype: 'INT32', shape: batched ? [rows, 1] : [1], data }],
    outputs: options.outputs ?? [],
  });
}

export const start = (id: bigint | string, input: number, options: StepOptions = {}): Buffer =>
  step(id, input, { ...options, start: true });

/** What an answer says: the sum, the controls that were set, and the id. */
export function read({ outputs }: InferResponse): {
  readonly sum: number;
  readonly flags: number;
  readonly id: unknown;
} {
  const of = (name: string): unknown => {
    const output = outputs.find((each) => each.name === name)!;
    return decodeTensor(output.datatype, output.data)[0];
  };
  return { sum: of('OUTPUT') as number, flags: of('FLAGS') as number, id: of('ID') };
}
