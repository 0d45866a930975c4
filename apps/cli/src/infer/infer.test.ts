import { decodeTensor } from '@sluice/inference/tensor-data';
import { describe, expect, it } from 'vitest';
import type { CliError } from '../exit-codes.ts';
import {
  type Answer,
  guessTask,
  isSameClass,
  judge,
  predictionOf,
  type RowAnswer,
  rowsOf,
  showJudgement,
} from './answers.ts';
import { type InputSpec, type ModelSpec, planColumns } from './columns.ts';
import { rowAsJson, rowsAsCsv, rowsAsTable } from './show-rows.ts';
import { type Cell, type FileInput, formatOf, readCsv, readJson } from './table.ts';
import { tensorsOfJson, tensorsOfRows, toValue } from './tensors.ts';

const feature = (name: string, nullable = false) => ({ name, nullable });
const input = (name: string, shape: number[], extra: Partial<InputSpec> = {}): InputSpec => ({
  name,
  datatype: 'FP32',
  shape,
  features: [],
  ...extra,
});
const model = (...inputs: InputSpec[]): ModelSpec => ({ inputs, batched: true });
const rowsOfFile = (file: FileInput) => {
  if (file.kind !== 'rows') throw new Error('not rows');
  return file;
};

describe('reading files', () => {
  it('goes by the name of the file unless told', () => {
    expect([formatOf('a.json', undefined), formatOf('a.JSONL', undefined), formatOf('a.csv', undefined)]).toEqual([
      'json',
      'json',
      'csv',
    ]);
    expect([formatOf(undefined, undefined), formatOf('a.txt', 'json')]).toEqual(['csv', 'json']);
    expect(() => formatOf('a', 'xml')).toThrow(/--input-format: expected csv or json, got "xml"/);
  });

  it('reads CSV with a heading, quotes, a byte order mark and line numbers', async () => {
    const file = rowsOfFile(await readCsv('\ufeffa,"b ""x"""\r\n1,"two, three"\r\n', true));
    expect([file.columns, file.rows, file.nameOf(0)]).toEqual([['a', 'b "x"'], [['1', 'two, three']], 'line 2']);
    expect(rowsOfFile(await readCsv('1,2\n3,4', false)).nameOf(1)).toBe('line 2');
  });

  it.each([
    ['a,b\n1', /the CSV cannot be read: .*line 2/],
    ['a,b\n', /no rows/],
    ['a,a\n1,2', /two columns "a"/],
    ['a\n"x', /cannot be read/],
  ])('refuses the CSV %j', async (text, message) => {
    await expect(readCsv(text, true)).rejects.toThrow(message);
  });

  it('reads JSON rows of objects, lists and values, and one object a line', () => {
    expect(readJson('[{"a":1,"b":2},{"b":4,"a":3}]')).toMatchObject({
      columns: ['a', 'b'],
      rows: [
        [1, 2],
        [3, 4],
      ],
    });
    expect(readJson('[[1,null],[true,"x"]]')).toMatchObject({
      columns: undefined,
      rows: [
        [1, null],
        [true, 'x'],
      ],
    });
    expect(readJson('[1,2]')).toMatchObject({ rows: [[1], [2]] });
    expect(readJson('{"a":1}\n{"a":2}\n')).toMatchObject({ columns: ['a'], rows: [[1], [2]] });
    expect(readJson('{"x":[[1]]}')).toEqual({ kind: 'tensors', tensors: { x: [[1]] } });
  });

  it.each([
    ['[', /cannot be read/],
    ['[]', /empty/],
    ['5', /neither a list of rows/],
    ['[1, {}]', /neither a list of rows/],
    ['[{"a":1},{"b":2}]', /rows\[1\] has no "a"/],
    ['[[[1]]]', /rows\[0\]\[0\] is a list/],
  ])('refuses the JSON %s', (text, message) => {
    expect(() => readJson(text)).toThrow(message);
  });
});

describe('choosing columns', () => {
  const named = model(input('x', [-1, 2], { features: [feature('a'), feature('b')] }));

  it('goes by feature name in any order, leaves the label out, and says what it did not use', () => {
    const plan = planColumns(named, ['id', 'b', 'a', 'y'], 4, 'y');
    expect(plan.inputs[0]!.columns).toEqual([2, 1]);
    expect([plan.label, plan.note]).toEqual([3, 'columns not used: id']);
  });

  it('goes by order where no name is known, or none is in the file', () => {
    expect(planColumns(model(input('x', [-1, 2])), ['p', 'q', 'y'], 3, 'y').inputs[0]!.columns).toEqual([0, 1]);
    const plan = planColumns(named, ['p', 'q'], 2, undefined);
    expect([plan.inputs[0]!.columns, plan.note]).toEqual([
      [0, 1],
      'no column has the name of a feature: taken by order',
    ]);
    expect(planColumns(named, undefined, 3, '0').inputs[0]!.columns).toEqual([1, 2]);
  });

  it('takes an input of one value by its own name, and several inputs one after the other', () => {
    const two = model(input('age', [-1]), input('size', [-1, 1]));
    expect(planColumns(two, ['size', 'age'], 2, undefined).inputs.map((one) => one.columns)).toEqual([[1], [0]]);
    const pair = model(input('x', [-1, 2]), input('y', [-1, 3]));
    expect(planColumns(pair, undefined, 5, undefined).inputs.map((one) => one.columns)).toEqual([
      [0, 1],
      [2, 3, 4],
    ]);
  });

  it('finds the size of the one dynamic dimension', () => {
    const plan = planColumns(model(input('x', [-1, -1, 2]), input('y', [-1, 1])), undefined, 7, undefined);
    expect(plan.inputs.map((one) => [one.rowShape, one.columns.length])).toEqual([
      [[3, 2], 6],
      [[1], 1],
    ]);
  });

  it.each([
    [named, ['a', 'c'], undefined, /lacks 1 of 2 columns: "b"/],
    [
      named,
      ['p', 'q', 'r'],
      undefined,
      /takes 2 values a row \(x \[-1,2\]\), the file has 3 columns\. Is "r" the truth/,
    ],
    [named, ['a', 'b'], 'z', /--label-column: there is no column "z"; the file has "a", "b"/],
    [model(input('x', [-1, -1, -1])), ['a'], undefined, /several dynamic dimensions/],
  ])('refuses what does not fit', (spec, columns, label, message) => {
    expect(() => planColumns(spec, columns, columns.length, label)).toThrow(message);
  });
});

describe('values', () => {
  it.each<[Parameters<typeof toValue>[0], Cell, unknown]>([
    ['FP32', ' 1.5e3 ', 1500],
    ['FP32', '-.5', -0.5],
    ['FP64', 'NaN', NaN],
    ['FP64', '-inf', -Infinity],
    ['INT8', '-128', -128],
    ['INT32', '7.0', 7],
    ['INT64', '9007199254740993', 9007199254740993n],
    ['UINT64', 18446744073709551615n.toString(), 18446744073709551615n],
    ['BOOL', 'TRUE', true],
    ['BOOL', 0, false],
    ['BYTES', 12, '12'],
    ['BYTES', '', ''],
  ])('%s takes %j', (datatype, cell, expected) => {
    expect(toValue(datatype, cell, false, 'here')).toEqual(expected);
  });

  it.each<[Parameters<typeof toValue>[0], Cell, RegExp]>([
    ['FP32', 'abc', /^here: "abc" is not a number \(FP32\)$/],
    ['FP32', '', /^here: the value is missing and the feature is not nullable$/],
    ['FP32', true, /not a number/],
    ['INT32', null, /^here: the value is missing$/],
    ['INT8', '128', /"128" is not a whole number from -128 to 127 \(INT8\)/],
    ['UINT8', '-1', /from 0 to 255/],
    ['INT32', '1.5', /"1.5" is not a whole number/],
    ['BOOL', 'yes', /"yes" is not true, false, 1 or 0/],
  ])('%s refuses %j', (datatype, cell, message) => {
    expect(() => toValue(datatype, cell, false, 'here')).toThrow(message);
  });

  it('takes a missing value for NaN where the feature is nullable', () => {
    expect(toValue('FP32', '', true, 'here')).toBeNaN();
  });

  it('become tensors of rows, naming the cell that is wrong', () => {
    const { inputs } = planColumns(
      model(input('x', [-1, 2], { features: [feature('a'), feature('b', true)] })),
      ['b', 'a'],
      2,
      undefined,
    );
    const build = (rows: Cell[][]) =>
      tensorsOfRows(
        inputs,
        rows,
        true,
        (row) => `line ${row + 2}`,
        (column) => `column ${column + 1}`,
      );
    const [x] = build([
      ['', '1'],
      ['4', '3'],
    ]);
    expect([x!.shape, Array.from(decodeTensor('FP32', x!.raw) as Float32Array)]).toEqual([
      [2, 2],
      [1, NaN, 3, 4],
    ]);
    expect(() =>
      build([
        ['1', '1'],
        ['1', 'oops'],
      ]),
    ).toThrow('line 3, column 2: "oops" is not a number (FP32)');
  });

  it('become tensors of whole JSON tensors', () => {
    const spec = model(input('x', [-1, 2]), input('t', [-1], { datatype: 'BYTES' }));
    const [x, t] = tensorsOfJson(spec, {
      x: [
        [1, 2],
        [3, 4],
        [5, 6],
      ],
      t: ['a', 'b', 'c'],
    });
    expect([x!.shape, t!.shape, decodeTensor('BYTES', t!.raw)]).toEqual([[3, 2], [3], ['a', 'b', 'c']]);
    expect(tensorsOfJson({ inputs: [input('s', [])], batched: false }, { s: 5 })[0]!.shape).toEqual([]);
    expect(() => tensorsOfJson(spec, { x: [[1]] })).toThrow(/the input "t" is missing/);
    expect(() => tensorsOfJson(spec, { z: 1 })).toThrow(/no input "z"; it has x, t/);
    expect(() => tensorsOfJson(spec, { x: [[1, 2], [3]], t: [] })).toThrow(/x: the lists have different lengths/);
    expect(() => tensorsOfJson(spec, { x: [1, [2]], t: [] })).toThrow(/x: the lists have different depths/);
  });
});

const answer: Answer = {
  predictionId: 'p-1',
  version: '3',
  rows: 2,
  outputs: [
    { name: 'label', datatype: 'BYTES', shape: [2], values: ['cat', 'dog'] },
    { name: 'scores', datatype: 'FP32', shape: [2, 3], values: Float32Array.of(0.1, 0.7, 0.2, 0.5, 0.25, 0.25) },
    { name: 'big', datatype: 'INT64', shape: [2, 1], values: BigInt64Array.of(1n, 2n) },
    { name: 'yes', datatype: 'BOOL', shape: [2], values: Uint8Array.of(1, 0) },
  ],
};

describe('answers', () => {
  const rows = rowsOf(answer, true);
  const only = (...outputs: RowAnswer['outputs']): RowAnswer => ({ predictionId: 'p', row: 0, version: '1', outputs });

  it('are taken apart by rows', () => {
    expect(rows[1]).toEqual({
      predictionId: 'p-1',
      row: 1,
      version: '3',
      outputs: [
        { name: 'label', values: ['dog'] },
        { name: 'scores', values: [0.5, 0.25, 0.25] },
        { name: 'big', values: [2n] },
        { name: 'yes', values: [false] },
      ],
    });
    expect(rowsOf({ ...answer, rows: 1 }, false)[0]!.outputs[0]!.values).toEqual(['cat', 'dog']);
  });

  it('are read once, however many rows there are', () => {
    let reads = 0;
    const values = new Proxy(['a', 'b', 'c'], {
      get: (list, key, self) => {
        if (/^\d+$/.test(String(key))) reads += 1;
        return Reflect.get(list, key, self) as unknown;
      },
    });
    rowsOf({ ...answer, rows: 3, outputs: [{ name: 'label', datatype: 'BYTES', shape: [3], values }] }, true);
    expect(reads).toBe(3);
  });

  it('become predictions as the task says', () => {
    const task = { kind: 'classification', prediction: 'scores', class_names: ['a', 'b', 'c'] } as const;
    expect(rows.map((row) => predictionOf(row, { ...task, class_from: 'argmax' }))).toEqual(['b', 'a']);
    expect(predictionOf(rows[0]!, { kind: 'classification', prediction: 'label', class_from: 'label' })).toBe('cat');
    const one = only({ name: 'p', values: [0.5] });
    const threshold = {
      kind: 'classification',
      prediction: 'p',
      class_from: 'threshold',
      class_names: ['no', 'yes'],
    } as const;
    expect([predictionOf(one, threshold), predictionOf(one, { ...threshold, threshold: 0.6 })]).toEqual(['yes', 'no']);
    expect(predictionOf(one, { kind: 'regression', prediction: 'p' })).toBe(0.5);
    expect(predictionOf(one, { kind: 'regression', prediction: 'other' })).toBeUndefined();
  });

  it('become predictions without a task where it is clear enough', () => {
    expect(rows.map((row) => predictionOf(row, undefined))).toEqual(['cat', 'dog']);
    expect(predictionOf(only({ name: 's', values: [0, 3, 1] }), { kind: 'none' })).toBe('1');
    expect(guessTask(only({ name: 's', values: [0.5] }))).toBeUndefined();
  });

  it('are judged against the truth', () => {
    const classes = judge([
      { prediction: '3', label: '3.0' },
      { prediction: 'cat', label: 'dog' },
      { prediction: undefined, label: 'x' },
    ])!;
    expect(classes).toEqual({ rows: 2, right: 1, accuracy: 0.5 });
    expect(showJudgement(classes)).toBe('accuracy 0.5000 (1 of 2 right)');
    const numbers = judge([
      { prediction: 1, label: '2' },
      { prediction: 5, label: '2' },
    ])!;
    expect(showJudgement(numbers)).toBe('mean absolute error 2.000 over 2 rows');
    expect(judge([])).toBeUndefined();
    expect([isSameClass('', '0'), isSameClass(' a', 'a'), isSameClass('01', '1')]).toEqual([false, true, true]);
  });

  it('are shown as a table, CSV and JSON with prediction_id and row', () => {
    const shown = rows.map((row, index) => ({
      ...row,
      prediction: ['cat', 'dog'][index],
      label: ['cat', 'a,"b"'][index],
    }));
    expect(rowsAsTable(shown)).toBe(
      [
        'PREDICTION_ID  ROW  VERSION  PREDICTION  LABEL  OUTPUT.LABEL  SCORES         BIG  YES',
        'p-1            0    3        cat         cat    cat           0.1 0.7 0.2    1    true',
        'p-1            1    3        dog         a,"b"  dog           0.5 0.25 0.25  2    false',
      ].join('\n'),
    );
    expect(rowsAsCsv(shown).split('\n')).toEqual([
      'prediction_id,row,version,prediction,label,output.label,scores[0],scores[1],scores[2],big,yes',
      `p-1,0,3,cat,cat,cat,${Math.fround(0.1)},${Math.fround(0.7)},${Math.fround(0.2)},1,true`,
      'p-1,1,3,dog,"a,""b""",dog,0.5,0.25,0.25,2,false',
    ]);
    expect(rowAsJson(shown[1]!)).toEqual({
      prediction_id: 'p-1',
      row: 1,
      version: '3',
      prediction: 'dog',
      label: 'a,"b"',
      outputs: { label: ['dog'], scores: [0.5, 0.25, 0.25], big: ['2'], yes: [false] },
    });
    expect(rowsAsCsv([{ ...rows[0]!, prediction: undefined, label: undefined }]).split('\n')[0]).not.toContain(
      'prediction,',
    );
  });
});

describe('mistakes', () => {
  it('of usage end with status 2', () => {
    try {
      readJson('[]');
      expect.unreachable();
    } catch (error) {
      expect((error as CliError).code).toBe(2);
    }
  });
});
