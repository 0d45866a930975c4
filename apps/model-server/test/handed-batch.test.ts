import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { decodeTensor, encodeTensor, type PlainValue } from '@sluice/inference/tensor-data';
import { identityModel } from '@sluice/testkit/onnx-builder';
import type { BatchPlan } from '../src/runtime/batch-plan.ts';
import type { HandedBatch } from '../src/runtime/handed-batch.ts';
import type { BatchOutcome } from '../src/runtime/session-thread.ts';
import { SessionThread } from '../src/runtime/session-thread.ts';
import { WorkerHost } from '../src/runtime/worker-host.ts';
import { loopingModel } from './support/looping-model.ts';
import { temporaryFolder } from './support/runtime.ts';

const folder = temporaryFolder();
/** Some 250 ms of a thread: long enough for what a test does to a batch that stands behind. */
const iterations = 100_000;

function start(name: string, bytes: Uint8Array, host: WorkerHost): Promise<SessionThread> {
  const graphFile = path.join(folder, `${name}.onnx`);
  writeFileSync(graphFile, bytes);
  return SessionThread.start({ graphFile, intraOpThreads: 1, spinning: false }, () => undefined, host);
}

const planOf = (id: number, datatype: 'FP32' | 'BYTES'): BatchPlan => ({
  id,
  batched: true,
  inputs: [{ name: 'x', datatype, dims: [1] }],
  outputs: [{ name: 'y', datatype, dims: datatype === 'BYTES' ? undefined : [1] }],
});

/** A session behind a thread that is busy, and what became of the batch that was handed to it. */
async function behindBusyThread(datatype: 'FP32' | 'BYTES') {
  const host = new WorkerHost();
  const busy = await start('busy', loopingModel(iterations), host);
  const session = await start(datatype, identityModel(datatype, ['batch', 1]), host);
  const ended = Promise.withResolvers<BatchOutcome | 'freed'>();
  let values: PlainValue[] | undefined;
  const write = (values: readonly PlainValue[], from = 0) => {
    const bytes = encodeTensor(datatype, values);
    const at = datatype === 'FP32' ? 4 * from : 0;
    return { bytes: bytes.byteLength, fill: ([target]: readonly Uint8Array[]) => target!.set(bytes, at) };
  };
  const hand = (first: readonly PlainValue[]): HandedBatch => {
    const zeros = { plan: planOf(1, 'FP32'), rows: 1, maxRows: 1, stringBytes: [0] };
    busy.submit({ ...zeros, fill: ([target]) => target!.fill(0), done: () => undefined });
    const { bytes, fill } = write(first);
    return session.submit({
      ...{ plan: planOf(2, datatype), rows: first.length, maxRows: 8, stringBytes: [bytes], fill },
      done: (outcome) => {
        values = outcome.ok ? [...decodeTensor(datatype, outcome.outputs.outputs[0]!.bytes.slice())] : [];
        ended.resolve(outcome);
      },
      freed: () => ended.resolve('freed'),
    });
  };
  const close = async (): Promise<void> => {
    await session.close();
    await busy.close();
  };
  return { hand, write, ended: ended.promise, close, values: () => values, session };
}

it('rows join a batch that waits for its thread, and nothing joins one that has ended', async () => {
  const { hand, write, ended, values, close } = await behindBusyThread('FP32');
  const batch = hand([1]);
  expect(batch.grow(3, write([2, 3], 1).fill)).toBe(true);
  expect(batch.grow(4, write([4], 3).fill)).toBe(true);
  expect(batch.grow(9, write([5, 6, 7, 8, 9], 4).fill)).toBe(false);
  expect(await ended).toMatchObject({ ok: true, outputs: { rows: 4 } });
  expect(values()).toEqual([1, 2, 3, 4]);
  expect([batch.grow(5, write([5], 4).fill), batch.rewrite(1, [0], write([9]).fill), batch.withdraw()]).toEqual([
    ...[false, false, false],
  ]);
  await close();
});

it.each(['FP32', 'BYTES'] as const)('rows leave a batch that waits for its thread: %s', async (datatype) => {
  const all: PlainValue[] = datatype === 'FP32' ? [1, 2, 3] : ['one', 'two', 'three'];
  const { hand, write, ended, values, close } = await behindBusyThread(datatype);
  const batch = hand(all);
  const left = write([all[0]!, all[2]!]);
  expect(batch.rewrite(2, [left.bytes], left.fill)).toBe(true);
  expect(await ended).toMatchObject({ ok: true, outputs: { rows: 2 } });
  expect(values()).toEqual([all[0], all[2]]);
  await close();
});

it.each(['FP32', 'BYTES'] as const)(
  'a batch that is withdrawn never runs, and its place is free again: %s',
  async (datatype) => {
    const { hand, ended, values, close, session } = await behindBusyThread(datatype);
    const batch = hand([datatype === 'FP32' ? 1 : 'one']);
    expect([batch.withdraw(), batch.withdraw()]).toEqual([true, false]);
    expect(await ended).toBe('freed');
    expect([values(), session.freeSlots]).toEqual([undefined, 2]);
    await close();
  },
);

it('a batch that could be written anew only in part never runs, and says why', async () => {
  const { hand, ended, values, close } = await behindBusyThread('FP32');
  const batch = hand([1, 2]);
  const torn = (): void => {
    throw new Error('no such row');
  };
  expect(batch.rewrite(1, [0], torn)).toBe(false);
  expect(await ended).toMatchObject({ ok: false, error: { kind: 'internal' }, sessionLost: false });
  expect([values(), batch.open]).toEqual([[], false]);
  await close();
});

it('a batch is not written anew with longer strings than there is room for', async () => {
  const { hand, write, ended, values, close } = await behindBusyThread('BYTES');
  const batch = hand(['one', 'two']);
  const long = write(['x'.repeat(100_000)]);
  expect(batch.rewrite(1, [long.bytes], long.fill)).toBe(false);
  expect(await ended).toMatchObject({ ok: true });
  expect(values()).toEqual(['one', 'two']);
  await close();
});
