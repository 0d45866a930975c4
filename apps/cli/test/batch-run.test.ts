import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { FileSource } from '@sluice/tabular/file-source';
import { FakeClock } from '@sluice/testkit/fake-clock';
import { expect, it, onTestFinished } from 'vitest';
import type { BatchModel } from '../src/batch/batch-model.ts';
import type { Checkpoint, JournalRecord } from '../src/batch/journal.ts';
import type { BatchOptions } from '../src/batch/options.ts';
import { BatchRun, prepare, type RunTask } from '../src/batch/run.ts';
import type { RunFiles } from '../src/batch/run-files.ts';

const model: BatchModel = {
  name: 'twice',
  version: '2',
  digest: 'd',
  inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 1], features: [] }],
  batched: true,
  outputs: [{ name: 'y', datatype: 'FP32', count: 1 }],
  task: undefined,
  maxRows: 2,
  priority: 0,
};

/** A disk that takes so many bytes of output, and a model that gives as many zeros as there are rows. */
async function runOn(
  room: number,
): Promise<{ readonly taken: number; readonly last: Checkpoint; readonly error: unknown }> {
  const folder = await mkdtemp(path.join(tmpdir(), 'sluice-run-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const input = path.join(folder, 'in.csv');
  await writeFile(input, `x\n${'1\n'.repeat(20)}`);
  const source = await FileSource.open(input);
  onTestFinished(() => source.close());
  const infer = async ({ inputs }: { inputs: readonly { shape: readonly number[] }[] }) => {
    const rows = inputs[0]!.shape[0]!;
    return {
      predictionId: 'p',
      version: '2',
      outputs: [{ name: 'y', datatype: 'FP32', shape: [rows, 1], values: new Float32Array(rows) }],
    };
  };
  const context = {
    clock: new FakeClock(),
    signal: new AbortController().signal,
    json: true,
    services: { inferOnce: { infer } },
  };
  const options = {
    columns: [],
    outputs: [],
    rowsPerRequest: 2,
    inFlight: 1,
    limit: Infinity,
    timeoutMs: 1,
    patienceMs: 1,
    onError: 'stop',
    header: true,
    checkpointRows: 4,
  };
  const task = {
    context,
    source,
    inputFormat: 'csv',
    outputFormat: 'csv',
    model,
    options: options as unknown as BatchOptions,
  };
  let taken = 0;
  const records: JournalRecord[] = [];
  const files = {
    rejectBytes: 0,
    writeOutput: async (bytes: Uint8Array) => {
      if (taken + bytes.length > room) throw Object.assign(new Error('ENOSPC: no space left'), { code: 'ENOSPC' });
      taken += bytes.length;
    },
    append: async (record: JournalRecord) => void records.push(record),
  } as unknown as RunFiles;
  const prepared = await prepare(task as unknown as RunTask);
  const run = new BatchRun(task as unknown as RunTask, prepared, files, undefined);
  const error: unknown = await run
    .run({ update: () => undefined, stop: () => undefined })
    .catch((thrown: unknown) => thrown);
  return { taken, last: records.at(-1) as Checkpoint, error };
}

it('a checkpoint never speaks of bytes that the disk did not take', async () => {
  const whole = await runOn(1_000_000);
  expect(whole.error).toBeUndefined();
  expect(whole.last).toMatchObject({ after: { rows: 20 }, output: { rows: 20, bytes: whole.taken } });
  for (let room = 30; room < whole.taken; room += 7) {
    const { error, taken, last } = await runOn(room);
    expect(error).toMatchObject({ code: 'ENOSPC' });
    // Nothing yet, or as much as there is.
    if ((last as Checkpoint | undefined) === undefined) continue;
    expect(last.output.bytes).toBeLessThanOrEqual(taken);
    expect(last.after.rows).toBe(last.output.rows);
  }
});
