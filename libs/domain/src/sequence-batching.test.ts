import { describe, expect, it } from 'vitest';
import { graphSignatureOf, type SequenceBatching } from './sequence-batching.ts';
import type { Signature, TensorSpec } from './signature.ts';

const spec = (name: string, shape: number[]): TensorSpec => ({
  ...{ name, shape, datatype: 'INT32' },
  ...{ dimNames: shape.map(() => ''), features: [] },
});
const sequences: SequenceBatching = {
  maxSequenceIdleMicroseconds: 1,
  maxQueueDelayMicroseconds: 0,
  minimumSlotUtilization: 0,
  controlInputs: [{ name: 'START', kind: 'start', datatype: 'BOOL', dims: [1], falseValue: 0, trueValue: 1 }],
  states: [
    { inputName: 'S', outputName: 'S_OUT', datatype: 'FP32', dims: [2, 3], initialBase64: '' },
    { inputName: 'T', outputName: 'OUTPUT', datatype: 'INT32', dims: [1], initialBase64: '' },
  ],
};

describe('the tensors of a graph with sequences', () => {
  it('are those of the signature where there are none', () => {
    const signature: Signature = { inputs: [spec('INPUT', [1])], outputs: [], batched: false };
    expect(graphSignatureOf(signature, undefined)).toBe(signature);
  });

  it('are those of the signature, then controls and states, with the batch dimension', () => {
    const signature: Signature = {
      inputs: [spec('INPUT', [-1, 1])],
      outputs: [spec('OUTPUT', [-1, 1])],
      batched: true,
    };
    const whole = graphSignatureOf(signature, sequences);
    expect(whole.inputs.map(({ name, datatype, shape }) => [name, datatype, shape])).toEqual([
      ['INPUT', 'INT32', [-1, 1]],
      ['START', 'BOOL', [-1, 1]],
      ['S', 'FP32', [-1, 2, 3]],
      ['T', 'INT32', [-1, 1]],
    ]);
    expect(whole.outputs.map(({ name, shape }) => [name, shape])).toEqual([
      ['OUTPUT', [-1, 1]],
      ['S_OUT', [-1, 2, 3]],
    ]);
    expect(whole.batched).toBe(true);
  });

  it('have the shapes of one row without a batch dimension', () => {
    const signature: Signature = { inputs: [spec('INPUT', [1])], outputs: [spec('OUTPUT', [1])], batched: false };
    const { inputs, outputs } = graphSignatureOf(signature, sequences);
    expect([...inputs, ...outputs].map(({ shape }) => shape)).toEqual([[1], [1], [2, 3], [1], [1], [2, 3]]);
  });
});
