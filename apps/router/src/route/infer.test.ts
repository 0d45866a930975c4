import type { ParameterValue } from '@sluice/inference/parameters';
import { describe, expect, it } from 'vitest';
import { inSequence } from './infer.ts';

describe('inSequence', () => {
  it('takes 0 and nothing as no sequence', () => {
    const of = (value: ParameterValue) => inSequence(new Map([['sequence_id', value]]));
    expect(inSequence(new Map())).toBe(false);
    expect(of({ kind: 'int64', value: 0n })).toBe(false);
    expect(of({ kind: 'string', value: '' })).toBe(false);
    expect(of({ kind: 'int64', value: -1n })).toBe(true);
    expect(of({ kind: 'uint64', value: 7n })).toBe(true);
    expect(of({ kind: 'string', value: 's' })).toBe(true);
  });
});
