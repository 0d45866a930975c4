import { describe, expect, it } from 'vitest';
import type { Datatype } from '@sluice/domain/datatype';
import type { Signature } from '@sluice/domain/signature';
import { parseInferRequest } from '@sluice/inference/infer-request';
import { buildInferRequest } from '@sluice/inference/request-builder';
import { Buckets, checkAgainstGraph } from './buckets.ts';

const tensor = (name: string, shape: readonly number[], datatype: Datatype = 'UINT8') => ({
  name,
  datatype,
  shape,
  dimNames: [],
  features: [],
});

function ask(signature: Signature, shape: readonly number[], outputs: readonly string[] = []) {
  const elements = shape.reduce((product, dim) => product * dim, 1);
  const inputs = [{ name: 'x', datatype: 'UINT8' as const, shape, data: new Uint8Array(elements) }];
  return parseInferRequest(buildInferRequest({ modelName: 'm', inputs, outputs }), signature);
}

const fixed: Signature = {
  inputs: [tensor('x', [-1, 4])],
  outputs: [tensor('y', [-1, 2]), tensor('z', [-1, -1])],
  batched: true,
};
const dynamic: Signature = { ...fixed, inputs: [tensor('x', [-1, -1])] };

describe('shape buckets', () => {
  it('has one bucket where the signature fixes shapes and all outputs are wanted', () => {
    const buckets = new Buckets(fixed, [true, false]);
    const one = buckets.planFor(ask(fixed, [1, 4]));
    const many = buckets.planFor(ask(fixed, [9, 4]));
    expect(many).toEqual(one);
    expect(many.plan).toBe(one.plan);
    expect(one.plan).toMatchObject({
      batched: true,
      inputs: [{ name: 'x', dims: [4] }],
      outputs: [
        { name: 'y', dims: [2] },
        { name: 'z', dims: undefined },
      ],
    });
  });

  it('parts requests by the shape of their rows, not by their number', () => {
    const buckets = new Buckets(dynamic, [true, false]);
    const key = (shape: readonly number[]) => buckets.planFor(ask(dynamic, shape)).key;
    expect(key([1, 3])).toBe(key([7, 3]));
    expect(key([1, 3])).not.toBe(key([3, 1]));
    expect(key([2, 0])).not.toBe(key([2, 1]));
  });

  it('parts requests by the outputs that they want, in whatever order', () => {
    const buckets = new Buckets(fixed, [true, true]);
    const key = (...outputs: string[]) => buckets.planFor(ask(fixed, [1, 4], outputs)).key;
    expect(key('y')).not.toBe(key('z'));
    expect(key('z', 'y')).toBe(key('y', 'z'));
    expect(key('z', 'y')).toBe(key());
    const { plan } = buckets.planFor(ask(fixed, [1, 4], ['z']));
    expect(plan.outputs.map(({ name }) => name)).toEqual(['z']);
  });

  it('keeps whole shapes without a batch dimension', () => {
    const whole: Signature = { inputs: [tensor('x', [-1, 4])], outputs: [tensor('y', [2])], batched: false };
    const buckets = new Buckets(whole, [true]);
    const { plan, key } = buckets.planFor(ask(whole, [3, 4]));
    expect(plan).toMatchObject({ batched: false, inputs: [{ dims: [3, 4] }], outputs: [{ dims: [2] }] });
    expect(buckets.planFor(ask(whole, [4, 4])).key).not.toBe(key);
  });

  it('forgets the least recently used of many shapes and makes it anew under another number', () => {
    const buckets = new Buckets(dynamic, [true, false]);
    const first = buckets.planFor(ask(dynamic, [1, 1])).plan;
    const second = buckets.planFor(ask(dynamic, [1, 2])).plan;
    for (let width = 3; width <= 256; width += 1) buckets.planFor(ask(dynamic, [1, width]));
    expect(buckets.planFor(ask(dynamic, [1, 1])).plan).toBe(first);
    buckets.planFor(ask(dynamic, [1, 300]));
    const again = buckets.planFor(ask(dynamic, [1, 2])).plan;
    expect(again).not.toBe(second);
    expect(again.id).toBeGreaterThan(second.id);
    expect(buckets.planFor(ask(dynamic, [1, 1])).plan).toBe(first);
  });
});

describe('checkAgainstGraph', () => {
  const loaded = [{ name: 'x', datatype: 'FP32', shape: [-1, 4] }];
  it('names the tensor and the difference', () => {
    expect(() => checkAgainstGraph('input', [tensor('x', [-1, 4], 'FP32')], loaded)).not.toThrow();
    expect(() => checkAgainstGraph('input', [tensor('w', [-1, 4], 'FP32')], loaded)).toThrow(
      'input "w" is not in the graph',
    );
    expect(() => checkAgainstGraph('output', [tensor('x', [-1, 4], 'INT8')], loaded)).toThrow(
      'output "x" is FP32, not INT8',
    );
    expect(() => checkAgainstGraph('input', [], loaded)).toThrow('input count is 1 in the graph, 0 in the signature');
  });
});
