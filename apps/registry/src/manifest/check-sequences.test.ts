import type { SluiceError } from '@sluice/domain/errors';
import { type BuilderDim, graph, model, node, type OnnxType, value } from '@sluice/testkit/onnx-builder';
import { describe, expect, it } from 'vitest';
import { scanGraph } from '../onnx/scan-graph.ts';
import type { DataFiles } from './check-sequences.ts';
import { describeVersion } from './describe-version.ts';
import { parseManifest } from './parse-manifest.ts';

type Tensors = Record<string, [OnnxType, readonly BuilderDim[]]>;
const b = 'batch';
const inputs: Tensors = {
  INPUT: ['INT32', [b, 1]],
  START: ['INT32', [b, 1]],
  READY: ['FP32', [b, 1]],
  END: ['BOOL', [b]],
  CORRID: ['UINT64', [b, 1]],
  S: ['FP32', [b, 2, 'n']],
  TEXT: ['BYTES', [b, 1]],
};
const outputs: Tensors = {
  OUTPUT: ['INT32', [b, 1]],
  S_NEXT: ['FP32', [b, 2, 3]],
  S64: ['FP64', [b, 2, 3]],
  TEXT_NEXT: ['BYTES', [b, 1]],
};

/** What becomes of a `sluice.yaml` beside such a graph. */
async function described(text: string, files: DataFiles = new Map(), of = { inputs, outputs }) {
  const values = (tensors: Tensors) => Object.entries(tensors).map(([name, [type, shape]]) => value(name, type, shape));
  const parts = { nodes: [node('Identity', ['INPUT'], ['OUTPUT'])] };
  const bytes = model({ graph: graph({ ...parts, inputs: values(of.inputs), outputs: values(of.outputs) }) });
  const read = async (offset: number, length: number) => bytes.subarray(offset, offset + length);
  const info = await scanGraph({ size: bytes.length, read, close: async () => undefined });
  return describeVersion('m.onnx', info, parseManifest(Buffer.from(text)), files);
}

async function problemsOf(text: string, files?: DataFiles, of?: Parameters<typeof described>[2]): Promise<string> {
  try {
    await described(text, files, of);
  } catch (error) {
    expect(error).toMatchObject({ kind: 'invalid-argument' });
    return (error as SluiceError).message;
  }
  return expect.unreachable('it was accepted');
}

const whole = `
sequence_batching:
  max_sequence_idle_microseconds: 5000000
  direct: { max_queue_delay_microseconds: 100, minimum_slot_utilization: 0.5 }
  control_input:
    - { name: START, control: start, int32_false_true: [0, 1] }
    - { name: READY, control: ready, fp32_false_true: [-1, 1.5] }
    - { name: END, control: end, bool_false_true: [false, true] }
    - { name: CORRID, control: corrid, data_type: UINT64 }
  state:
    - { input_name: S, output_name: S_NEXT, dims: [2, 3], data_type: FP32, initial_state: { data_file: init.bin } }
`;
const init: DataFiles = new Map([['init.bin', { size: 24, bytes: new Uint8Array(24).fill(1) }]]);

describe('sequence_batching', () => {
  it('is read with its graph: what the runtime fills and keeps is not what clients send and get', async () => {
    const { signature, serving } = await described(whole, init);
    expect(signature.inputs.map(({ name }) => name)).toEqual(['INPUT', 'TEXT']);
    expect(signature.outputs.map(({ name }) => name)).toEqual(['OUTPUT', 'S64', 'TEXT_NEXT']);
    expect([signature.batched, serving.maxBatchSize]).toEqual([true, 64]);
    expect(serving.sequenceBatching).toEqual({
      maxSequenceIdleMicroseconds: 5_000_000,
      maxQueueDelayMicroseconds: 100,
      minimumSlotUtilization: 0.5,
      controlInputs: [
        { name: 'START', kind: 'start', datatype: 'INT32', dims: [1], falseValue: 0, trueValue: 1 },
        { name: 'READY', kind: 'ready', datatype: 'FP32', dims: [1], falseValue: -1, trueValue: 1.5 },
        { name: 'END', kind: 'end', datatype: 'BOOL', dims: [], falseValue: 0, trueValue: 1 },
        { name: 'CORRID', kind: 'corrid', datatype: 'UINT64', dims: [1], falseValue: 0, trueValue: 0 },
      ],
      states: [
        {
          ...{ inputName: 'S', outputName: 'S_NEXT', datatype: 'FP32', dims: [2, 3] },
          initialBase64: Buffer.alloc(24, 1).toString('base64'),
        },
      ],
    });
  });

  it('has Triton’s defaults, and none where it is not written', async () => {
    const { serving } = await described('sequence_batching: {}');
    expect(serving.sequenceBatching).toEqual({
      ...{ maxSequenceIdleMicroseconds: 1_000_000, maxQueueDelayMicroseconds: 0, minimumSlotUtilization: 0 },
      ...{ controlInputs: [], states: [] },
    });
    expect((await described('')).serving.sequenceBatching).toBeUndefined();
  });

  it('gives clients the output of a state that the signature names', async () => {
    const text = `${whole}signature: { outputs: [{ name: S_NEXT }] }`;
    const { signature } = await described(text, init);
    expect(signature.outputs.map(({ name }) => name)).toContain('S_NEXT');
  });

  it('refuses the strategies that there are not, and says what there is', async () => {
    const oldest = await problemsOf('sequence_batching:\n  oldest: { max_candidate_sequences: 4 }');
    expect(oldest).toContain('sluice.yaml:2:3: sequence_batching.oldest: expected direct: it is the only strategy');
    expect(await problemsOf('sequence_batching: { iterative_sequence: true }')).toContain('there are no iterative');
    expect(await problemsOf('sequence_batching: { odd: 1 }')).toContain('unknown key');
  });

  const control = (text: string) => `sequence_batching:\n  control_input:\n    - { ${text} }`;
  const state = (text: string) => `sequence_batching:\n  state:\n    - { ${text} }`;
  it.each<[text: string, problem: string]>([
    [
      control('name: STARTT, control: start, int32_false_true: [0, 1]'),
      '3:15: sequence_batching.control_input[0].name: the graph has no such input; it has "INPUT", "START"',
    ],
    [control('name: START, control: begin, int32_false_true: [0, 1]'), 'control: expected start, ready, end, corrid'],
    [
      control('name: START, control: start'),
      'expected one of int32_false_true, fp32_false_true and bool_false_true for the control start, got none',
    ],
    [
      control('name: START, control: start, int32_false_true: [0, 1], fp32_false_true: [0, 1]'),
      'got int32_false_true and fp32_false_true',
    ],
    [
      control('name: START, control: start, fp32_false_true: [0, 1]'),
      'fp32_false_true: expected the input to be FP32, "START" is INT32',
    ],
    [control('name: START, control: start, int32_false_true: [0, 1.5]'), 'expected a whole number'],
    [control('name: START, control: start, int32_false_true: [0]'), 'expected two whole numbers'],
    [control('name: START, control: start, int32_false_true: [0, 1], data_type: INT32'), 'data_type: expected nothing'],
    [control('name: S, control: ready, fp32_false_true: [0, 1]'), 'expected one element a row, "S" has'],
    [
      control('name: CORRID, control: corrid, data_type: INT64'),
      'data_type: expected UINT64, as "CORRID" is, got INT64',
    ],
    [
      control('name: READY, control: corrid'),
      'expected an input of UINT64, INT64, UINT32, INT32, BYTES for the control corrid, "READY" is FP32',
    ],
    [control('name: CORRID, control: corrid, int32_false_true: [0, 1]'), 'corrid is the id of the sequence'],
    [
      `${control('name: START, control: start, int32_false_true: [0, 1]')}\n    - { name: START, control: end, int32_false_true: [0, 1] }`,
      '4:15: sequence_batching.control_input[1].name: "START" is given twice',
    ],
    [
      `${control('name: START, control: start, int32_false_true: [0, 1]')}\n    - { name: END, control: start, bool_false_true: [false, true] }`,
      'the control start is given twice',
    ],
    [state('input_name: X, output_name: S_NEXT'), 'input_name: the graph has no such input'],
    [state('input_name: S, output_name: X'), 'output_name: the graph has no such output'],
    [
      state('input_name: S, output_name: S64, dims: [2, 3]'),
      'expected one datatype for both, "S" is FP32 and "S64" FP64',
    ],
    [state('input_name: TEXT, output_name: TEXT_NEXT'), 'expected a datatype of a fixed size, "TEXT" is BYTES'],
    [state('input_name: S, output_name: S_NEXT'), 'a row of "S" has [2, -1]: give its size in dims'],
    [
      state('input_name: S, output_name: S_NEXT, dims: [2, 4]'),
      'dims: expected the shape [2, 4] of a row, "S_NEXT" has',
    ],
    [state('input_name: S, output_name: S_NEXT, dims: [6]'), 'dims: expected the shape [6] of a row, "S" has'],
    [state('input_name: S, output_name: S_NEXT, dims: [2, 3], data_type: FP64'), 'data_type: expected FP32, as "S" is'],
    [
      state('input_name: S, output_name: S_NEXT, dims: [2, 3], initial_state: { data_file: no.bin }'),
      '"no.bin" is not among the files',
    ],
    [
      state(
        'input_name: S, output_name: S_NEXT, dims: [2, 3], initial_state: { data_file: init.bin, zero_data: true }',
      ),
      'got both',
    ],
    [
      state('input_name: S, output_name: S_NEXT, dims: [2, 3], initial_state: { zero_data: false }'),
      'expected zero_data: true or a data_file',
    ],
    [
      state('input_name: INPUT, output_name: OUTPUT, initial_state: { data_file: init.bin }'),
      'expected 4 bytes, one row of the state, "init.bin" has 24',
    ],
    ['sequence_batching: { max_sequence_idle_microseconds: 0 }', 'expected a whole number from 1'],
    ['sequence_batching: { direct: { minimum_slot_utilization: 1.5 } }', 'expected a number from 0 to 1'],
    [
      'batching: { preferred_batch_size: [4] }\nsequence_batching: {}',
      '1:13: batching.preferred_batch_size: expected nothing, since there is sequence_batching',
    ],
    [
      'batching: { max_queue_delay_microseconds: 4 }\nsequence_batching: {}',
      'sequence_batching.direct.max_queue_delay_microseconds says it',
    ],
    ['batching: { preserve_ordering: true }\nsequence_batching: {}', 'keep their order'],
    ['batching: { timeout_action: delay }\nsequence_batching: {}', 'batching.timeout_action: expected nothing'],
    [
      'batching: { priority_levels: 2, default_priority_level: 1 }\nsequence_batching: {}',
      'batching.priority_levels: expected nothing',
    ],
  ])('refuses %s', async (text, problem) => {
    expect(await problemsOf(text, init)).toContain(problem);
  });

  it('bounds what initial states have together', async () => {
    const size = 1024 * 1024 + 4;
    const files: DataFiles = new Map([['big.bin', { size, bytes: undefined }]]);
    const wide = {
      inputs: { INPUT: inputs['INPUT']!, S: ['FP32', [b, size / 4]] },
      outputs: { OUTPUT: outputs['OUTPUT']!, T: ['FP32', [b, size / 4]] },
    } satisfies { inputs: Tensors; outputs: Tensors };
    const text = state('input_name: S, output_name: T, initial_state: { data_file: big.bin }');
    expect(await problemsOf(text, files, wide)).toContain('expected at most 1048576 bytes of initial states together');
  });

  it('needs an input that clients send', async () => {
    const only = {
      inputs: { INPUT: inputs['INPUT']! },
      outputs: { OUTPUT: outputs['OUTPUT']!, N: ['INT32', [b, 1]] },
    } satisfies { inputs: Tensors; outputs: Tensors };
    expect(await problemsOf(state('input_name: INPUT, output_name: N'), init, only)).toContain(
      'expected an input of the graph that clients send',
    );
  });

  it('says of a graph without a batch dimension which tensor has none, be it a control', async () => {
    const fixed = { inputs: { ...inputs, START: ['INT32', [1]] }, outputs } satisfies {
      inputs: Tensors;
      outputs: Tensors;
    };
    const { serving, derived, signature } = await described(
      control('name: START, control: start, int32_false_true: [0, 1]'),
      init,
      fixed,
    );
    expect([serving.maxBatchSize, signature.batched]).toEqual([0, false]);
    expect(derived.join('\n')).toContain('max_batch_size 0: the first dimension of input "START" is 1');
  });
});
