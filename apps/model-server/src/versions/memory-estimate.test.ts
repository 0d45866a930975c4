import { describe, expect, it } from 'vitest';
import { servingDefaults, type Signature } from '@sluice/domain/signature';
import type { Assignment } from './assignment.ts';
import { estimatedBytes, settledBytes } from './memory-estimate.ts';

const mib = 1 << 20;
const thread = 9 * mib;
const tensor = (name: string) => ({ name, datatype: 'FP32' as const, shape: [-1, 4], dimNames: [], features: [] });
const signature: Signature = { inputs: [tensor('x')], outputs: [tensor('y')], batched: true };
const assignment = (memoryBytes: number, ...sizes: readonly number[]): Assignment =>
  ({ signature, memoryBytes, files: sizes.map((size) => ({ size })) }) as unknown as Assignment;
const serving = { ...servingDefaults, maxBatchSize: 8 };
/** Two places for 8 rows of 8 floats. */
const places = 2 * 8 * 32;

describe('the estimate of a version', () => {
  it('is by session a thread, places for batches, and what admission measured', () => {
    expect(estimatedBytes(assignment(50 * mib, 20 * mib), serving, 1)).toBe(thread + places + 50 * mib);
    expect(estimatedBytes(assignment(50 * mib, 20 * mib), serving, 3)).toBe(3 * (thread + places + 50 * mib));
  });

  it('is of the files where nothing was measured, and never less than them', () => {
    expect(estimatedBytes(assignment(0, 20 * mib, 5 * mib), serving, 1)).toBe(thread + places + 50 * mib);
    expect(estimatedBytes(assignment(mib, 20 * mib), serving, 1)).toBe(thread + places + 20 * mib);
  });
});

describe('the estimate of a version with sequences', () => {
  it('is of the whole graph, one place per session, and a state for each slot', () => {
    const state = { inputName: 's', outputName: 's1', datatype: 'INT64' as const, dims: [5], initialBase64: '' };
    const control = { name: 'start', kind: 'start' as const, datatype: 'FP32' as const, dims: [1] };
    const sequenceBatching = {
      ...{ maxSequenceIdleMicroseconds: 1, maxQueueDelayMicroseconds: 0, minimumSlotUtilization: 0 },
      ...{ states: [state], controlInputs: [{ ...control, falseValue: 0, trueValue: 1 }] },
    };
    const row = 16 + 16 + 4 + 40 + 40;
    const states = 8 * 40;
    expect(estimatedBytes(assignment(50 * mib, 20 * mib), { ...serving, sequenceBatching }, 3)).toBe(
      3 * (thread + 8 * row + states + 50 * mib),
    );
  });
});

describe('what a loaded version holds', () => {
  it('is what the process grew by, between its weights and the estimate', () => {
    const of = (grew: number, instances = 1) => settledBytes(assignment(0, 20 * mib), 60 * mib, grew, instances);
    expect(of(30 * mib)).toBe(30 * mib);
    expect(of(-5 * mib)).toBe(20 * mib);
    expect(of(500 * mib)).toBe(60 * mib);
    expect(of(0, 2)).toBe(40 * mib);
    expect(of(0, 9)).toBe(60 * mib);
  });
});
