import { decodeTensor } from '@sluice/inference/tensor-data';
import { describe, expect, it } from 'vitest';
import { planOf } from '../../test/bench/reports.ts';
import { readRequest } from '../../test/bench/read-request.ts';
import type { InputSpec, ModelSpec } from '../infer/columns.ts';
import { rowInputs } from './input-shapes.ts';
import { readIntervals } from './intervals.ts';
import { buildRequests } from './requests.ts';

const input = (name: string, shape: number[], datatype: InputSpec['datatype'] = 'FP32'): InputSpec => ({
  name,
  datatype,
  shape,
  features: [],
});
const model = (...inputs: InputSpec[]): ModelSpec & { maxBatchSize: number } => ({
  inputs,
  batched: true,
  maxBatchSize: 8,
});

function build(target: ReturnType<typeof model>, args: readonly string[], file?: unknown) {
  const plan = planOf('m', ...(file === undefined ? [] : ['--input-data', 'data.json']), ...args);
  const text = typeof file === 'string' ? file : JSON.stringify(file);
  return buildRequests(plan, target, rowInputs(target, plan.shapes), () => text).map(readRequest);
}
const values = (tensor: { datatype: InputSpec['datatype']; data: Uint8Array }) =>
  Array.from(decodeTensor(tensor.datatype, tensor.data) as ArrayLike<unknown>);

describe('synthetic requests', () => {
  const all = model(
    input('x', [-1, 2]),
    input('n', [-1], 'INT64'),
    input('s', [-1, 1], 'BYTES'),
    input('b', [-1, 1], 'BOOL'),
  );

  it('of zeros are zeros of the shape, as many rows as a batch has', () => {
    const [request] = build(all, [
      '--input-data',
      'zero',
      '-b',
      '3',
      '-x',
      'champion',
      '--request-parameter',
      'priority:2:int',
    ]);
    expect(request).toMatchObject({
      modelName: 'm',
      modelVersion: 'champion',
      parameters: { priority: { int64Param: '2' } },
    });
    expect(request!.inputs.map(({ name, shape }) => [name, shape])).toEqual([
      ['x', [3, 2]],
      ['n', [3]],
      ['s', [3, 1]],
      ['b', [3, 1]],
    ]);
    expect(request!.inputs.map(values)).toEqual([Array(6).fill(0), [0n, 0n, 0n], ['', '', ''], [0, 0, 0]]);
  });

  it('at random are the same for the same seed', () => {
    const [one] = build(all, ['--string-length', '5']);
    expect(build(all, ['--string-length', '5'])).toEqual([one]);
    expect(build(all, ['--string-length', '5', '--seed', '2'])).not.toEqual([one]);
    const [x, n, s] = one!.inputs.map(values);
    expect(x!.every((value) => Number(value) >= 0 && Number(value) < 1)).toBe(true);
    expect(Number(n![0])).toBeLessThan(10);
    expect(s![0]).toMatch(/^[a-z]{5}$/);
  });

  it('take open dimensions from --shape', () => {
    const open = model(input('x', [-1, -1, 3]));
    expect(build(open, ['--shape', 'x:4,3'])[0]!.inputs[0]!.shape).toEqual([1, 4, 3]);
    expect(() => build(open, [])).toThrow(/input "x" has dynamic dimensions \[-1, -1, 3\]: give its sizes/);
    expect(() => build(open, ['--shape', 'x:4,4'])).toThrow(/--shape x:4,4 does not fit/);
    expect(() => build(open, ['--shape', 'x:4'])).toThrow(/does not fit/);
    expect(() => build(open, ['--shape', 'x:99999999,3'])).toThrow(/has more than 134217728 elements/);
    expect(() => build(open, ['--shape', 'y:4,3'])).toThrow(/no input "y"; it has x/);
  });

  it('are no larger than the model takes', () => {
    expect(() => build(all, ['-b', '9'])).toThrow(/takes at most 8 rows/);
    expect(() => build({ ...all, batched: false }, ['-b', '2'])).toThrow(/does not take batches/);
    expect(build({ ...model(input('x', [2])), batched: false }, [])[0]!.inputs[0]!.shape).toEqual([2]);
  });
});

describe('requests of a data file', () => {
  const two = model(input('x', [-1, 2]), input('s', [-1, 1], 'BYTES'));

  it('are its entries in turn, each written in any of the ways', () => {
    const b64 = Buffer.from(new Float32Array([5, 6]).buffer).toString('base64');
    const requests = build(two, [], {
      data: [
        { x: [1, 2], s: 'one' },
        [
          { x: { content: [[3], [4]], shape: [2] }, s: ['two'] },
          { x: { b64 }, s: { b64: Buffer.from('three').toString('base64') } },
        ],
      ],
    });
    expect(requests.map((request) => request.inputs.map(values))).toEqual([
      [[1, 2], ['one']],
      [[3, 4], ['two']],
      [[5, 6], ['three']],
    ]);
  });

  it('make batches of entries that follow each other, until they would repeat', () => {
    const rows = [1, 2, 3].map((value) => ({ x: [value, value], s: String(value) }));
    const requests = build(two, ['-b', '2'], { data: rows });
    expect(requests.map((request) => values(request.inputs[1]!))).toEqual([
      ['1', '2'],
      ['3', '1'],
      ['2', '3'],
    ]);
    expect(requests[1]!.inputs[0]!.shape).toEqual([2, 2]);
    expect(build(two, ['-b', '3'], { data: rows })).toHaveLength(1);
  });

  it('may have shapes of their own where the model leaves them open', () => {
    const open = model(input('x', [-1, -1]));
    const entry = (size: number) => ({ x: { content: Array(size).fill(1), shape: [size] } });
    expect(build(open, [], { data: [entry(2), entry(3)] }).map((one) => one.inputs[0]!.shape)).toEqual([
      [1, 2],
      [1, 3],
    ]);
    expect(() => build(open, ['-b', '2'], { data: [entry(2), entry(3)] })).toThrow(
      /\[2\] and \[3\], do not make a batch/,
    );
    expect(() => build(open, [], { data: [{ x: [1] }] })).toThrow(/dynamic dimensions/);
  });

  it.each([
    ['{', /data.json: is not JSON/],
    [[], /expected \{"data"/],
    [{ data: [], validation_data: [] }, /"validation_data" is not known/],
    [{ data: [] }, /"data" is empty/],
    [{ data: [5] }, /data\[0\]: expected an object/],
    [{ data: [{ x: [1, 2] }] }, /data\[0\]: the input "s" is missing/],
    [{ data: [{ x: [1, 2], s: 'a', y: 1 }] }, /no input "y"; it has x, s/],
    [{ data: [{ x: [1], s: 'a' }] }, /data\[0\].x: 1 values, but the shape \[2\] takes 2/],
    [{ data: [{ x: [1, 'b'], s: 'a' }] }, /data\[0\].x\[1\]: "b" is not a number/],
    [{ data: [{ x: [1, {}], s: 'a' }] }, /an object where a value/],
    [{ data: [{ x: { shape: [2] }, s: 'a' }] }, /expected a list, \{"content"/],
    [{ data: [{ x: { content: [1], shape: [1] }, s: 'a' }] }, /x.shape: \[1\] is not \[2\]/],
    [{ data: [{ x: { content: [1], shape: 'a' }, s: 'a' }] }, /x.shape: expected a list of sizes/],
    [{ data: [{ x: { b64: '!' }, s: 'a' }] }, /x.b64: expected base64/],
    [{ data: [{ x: { b64: 'AAAA' }, s: 'a' }] }, /x.b64: 3 bytes, but \[2\] of FP32 takes 8/],
  ])('are refused where wrong: %j', (file, message) => {
    expect(() => build(two, [], file)).toThrow(message);
  });
});

describe('intervals', () => {
  it('are whole microseconds, a line each', () => {
    expect(readIntervals('100\n0\r\n250\n\n', 'f')).toEqual([100, 0, 250]);
    expect(() => readIntervals('1\nx', 'f')).toThrow('f line 2: "x" is not a whole number of microseconds');
    expect(() => readIntervals('', 'f')).toThrow(/expected 1 to/);
    expect(() => readIntervals('0\n0', 'f')).toThrow(/all gaps are 0/);
  });
});
