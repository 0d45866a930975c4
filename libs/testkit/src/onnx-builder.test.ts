import { describe, expect, it } from 'vitest';
import { bytesField, graph, identityModel, model, node, rawData, tensor, value, varintField } from './onnx-builder.ts';

describe('the ONNX builder', () => {
  it('encodes varints, negative ones in ten bytes, and lengths', () => {
    expect([...varintField(1, 300)]).toEqual([0x08, 0xac, 0x02]);
    expect(varintField(1, -1)).toHaveLength(11);
    expect([...bytesField(2, 'ab')]).toEqual([0x12, 2, 0x61, 0x62]);
  });

  it('writes little-endian raw data', () => {
    expect([...rawData('INT32', [1, -1])]).toEqual([1, 0, 0, 0, 255, 255, 255, 255]);
    expect([...rawData('FP16', [1])]).toEqual([0, 0x3c]);
    expect([...rawData('BOOL', [true, false])]).toEqual([1, 0]);
    expect(() => rawData('BF16', [1])).toThrow(/no raw form/);
  });

  it('puts a graph with its initializers into a model', () => {
    const bytes = model({
      graph: graph({
        nodes: [node('Add', ['x', 'b'], ['y'])],
        inputs: [value('x', 'FP32', ['batch', 2])],
        outputs: [value('y', 'FP32', ['batch', 2])],
        initializers: [tensor('b', 'FP32', [2], [1, 2])],
      }),
      metadata: { feature_names: 'a,b' },
    });
    expect(Buffer.from(bytes).includes(Buffer.from(Float32Array.of(1, 2).buffer))).toBe(true);
    expect(Buffer.from(bytes).includes('feature_names')).toBe(true);
    expect(identityModel('BYTES').length).toBeGreaterThan(50);
  });
});
