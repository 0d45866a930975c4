import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { SluiceError } from '@sluice/domain/errors';
import { eventually } from '@sluice/testkit/eventually';
import type { BatchPlan } from '../src/runtime/batch-plan.ts';
import type { BatchOutcome } from '../src/runtime/session-thread.ts';
import { SessionThread } from '../src/runtime/session-thread.ts';
import type { MarkStart } from '../src/runtime/thread-mark.ts';
import { WorkerHost } from '../src/runtime/worker-host.ts';
import { CrashFile, readLastLife } from '../src/watchdog/crash-file.ts';
import { loopingModel } from './support/looping-model.ts';
import { temporaryFolder } from './support/runtime.ts';

const folder = temporaryFolder();
const plan: BatchPlan = {
  id: 1,
  batched: true,
  inputs: [{ name: 'x', datatype: 'FP32', dims: [1] }],
  outputs: [{ name: 'y', datatype: 'FP32', dims: [1] }],
};

function run(session: SessionThread): Promise<BatchOutcome> {
  const { promise, resolve } = Promise.withResolvers<BatchOutcome>();
  const fill = (targets: readonly Uint8Array[]): void => targets.forEach((target) => target.fill(0));
  session.submit({ plan, rows: 1, maxRows: 1, stringBytes: [0], fill, done: resolve });
  return promise;
}

const howOf = (outcome: BatchOutcome): string =>
  outcome.ok ? 'ok' : `${outcome.error.kind}: ${outcome.error.message}`;

it('of a thread whose native call does not end, that version has failed, and what waits behind it may go elsewhere', async () => {
  const file = new CrashFile(folder, 'epoch', '', () => undefined);
  const ended: string[] = [];
  const host = new WorkerHost({ started: () => file.takeMark(), ended: (_thread, mark) => file.giveMark(mark) });
  const start = (model: string, trips: number): Promise<SessionThread> => {
    const graphFile = path.join(folder, `${model}.onnx`);
    writeFileSync(graphFile, loopingModel(trips));
    const crashNumber = file.numberOf({ model, version: 1, digest: 'd' });
    const settings = { graphFile, intraOpThreads: 1, spinning: false, crashNumber };
    return SessionThread.start(settings, ({ kind }) => void ended.push(`${model} ${kind}`), host);
  };
  const ran = () => readLastLife(folder, '')!.ran.map(({ model, doing }) => `${doing} ${model}`);
  const slow = await start('slow', 150_000);
  const other = await start('other', 1);
  await eventually(() => expect(ran()).toEqual([]));
  slow.serves();

  const running = [run(slow), run(slow)];
  await eventually(() => expect(ran()).toEqual(['running slow']));
  const waiting = run(other);
  // It waits, and so it is not named.
  expect(ran()).toEqual(['running slow']);
  const doing = host.doing()!;
  expect(file.versionOf(doing.version)?.model).toBe('slow');
  host.giveUp(doing.version, new SluiceError('internal', 'it hangs'));
  expect((await Promise.all(running)).map(howOf)).toEqual(['internal: it hangs', 'internal: it hangs']);
  expect(howOf(await waiting)).toBe('unavailable: the session ended before the request was run');
  expect(ended).toEqual(['slow internal', 'other unavailable']);
  expect([slow.freeSlots, other.freeSlots]).toEqual([0, 0]);
  // A run that comes back after all changes nothing.
  await eventually(() => expect(ran()).toEqual([]), 20_000);
});

it('of a thread that ended, by itself or not, nothing stays in the file', async () => {
  const file = new CrashFile(temporaryFolder(), 'epoch', '', () => undefined);
  const ends: number[] = [];
  const ended = (_thread: WorkerHost, mark: MarkStart): void => {
    ends.push(mark.at);
    file.giveMark(mark);
  };
  const graphFile = path.join(folder, 'once.onnx');
  writeFileSync(graphFile, loopingModel(1));
  const settings = { graphFile, intraOpThreads: 1, spinning: false, crashNumber: 1 };
  const host = new WorkerHost({ started: () => file.takeMark(), ended });
  const session = await SessionThread.start(settings, () => undefined, host);
  expect(howOf(await run(session))).toBe('ok');
  await session.close();
  await eventually(() => expect(ends).toHaveLength(1));
  expect(file.takeMark().at).toBe(ends[0]);
});
