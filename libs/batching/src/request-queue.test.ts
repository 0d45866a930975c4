import { expect, test } from 'vitest';
import { compileOptions } from './options.ts';
import { RequestQueue } from './request-queue.ts';

test('B19 however many shapes have come, only a few empty buckets are kept', () => {
  const queue = new RequestQueue<{ rows: number; bucket: number; deadlineMs: number }>(
    compileOptions({ name: 'digits version 3', maxBatchSize: 4 }),
  );
  queue.append({ rows: 1, bucket: -1, deadlineMs: Infinity }, 0);
  for (let bucket = 0; bucket < 1000; bucket++)
    queue.remove(queue.append({ rows: 1, bucket, deadlineMs: Infinity }, 0));
  expect(queue.bucketsKept).toBeLessThanOrEqual(17);
  expect(queue.bucketsInUse).toBe(1);
});
