import { describe, expect, test } from 'vitest';
import { readBlock } from '@sluice/evidence/read-block';
import { bytesOf, makeRecords, movedId, uuidV7 } from './records.ts';

const sample = { model: 'digits', version: 1, versionDigest: 'd'.repeat(64), response: Buffer.alloc(90, 7) };
const slot = { fromMs: Date.UTC(2026, 10, 28, 12), spanMs: 1_000 };

describe('made records', () => {
  test('are as many as were asked for, in blocks that can be read, with the ids that are named', () => {
    const { blocks, ids } = makeRecords(sample, { count: 2_000, slot, subjects: 0 });
    const read = blocks.flatMap((block) => [...readBlock(block)]);
    expect(blocks.length).toBeGreaterThan(1);
    expect(read.map(({ predictionId }) => predictionId)).toEqual(ids);
    expect(new Set(ids).size).toBe(2_000);
    expect(read[0]).toMatchObject({ subject: '', responseState: 'captured', context: { model: 'digits', version: 1 } });
    expect(Buffer.from(read[0]!.response!)).toEqual(sample.response);
  });

  test('have ids of the times of their slot, in order', () => {
    const { ids } = makeRecords(sample, { count: 500, slot, subjects: 0 });
    const times = ids.map((id) => parseInt(id.replaceAll('-', '').slice(0, 12), 16));
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    expect(times[0]).toBe(slot.fromMs);
    expect(times.at(-1)).toBeLessThan(slot.fromMs + slot.spanMs);
  });

  test('are of so many subjects', () => {
    const { blocks } = makeRecords(sample, { count: 100, slot, subjects: 7 });
    const subjects = blocks.flatMap((block) => [...readBlock(block)].map(({ subject }) => subject));
    expect(new Set(subjects).size).toBe(7);
  });

  test('take more the more they are', () => {
    expect(bytesOf(sample, 64)).toBeGreaterThan(64 * 90);
    expect(bytesOf(sample, 128)).toBeGreaterThan(1.8 * bytesOf(sample, 64));
  });
});

test('an id at another time is the same but for its time', () => {
  const id = uuidV7(slot.fromMs);
  const moved = movedId(id, -86_400_000);
  expect(moved).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(moved.slice(14)).toBe(id.slice(14));
  expect(parseInt(moved.replaceAll('-', '').slice(0, 12), 16)).toBe(slot.fromMs - 86_400_000);
});
