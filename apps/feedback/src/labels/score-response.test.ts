import { describe, expect, it } from 'vitest';
import type { Datatype } from '@sluice/domain/datatype';
import { buildInferResponse } from '@sluice/inference/infer-response';
import type { PlainValue } from '@sluice/inference/tensor-data';
import { encodeTensor } from '@sluice/inference/tensor-data';
import { scoreResponse } from './score-response.ts';
import type { Task } from './task.ts';

function answerOf(datatype: Datatype, shape: readonly number[], values: readonly PlainValue[], name = 'out'): Buffer {
  const data = datatype === 'BYTES' ? (values as string[]) : encodeTensor(datatype, values);
  const other = { name: 'other', datatype: 'FP32', shape: [1], data: new Uint8Array(4) } as const;
  const head = { modelName: 'm', modelVersion: '1', id: '' };
  return buildInferResponse({ ...head, outputs: [other, { name, datatype, shape, data }] });
}

const base = {
  kind: 'classification',
  output: 'out',
  batched: true,
  threshold: 0.5,
  classNames: ['a', 'b', 'c'],
} as const;
const argmax: Task = { ...base, classFrom: 'argmax' };
const threshold: Task = { ...base, classFrom: 'threshold', classNames: ['no', 'yes'] };
const label: Task = { ...base, classFrom: 'label' };
const regression: Task = { kind: 'regression', output: 'out', batched: true };

const is = (name: string) => ({ name });

describe('the largest of a row', () => {
  it.each(['FP16', 'BF16', 'FP32', 'FP64'] as const)(
    'is the class, with the probability of the truth: %s',
    (datatype) => {
      const score = scoreResponse(answerOf(datatype, [2, 3], [0.25, 0.5, 0.25, 1, 0, 0]), argmax)!;
      expect(score(0, is('c'))).toEqual({ predictedName: 'b', predictedNumber: null, truthProbability: 0.25 });
      expect(score(1, is('b'))).toMatchObject({ predictedName: 'a', truthProbability: 0 });
      expect(score(2, is('b'))).toBeUndefined();
    },
  );

  it.each(['INT8', 'INT16', 'INT32', 'INT64', 'UINT8', 'UINT16', 'UINT32', 'UINT64'] as const)(
    'is found in %s',
    (datatype) => {
      const big = datatype.endsWith('64');
      const values = [5, 7, 6].map((value) => (big ? BigInt(value) + 2n ** 60n : value));
      expect(scoreResponse(answerOf(datatype, [1, 3], values), argmax)!(0, is('a'))).toEqual({
        ...{ predictedName: 'b', predictedNumber: null, truthProbability: null },
      });
    },
  );

  it('has no probability where the values of the row are none', () => {
    const of = (...values: number[]) =>
      scoreResponse(answerOf('FP64', [1, 3], values), argmax)!(0, is('a'))?.truthProbability;
    expect(of(0.2, 0.3, 0.501)).toBe(0.2);
    expect(of(0.2, 0.3, 0.5011)).toBeNull();
    expect(of(-0.1, 0.6, 0.5)).toBeNull();
    expect(of(1.5, -0.25, -0.25)).toBeNull();
  });

  it('is the first of equal ones, and none where one is no number', () => {
    const of = (...values: number[]) =>
      scoreResponse(answerOf('FP32', [1, 3], values), argmax)!(0, is('a'))?.predictedName;
    expect(of(1, 2, 2)).toBe('b');
    expect(of(1, NaN, 2)).toBeUndefined();
  });

  it('has an index for a name where the version names none, and a name that is none has no probability', () => {
    const nameless: Task = { ...argmax, classNames: [] };
    const score = scoreResponse(answerOf('FP32', [1, 2], [0.25, 0.75]), nameless)!;
    expect(score(0, is('0'))).toMatchObject({ predictedName: '1', truthProbability: 0.25 });
    expect([score(0, is('2')), score(0, is('01')), score(0, is('x'))].map((each) => each?.truthProbability)).toEqual([
      null,
      null,
      null,
    ]);
  });

  it('is of the whole output where the model has no batch dimension', () => {
    const whole: Task = { ...argmax, batched: false };
    const score = scoreResponse(answerOf('FP32', [3], [0, 0, 1]), whole)!;
    expect([score(0, is('a'))?.predictedName, score(1, is('a'))]).toEqual(['c', undefined]);
  });
});

describe('a threshold', () => {
  it('gives the second class from it on', () => {
    const score = scoreResponse(answerOf('FP64', [3, 1], [0.5, 0.25, 3]), threshold)!;
    expect(score(0, is('yes'))).toEqual({ predictedName: 'yes', predictedNumber: null, truthProbability: 0.5 });
    expect(score(1, is('yes'))).toMatchObject({ predictedName: 'no', truthProbability: 0.25 });
    expect(score(1, is('no'))).toMatchObject({ truthProbability: 0.75 });
    expect(score(2, is('no'))).toMatchObject({ predictedName: 'yes', truthProbability: null });
    expect(scoreResponse(answerOf('FP64', [1], [NaN]), threshold)!(0, is('no'))).toBeUndefined();
  });
});

describe('an output that is the class', () => {
  it('is text, or a whole number that is a name or else the index of one', () => {
    const of = (datatype: Datatype, value: PlainValue, classNames: readonly string[] = ['a', 'b', 'c']) =>
      scoreResponse(answerOf(datatype, [1], [value]), { ...label, classNames })!(0, is('a'));
    expect(of('BYTES', 'b')).toEqual({ predictedName: 'b', predictedNumber: null, truthProbability: null });
    expect(of('INT64', 2n)?.predictedName).toBe('c');
    expect(of('UINT8', 9)?.predictedName).toBe('9');
    expect(of('INT32', 1, ['1', '2', '3'])?.predictedName).toBe('1');
    expect(of('INT32', -1, [])?.predictedName).toBe('-1');
  });
});

describe('a class that no version can have', () => {
  it('is none: a text with NUL, or one that is too long, or a value that is no number', () => {
    const of = (datatype: Datatype, value: PlainValue) =>
      scoreResponse(answerOf(datatype, [1, 1], [value]), { ...label, classNames: [] })!(0, is('a'));
    expect(of('BYTES', 'x'.repeat(1_024))?.predictedName).toHaveLength(1_024);
    expect([of('BYTES', 'x'.repeat(1_025)), of('BYTES', 'a\0'), of('FP32', NaN)]).toEqual(Array(3).fill(undefined));
    expect(of('FP32', 1.5)?.predictedName).toBe('1.5');
  });
});

describe('a regression', () => {
  it('is the number of a row', () => {
    const score = scoreResponse(answerOf('FP32', [2, 1], [1.5, Infinity]), regression)!;
    expect(score(0, { number: 2 })).toEqual({ predictedName: null, predictedNumber: 1.5, truthProbability: null });
    expect([score(1, { number: 2 }), score(0, is('a'))]).toEqual([undefined, undefined]);
    expect(scoreResponse(answerOf('INT64', [1], [7n]), regression)!(0, { number: 2 })?.predictedNumber).toBe(7);
  });
});

describe('an answer that does not fit its task', () => {
  it.each<[string, Buffer, Task]>([
    ['another output', answerOf('FP32', [1, 3], [0, 0, 1], 'else'), argmax],
    ['other classes', answerOf('FP32', [1, 2], [0, 1]), regression],
    ['more dimensions', answerOf('FP32', [1, 2, 3], [0, 0, 1, 0, 0, 1]), argmax],
    ['no rows', answerOf('FP32', [0, 3], []), argmax],
    ['no values', answerOf('FP32', [1, 0], []), { ...argmax, classNames: [] }],
    ['two values a row', answerOf('FP32', [1, 2], [0, 1]), threshold],
    ['bytes that are none', Buffer.from([0xff, 0xff]), argmax],
    ['no bytes', Buffer.alloc(0), argmax],
    ['no task', answerOf('FP32', [1, 3], [0, 0, 1]), { kind: 'none' }],
  ])('says nothing: %s', (_, response, task) => expect(scoreResponse(response, task)).toBeUndefined());

  it('says nothing of a row whose values are not those of the classes, nor of a truth of the other type', () => {
    expect(scoreResponse(answerOf('FP32', [1, 2], [0, 1]), argmax)!(0, is('a'))).toBeUndefined();
    for (const task of [argmax, threshold, label]) {
      const width = task === argmax ? 3 : 1;
      const response = answerOf('FP32', [1, width], Array<number>(width).fill(0.5));
      expect(scoreResponse(response, task)!(0, { number: 1 })).toBeUndefined();
    }
  });

  it('is read from typed contents too', () => {
    // outputs { name: "out" datatype: "FP32" shape: [1, 3] contents { fp32_contents: [0, 1, 0] } }
    const floats = Buffer.from(new Float32Array([0, 1, 0]).buffer);
    const contents = Buffer.concat([Buffer.from([0x32, floats.length]), floats]);
    const output = Buffer.concat([
      ...[Buffer.from([0x0a, 3]), Buffer.from('out'), Buffer.from([0x12, 4]), Buffer.from('FP32')],
      ...[Buffer.from([0x1a, 2, 1, 3, 0x2a, contents.length]), contents],
    ]);
    const response = Buffer.concat([Buffer.from([0x2a, output.length]), output]);
    expect(scoreResponse(response, argmax)!(0, is('b'))).toMatchObject({ predictedName: 'b', truthProbability: 1 });
    expect(scoreResponse(response.subarray(0, response.length - 1), argmax)).toBeUndefined();
  });
});
