import { describe, expect, it } from 'vitest';
import { SluiceError } from '@sluice/domain/errors';
import type { BatchPlan } from './batch-plan.ts';
import { BatchSlot } from './batch-slot.ts';
import type { ToWorker } from './messages.ts';
import type { BatchOutputs } from './outputs.ts';

const plan = (id: number, width: number): BatchPlan => ({
  id,
  batched: true,
  inputs: [{ name: 'x', datatype: 'UINT8', dims: [width] }],
  outputs: [
    { name: 'y', datatype: 'UINT8', dims: [2] },
    { name: 'z', datatype: 'FP32', dims: undefined },
  ],
});

function slot() {
  const messages: ToWorker[] = [];
  const place = new BatchSlot(1);
  const prepare = (of: BatchPlan, capacity: number) =>
    place.prepare(of, capacity, [], (message) => messages.push(message));
  return { place, messages, prepare };
}

describe('BatchSlot', () => {
  it('uses one buffer and the same views again while batches fit', () => {
    const { place, messages, prepare } = slot();
    const small = plan(1, 3);
    const [first] = prepare(small, 4);
    expect(first).toHaveLength(12);
    expect(place.isZero).toBe(true);
    expect(prepare(small, 4)[0]).toBe(first);
    expect(place.isZero).toBe(false);
    expect(place.prepareAgain(small, 4, [])[0]).toBe(first);
    expect(prepare(small, 2)[0]).toHaveLength(6);
    expect(messages.map(({ kind }) => kind)).toEqual(['buffer']);
    expect(place.bufferId).toBe(2);
    prepare(plan(2, 1_000_000), 4);
    expect(place.isZero).toBe(true);
    expect(messages.map(({ kind }) => kind)).toEqual(['buffer', 'forget-buffer', 'buffer']);
    expect(place.bufferId).toBe(4);
  });

  it('gives a large buffer back after 64 small batches in a row, not after 63', () => {
    const { place, prepare } = slot();
    prepare(plan(1, 4_000_000), 4);
    const small = plan(2, 3);
    for (let batch = 1; batch <= 63; batch += 1) prepare(small, 4);
    expect(place.bytes).toBeGreaterThan(16_000_000);
    const [target] = prepare(small, 4);
    expect(place.bytes).toBeLessThan(1_000);
    expect(target!.buffer.byteLength).toBe(place.bytes);
    expect(prepare(small, 4)[0]).toBe(target);
  });

  it('refuses a batch that memory cannot hold, and takes the next', () => {
    const { place, messages, prepare } = slot();
    const small = plan(1, 3);
    const [first] = prepare(small, 4);
    expect(() => prepare(plan(2, 2 ** 48), 4)).toThrow(
      expect.objectContaining({ kind: 'resource-exhausted', message: expect.stringContaining('no memory') as string }),
    );
    expect(messages.map(({ kind }) => kind)).toEqual(['buffer']);
    expect(place.bufferId).toBe(2);
    expect(prepare(small, 4)[0]).toBe(first);
    // Another buffer than the one that failed, for a batch of more than the first had room for.
    const [larger] = prepare(plan(3, 1_000), 4);
    expect(larger).toHaveLength(4_000);
    expect(messages.map(({ kind }) => kind)).toEqual(['buffer', 'forget-buffer', 'buffer']);
  });

  it('reads outputs from the buffer and from what the worker sent, and refuses outputs of other rows', () => {
    const { place, prepare } = slot();
    const of = plan(1, 3);
    prepare(of, 2);
    const open = (rows: number) => [
      undefined,
      { dims: [rows, 3], bytes: new Uint8Array(rows * 12), rowStarts: undefined },
    ];
    const { outputs } = place.outputs(of, 2, open(2)) as BatchOutputs;
    expect(outputs).toMatchObject([
      { name: 'y', dims: [2], rowBytes: 2 },
      { name: 'z', dims: [3], rowBytes: 12 },
    ]);
    expect(outputs[0]!.bytes).toHaveLength(4);
    const wrong = place.outputs(of, 2, open(1));
    expect(wrong).toBeInstanceOf(SluiceError);
    expect((wrong as SluiceError).message).toContain('output "z" has shape [1, 3] for a batch of 2 rows');
  });
});
