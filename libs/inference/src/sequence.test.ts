import { describe, expect, it } from 'vitest';
import type { Parameters, ParameterValue } from './parameters.ts';
import { sequenceOf } from './sequence.ts';

const parametersOf = (entries: Record<string, ParameterValue>): Parameters => new Map(Object.entries(entries));
const id = (value: ParameterValue) => sequenceOf(parametersOf({ sequence_id: value }))?.id;

describe('the sequence of a request', () => {
  it('is none without an id, with 0, with an empty text and with a value of no kind', () => {
    expect(sequenceOf(new Map())).toBeUndefined();
    expect(sequenceOf(parametersOf({ sequence_start: { kind: 'bool', value: true } }))).toBeUndefined();
    expect(id({ kind: 'int64', value: 0n })).toBeUndefined();
    expect(id({ kind: 'uint64', value: 0n })).toBeUndefined();
    expect(id({ kind: 'string', value: '' })).toBeUndefined();
    expect(id({ kind: 'none' })).toBeUndefined();
  });

  it('has the bits of an integer as its id, signed or not, and a text of the same digits is another', () => {
    expect(id({ kind: 'int64', value: 7n })).toBe(7n);
    expect(id({ kind: 'int64', value: -1n })).toBe(2n ** 64n - 1n);
    expect(id({ kind: 'uint64', value: 2n ** 64n - 1n })).toBe(2n ** 64n - 1n);
    expect(id({ kind: 'string', value: '7' })).toBe('7');
  });

  it('starts and ends where the request says so', () => {
    const seven: ParameterValue = { kind: 'int64', value: 7n };
    const yes: ParameterValue = { kind: 'bool', value: true };
    const no: ParameterValue = { kind: 'bool', value: false };
    expect(sequenceOf(parametersOf({ sequence_id: seven }))).toEqual({ id: 7n, start: false, end: false });
    expect(sequenceOf(parametersOf({ sequence_id: seven, sequence_start: yes, sequence_end: no }))).toEqual({
      id: 7n,
      start: true,
      end: false,
    });
    expect(sequenceOf(parametersOf({ sequence_id: seven, sequence_start: no, sequence_end: yes }))).toEqual({
      id: 7n,
      start: false,
      end: true,
    });
  });
});
