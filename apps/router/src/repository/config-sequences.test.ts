import { SluiceError } from '@sluice/domain/errors';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { readModelConfig } from './model-config.ts';
import { manifestOf, writeManifest } from './version-manifest.ts';

const manifest = (sequences: unknown, base = ''): unknown => {
  const config = readModelConfig(JSON.stringify({ sequence_batching: sequences }), 'digits');
  return JSON.parse(writeManifest(manifestOf(parse(base)), config, new Map()));
};

function refusal(sequences: unknown, base = ''): string {
  try {
    manifest(sequences, base);
  } catch (error) {
    const { kind, message } = SluiceError.from(error);
    return `${kind}: ${message}`;
  }
  return 'none';
}

describe('sequence_batching of a config', () => {
  it('is read in full, in either spelling and with what protobuf leaves out', () => {
    const sequences = {
      maxSequenceIdleMicroseconds: '5000000',
      direct: { maxQueueDelayMicroseconds: '7', minimum_slot_utilization: 0.5 },
      control_input: [
        { name: 'START', control: [{ int32_false_true: [-1, 1] }] },
        { name: 'READY', control: [{ kind: 'CONTROL_SEQUENCE_READY', fp32FalseTrue: [0, 1.5], int32_false_true: [] }] },
        { name: 'END', control: [{ kind: 2, boolFalseTrue: [false, true], data_type: 'TYPE_INVALID' }] },
        { name: 'CORRID', control: [{ kind: 'CONTROL_SEQUENCE_CORRID', dataType: 'TYPE_STRING' }] },
      ],
      state: [
        { inputName: 'A', output_name: 'B', data_type: 'TYPE_FP32', dims: ['1', 2], initial_state: [] },
        { input_name: 'C', output_name: 'D', dims: [], initial_state: [{ name: 'x', dims: [3], zero_data: true }] },
        {
          ...{ input_name: 'E', output_name: 'F', useSameBufferForInputOutput: true },
          initial_state: [{ zero_data: false, data_file: 'e.bin' }],
        },
      ],
      iterative_sequence: false,
    };
    expect(manifest(sequences)).toEqual({
      sequence_batching: {
        max_sequence_idle_microseconds: 5_000_000,
        direct: { max_queue_delay_microseconds: 7, minimum_slot_utilization: 0.5 },
        control_input: [
          { name: 'START', control: 'start', int32_false_true: [-1, 1] },
          { name: 'READY', control: 'ready', fp32_false_true: [0, 1.5] },
          { name: 'END', control: 'end', bool_false_true: [false, true] },
          { name: 'CORRID', control: 'corrid', data_type: 'BYTES' },
        ],
        state: [
          { input_name: 'A', output_name: 'B', data_type: 'FP32', dims: [1, 2] },
          { input_name: 'C', output_name: 'D', initial_state: { zero_data: true } },
          { input_name: 'E', output_name: 'F', initial_state: { data_file: 'e.bin' } },
        ],
      },
    });
  });

  it('makes a model of sequences by being there, and takes the place of all that was said', () => {
    expect(manifest({})).toEqual({ sequence_batching: {} });
    expect(manifest(null)).toEqual({});
    const base = 'sequence_batching: { max_sequence_idle_microseconds: 9, state: [{ input_name: A, output_name: B }] }';
    expect(manifest({ max_sequence_idle_microseconds: 0, direct: {} }, base)).toEqual({
      sequence_batching: { direct: {} },
    });
  });

  it('stays where nothing is said of it, an empty one too', () => {
    for (const said of [{}, { max_sequence_idle_microseconds: 9 }])
      expect(manifest(undefined, JSON.stringify({ sequence_batching: said }))).toEqual({ sequence_batching: said });
  });

  it('keeps the initial states that a ModelConfig cannot show', () => {
    const state = [{ input_name: 'A', output_name: 'B', initial_state: [{ data_file: 'given at push' }] }];
    const base =
      'sequence_batching: { state: [{ input_name: A, output_name: B, initial_state: { data_file: a.bin } }] }';
    expect(manifest({ state }, base)).toEqual({
      sequence_batching: { state: [{ input_name: 'A', output_name: 'B', initial_state: { data_file: 'a.bin' } }] },
    });
    expect(refusal({ state })).toContain(
      'invalid-argument: config.sequence_batching.state[0].initial_state: data_file "given at push" of "A": the version\'s sluice.yaml has no initial state of it',
    );
  });

  const control = (value: unknown) => ({ control_input: [{ name: 'a', control: value }] });
  it.each([
    ['oldest: expected direct, the only strategy that there is, got {}', { oldest: {} }],
    ['iterative_sequence: Sluice has nothing like it', { iterative_sequence: true }],
    ['state[0].use_growable_memory: Sluice has nothing like it', { state: [{ use_growable_memory: true }] }],
    ['state[0].initial_state: expected one at most', { state: [{ initial_state: [{}, {}] }] }],
    ['control_input[0].control: expected one control, got []', control([])],
    ['control_input[0].control: expected one control, got [{},{}]', control([{}, {}])],
    ['control_input[0].control[0].kind: expected one of CONTROL_SEQUENCE_START', control([{ kind: 'START' }])],
    ['control_input[0].control[0].int32_false_true[1]: expected a whole', control([{ int32FalseTrue: [0, 2 ** 31] }])],
    ['control_input[0].control[0].fp32_false_true: expected a list of numbers', control([{ fp32FalseTrue: ['0', 1] }])],
    ['control_input[0].control[0].bool_false_true: expected a list of true', control([{ boolFalseTrue: [0, 1] }])],
    ['direct.minimum_slot_utilization: expected a number, got "1"', { direct: { minimum_slot_utilization: '1' } }],
    ['direct.preserve_ordering: Sluice has nothing like it', { direct: { preserve_ordering: true } }],
  ])('says that %s', (message, sequences) => {
    expect(refusal(sequences)).toContain(`invalid-argument: config.sequence_batching.${message}`);
  });
});
