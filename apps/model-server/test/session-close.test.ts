import { writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { graph, model, node, value } from '@sluice/testkit/onnx-builder';
import type { BatchPlan } from '../src/runtime/batch-plan.ts';
import { ControlBlock } from '../src/runtime/control-block.ts';
import type { BatchJob } from '../src/runtime/session-thread.ts';
import { SessionThread } from '../src/runtime/session-thread.ts';
import { newMarkStart } from '../src/runtime/thread-mark.ts';
import { WorkerHost } from '../src/runtime/worker-host.ts';
import { loopingModel } from './support/looping-model.ts';
import { temporaryFolder } from './support/runtime.ts';

const folder = temporaryFolder();
const workers: Worker[] = [];
const collect = (worker: Worker): void => void workers.push(worker);
beforeEach(() => void process.on('worker', collect));
afterEach(() => {
  process.off('worker', collect);
  vi.restoreAllMocks();
});

function start(name: string, bytes: Uint8Array, host?: WorkerHost, control?: ControlBlock): Promise<SessionThread> {
  const graphFile = path.join(folder, `${name}.onnx`);
  writeFileSync(graphFile, bytes);
  return SessionThread.start({ graphFile, intraOpThreads: 1, spinning: false }, () => undefined, host, control);
}

const planOf = (id: number, dims: readonly number[] | undefined): BatchPlan => ({
  id,
  batched: true,
  inputs: [{ name: 'x', datatype: 'FP32', dims: [1] }],
  outputs: [{ name: 'y', datatype: 'FP32', dims }],
});

/** An output whose size the run decides. */
const open = model({
  graph: graph({
    nodes: [node('Identity', ['x'], ['y'])],
    inputs: [value('x', 'FP32', ['batch', 1])],
    outputs: [value('y', 'FP32', ['batch', 'width'])],
  }),
});

const job = (plan: BatchPlan, more: Pick<BatchJob, 'done' | 'freed'>): BatchJob => ({
  plan,
  rows: 1,
  maxRows: 1,
  stringBytes: [0],
  fill: (targets) => targets.forEach((target) => target.fill(0)),
  ...more,
});

const runOnce = (session: SessionThread, plan: BatchPlan): Promise<boolean> =>
  new Promise((resolve) => session.submit(job(plan, { done: ({ ok }) => resolve(ok) })));

it.each([0x7ffffffd, -3])('a session goes on when the number of its batch has to begin anew: %i', async (after) => {
  const session = await start('numbers', loopingModel(1), undefined, new ControlBlock(undefined, after));
  for (let turn = 0; turn < 3; turn += 1)
    expect(await Promise.all([runOnce(session, planOf(1, [1])), runOnce(session, planOf(1, [1]))])).toEqual([
      true,
      true,
    ]);
  expect(session.freeSlots).toBe(2);
  await session.close();
});

describe('closing a session', () => {
  it('does not wait for another session of its thread that is always busy', async () => {
    const host = new WorkerHost();
    const busy = await start('busy', loopingModel(500), host);
    const other = await start('other', loopingModel(1), host);
    const plan = planOf(1, [1]);
    let stop = false;
    let ran = 0;
    const again = (): void => {
      if (!stop) busy.submit(job(plan, { done: () => (ran += 1), freed: again }));
    };
    again();
    again();
    expect(await runOnce(other, planOf(2, [1]))).toBe(true);
    const before = ran;
    await other.close();
    expect(host.sessions).toBe(1);
    expect(ran).toBeGreaterThanOrEqual(before);
    expect(busy.inFlight).toBe(2);
    stop = true;
    await busy.close();
    expect(host.alive).toBe(false);
  });

  it("is native code that its version is named for: a crash in it is no other version's", async () => {
    const mark = newMarkStart();
    const host = new WorkerHost({ started: () => mark, ended: () => undefined });
    const graphFile = path.join(folder, 'named.onnx');
    writeFileSync(graphFile, loopingModel(1));
    const open = (crashNumber: number): Promise<SessionThread> => {
      const settings = { graphFile, intraOpThreads: 1, spinning: false, crashNumber };
      return SessionThread.start(settings, () => undefined, host);
    };
    const [one, two] = [await open(1), await open(2)];
    expect(await runOnce(one, planOf(1, [1]))).toBe(true);
    const [version, , step] = new Int32Array(mark.memory);
    expect(version).toBe(1);
    await two.close();
    // Of the native call that was last, after which the thread sleeps.
    expect([...new Int32Array(mark.memory)].filter((_word, at) => at !== 1)).toEqual([2, step! + 1]);
    await one.close();
    expect(new Int32Array(mark.memory)[0]).toBe(1);
  });

  it('may be asked for again, at the same time and later', async () => {
    const session = await start('twice', loopingModel(1));
    const ran = runOnce(session, planOf(1, [1]));
    await Promise.all([session.close(), session.close()]);
    await session.close();
    expect(await ran).toBe(true);
    expect(session.inFlight).toBe(0);
  });

  it.each(['is closed', 'is lost'])('leaves no wait behind when it %s', async (how) => {
    const waits: Promise<unknown>[] = [];
    const { waitAsync } = Atomics;
    vi.spyOn(Atomics, 'waitAsync').mockImplementation((...args: Parameters<typeof waitAsync>) => {
      const waiting = waitAsync(...args);
      if (waiting.async) waits.push(waiting.value);
      return waiting;
    });
    const session = await start('open', open);
    expect(await runOnce(session, planOf(1, undefined))).toBe(true);
    expect(waits).toHaveLength(1);
    if (how === 'is closed') await session.close();
    else await workers.at(-1)!.terminate();
    await Promise.all(waits);
    await session.close();
    expect(waits).toHaveLength(1);
  });
});
