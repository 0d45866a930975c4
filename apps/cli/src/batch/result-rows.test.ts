import { describe, expect, it } from 'vitest';
import { classOf, type RowAnswer, type Task } from '../infer/answers.ts';
import type { BatchModel } from './batch-model.ts';
import { resultTable } from './result-rows.ts';

const answer: RowAnswer = {
  predictionId: 'p-1',
  row: 1,
  version: '7',
  outputs: [
    { name: 'label', values: ['dog'] },
    { name: 'scores', values: [0.25, 0.75] },
    { name: 'value', values: [1.5] },
    { name: 'yes', values: [true] },
    { name: 'row', values: [5n] },
  ],
};

const model = (task: Task | undefined): BatchModel => ({
  name: 'pets',
  version: '7',
  digest: 'd',
  inputs: [],
  batched: true,
  outputs: [
    { name: 'label', datatype: 'BYTES', count: 1 },
    { name: 'scores', datatype: 'FP32', count: 2 },
    { name: 'value', datatype: 'FP64', count: 1 },
    { name: 'yes', datatype: 'BOOL', count: 1 },
    { name: 'row', datatype: 'INT64', count: 1 },
  ],
  task,
  maxRows: 8,
  priority: 0,
});

const argmax: Task = {
  kind: 'classification',
  prediction: 'scores',
  class_from: 'argmax',
  class_names: ['cat', 'dog'],
};

describe('rows of the output', () => {
  it('have what was passed on, where it was, what was predicted and the outputs, each under a name of its own', () => {
    const { columns, rowOf } = resultTable(
      model(argmax),
      [
        { name: 'id', type: 'int64', depth: 0 },
        { name: 'version', type: 'string', depth: 0 },
      ],
      [],
    );
    const values = rowOf([42n, 'x'], 11, answer);
    expect(columns.map((column, at) => [column.name, column.type, column.depth, values[at]])).toEqual([
      ['id', 'int64', 0, 42n],
      ['input.version', 'string', 0, 'x'],
      ['input_row', 'int64', 0, 11],
      ['prediction_id', 'string', 0, 'p-1'],
      ['row', 'int64', 0, 1],
      ['version', 'int64', 0, 7],
      ['prediction', 'string', 0, 'dog'],
      ['class', 'int64', 0, 1],
      ['probability', 'double', 0, 0.75],
      ['label', 'string', 0, 'dog'],
      ['scores', 'float', 1, [0.25, 0.75]],
      ['value', 'double', 0, 1.5],
      ['yes', 'bool', 0, true],
      ['output.row', 'int64', 0, 5n],
    ]);
  });

  it('have a number for a regression, and no prediction where its output is not wanted', () => {
    const regression = resultTable(model({ kind: 'regression', prediction: 'value' }), [], ['value']);
    expect(regression.columns.map(({ name, type }) => `${name} ${type}`)).toEqual([
      'input_row int64',
      'prediction_id string',
      'row int64',
      'version int64',
      'prediction double',
      'value double',
    ]);
    expect(regression.rowOf([], 0, answer)).toEqual([0, 'p-1', 1, 7, 1.5, 1.5]);
    expect(resultTable(model(argmax), [], ['value']).columns.map(({ name }) => name)).not.toContain('prediction');
    expect(resultTable(model(undefined), [], ['yes']).columns).toHaveLength(5);
  });

  it('say nothing of an output that an answer has not', () => {
    const { rowOf } = resultTable(model(argmax), [], []);
    expect(rowOf([], 0, { ...answer, outputs: [] }).slice(4)).toEqual([null, null, null, null, null, null, null, null]);
  });
});

describe('the class of a row', () => {
  const only = (...outputs: RowAnswer['outputs']): RowAnswer => ({ ...answer, outputs });
  const threshold: Task = { kind: 'classification', prediction: 'p', class_from: 'threshold', threshold: 0.6 };
  const label: Task = { kind: 'classification', prediction: 'label', class_from: 'label', class_names: ['cat', 'dog'] };

  it('is the largest value, a side of the threshold, or the name of the label', () => {
    expect(classOf(answer, argmax)).toEqual({ index: 1, probability: 0.75 });
    expect(classOf(only({ name: 'p', values: [0.5] }), threshold)).toEqual({ index: 0, probability: 0.5 });
    expect(classOf(only({ name: 'p', values: [0.625] }), threshold)).toEqual({ index: 1, probability: 0.625 });
    expect(classOf(answer, label)).toEqual({ index: 1, probability: 0.75 });
    expect(classOf(answer, { ...label, class_names: ['1', '2'] })).toEqual({
      index: undefined,
      probability: undefined,
    });
  });

  it('has no probability where scores are none', () => {
    for (const values of [
      [1, 3],
      [0.2, 0.2],
      [-0.5, 1.5],
      [Number.NaN, 1],
    ])
      expect(classOf(only({ name: 'scores', values }), argmax).probability).toBeUndefined();
    expect(classOf(only({ name: 'p', values: [7] }), threshold)).toEqual({ index: 1, probability: undefined });
    expect(classOf(only(), argmax)).toEqual({ index: undefined, probability: undefined });
  });
});
