import { describe, expect, it } from 'vitest';
import { rowReader } from './read-rows.ts';

const defaults = { model: '', source: 'cli' };
const id = '01a22621-4192-71fa-8f60-52e0c552b135';

describe('rows of labels', () => {
  it('are read by the names of their columns; others are left alone', () => {
    const read = rowReader(['note', 'labelled_at', ' row', 'label', 'prediction_id', 'source'], defaults);
    expect(read(['x', '2026-11-22T14:03:05.25Z', '2', 'cat', ` ${id} `, ''])).toEqual({
      ...{ predictionId: id, source: 'cli', row: 2, value: { name: 'cat' } },
      labelledAt: { seconds: 1_795_356_185, nanos: 250_000_000 },
    });
    expect(read(['', '', '', '', '', 'people'])).toEqual({
      predictionId: '',
      source: 'people',
      row: 0,
      value: { name: '' },
    });
    expect(read(['', '1700000000.5', '', 'a', id, ''])).toMatchObject({
      labelledAt: { seconds: 1_700_000_000, nanos: 500_000_000 },
    });
    expect(read([id, '1700000000.9999999', '', 'a', id, ''])).toMatchObject({
      labelledAt: { seconds: 1_700_000_001, nanos: 0 },
    });
  });

  it('name a prediction by its id, else by a request id of the model', () => {
    const read = rowReader(['prediction_id', 'request_id', 'value'], { model: 'digits', source: 's' });
    expect(read([id, 'order-1', '1e3'])).toEqual({ predictionId: id, source: 's', row: 0, value: { number: 1_000 } });
    expect(read(['', ' order-1', '-2'])).toEqual({
      model: 'digits',
      requestId: ' order-1',
      source: 's',
      row: 0,
      value: { number: -2 },
    });
    // What is no number for a service is for it to refuse.
    expect(read([id, '', 'NaN'])).toMatchObject({ value: { number: NaN } });
  });

  it.each([
    [['1', '', ''], 'the line has 3 cells, the heading 5'],
    [[id, '-1', 'a', '', ''], 'row: "-1" is no whole number from 0'],
    [[id, '4294967297', 'a', '', ''], 'row: "4294967297" is no whole number from 0'],
    [[id, '0', 'a', '', '9'.repeat(400)], `labelled_at: "${'9'.repeat(400)}" is no time such as 2026-11-22T14:03:05Z`],
    [[id, '0', 'a', '1', ''], 'value: given beside label; expected one of the two'],
    [[id, '0', '', 'cat', ''], 'value: "cat" is no number; a class belongs in a column "label"'],
    [[id, '0', 'a', '', 'yesterday'], 'labelled_at: "yesterday" is no time such as 2026-11-22T14:03:05Z'],
  ])('say what is wrong with %j', (cells, reason) => {
    expect(rowReader(['prediction_id', 'row', 'label', 'value', 'labelled_at'], defaults)(cells)).toEqual({ reason });
  });

  it.each([
    [['row', 'label'], 'the file has neither a column "prediction_id" nor "request_id"'],
    [['prediction_id', 'truth'], 'the file has neither a column "label" nor "value"'],
    [['request_id', 'label'], 'the file has request ids: --model must say which model they are of'],
    [['prediction_id', 'label', 'label'], 'the file has two columns "label"'],
  ])('need a heading: not %j', (heading, message) => {
    expect(() => rowReader(heading, defaults)).toThrow(message);
  });
});
