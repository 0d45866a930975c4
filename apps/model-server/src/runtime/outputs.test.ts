import { describe, expect, it } from 'vitest';
import { batchError, rowRange } from './outputs.ts';

describe('batchError', () => {
  it('tells the input from the model', () => {
    expect(batchError('[ONNXRuntimeError] : 2 : INVALID_ARGUMENT : Got invalid dimensions for input: x').kind).toBe(
      'invalid-argument',
    );
    expect(batchError('Non-zero status code returned while running Gather node.').kind).toBe('model-failed');
    expect(batchError('Failed to allocate memory for requested buffer of size 9').kind).toBe('resource-exhausted');
    expect(batchError('CUDA failure 2: out of memory ; GPU=0').kind).toBe('resource-exhausted');
  });

  it('keeps for the log which operator failed, and nothing of the input', () => {
    const said =
      "Non-zero status code returned while running Gather node. Name:'' Status Message: indices element out of data bounds, idx=4711 must be within the inclusive range [-3,2]";
    expect(batchError(said).message).toContain('idx=4711');
    expect(batchError(said).cause).toBe('operator Gather');
    expect(batchError('something else 4711').cause).toBe('ONNX Runtime does not say which operator');
  });

  it('keeps the message in one line of bounded length', () => {
    const { message } = batchError(`line one\n\n  line two ${'x'.repeat(2000)}`);
    expect(message).toContain('line one line two');
    expect(message.length).toBeLessThan(600);
  });
});

describe('rowRange', () => {
  const output = { name: 'y', datatype: 'FP32' as const, dims: [2], bytes: new Uint8Array(80) };
  it('counts bytes where rows are equally long and looks them up where they are not', () => {
    expect(rowRange({ ...output, rowBytes: 8, rowStarts: undefined }, 2, 5)).toEqual({ start: 16, end: 40 });
    expect(rowRange({ ...output, rowBytes: -1, rowStarts: Uint32Array.of(0, 7, 9, 30) }, 1, 3)).toEqual({
      start: 7,
      end: 30,
    });
  });
});
