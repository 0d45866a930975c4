import { getHeapStatistics } from 'node:v8';
import { expect, it } from 'vitest';
import { BlockWriter } from './block-writer.ts';
import { emptyDraft } from './draft.ts';
import { EncodedContext } from './encoded-context.ts';

/** Bytes that this thread has taken from its heap since it began, whatever the collector gave back. */
const allocated = (): number =>
  (getHeapStatistics() as unknown as { total_allocated_bytes: number }).total_allocated_bytes;

it('a record with all its fields is written without taking memory for each field', () => {
  const context = new EncodedContext({
    ...{ model: 'm', version: 1, versionDigest: 'd', releaseId: 'm@1', seedId: 'm/1', policyVersion: 1, arm: 'a' },
    ...{ servedArm: 'a', role: 'primary', propensity: 0.5, retentionClass: 'standard' },
  });
  const draft = Object.assign(emptyDraft(context), {
    ...{ predictionId: '0197a1b2-c3d4-7ef0-89ab-cdef01234567', requestId: 'order-7', subject: 's', caller: 'c' },
    ...{ traceId: 'ab'.repeat(16), rule: 'r', runtime: 'runtime-1', receivedMs: 1.5e12 + 0.25, rows: 3 },
    ...{ sentMicros: 11.5, endedMicros: 2_000_000_000.5, inputHash: '\x02'.repeat(32), unitHash: '\x01'.repeat(16) },
    timings: { queueMicros: 1, runMicros: 2, totalMicros: 3, batchRows: 4, costMicros: 5.5 },
  });
  const writer = new BlockWriter(128 * 1024);
  const records = 20_000;
  const write = (): void => {
    for (let record = 0; record < records; record++)
      if (!writer.append(draft)) {
        writer.clear();
        writer.append(draft);
      }
  };
  // Until the functions are compiled, numbers may be boxed.
  for (let round = 0; round < 5; round++) write();
  const before = allocated();
  write();
  // A number in a box has 12 to 16 bytes and a text more, and a record has some thirty fields.
  expect((allocated() - before) / records).toBeLessThan(200);
});
