import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { servingDefaults, type InstanceGroup } from '@sluice/domain/signature';
import { systemClock } from '@sluice/service-kit/clock';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { cpuOnly, type Device } from '../../src/runtime/devices.ts';
import { newMarkStart } from '../../src/runtime/thread-mark.ts';
import type { WorkerHost } from '../../src/runtime/worker-host.ts';
import { warmUp } from '../../src/serving/warm-up.ts';
import type { Assignment } from '../../src/versions/assignment.ts';
import { VersionSessions, type SessionLoad } from '../../src/versions/version-sessions.ts';
import { VersionThreads } from '../../src/versions/version-threads.ts';
import { adder } from '../support/adder.ts';
import { temporaryFolder } from '../support/runtime.ts';

/** Devices that are none: sessions run on the CPU. */
const fake = (name: string, oneThread: boolean): Device => {
  const session = { name, provider: { name: 'cpu' }, cpuToo: true, oneThread };
  return { name, state: 'available', detail: '', session };
};
const devices = [...cpuOnly, fake('card:0', false), fake('queue', true)];

let graphFile: string;
let threads: VersionThreads;
let opened: VersionSessions[];
/** All threads that were made. */
let made: WorkerHost[];
beforeAll(() => {
  graphFile = path.join(temporaryFolder(), 'm.onnx');
  writeFileSync(graphFile, adder(1).files['m.onnx']!);
});
beforeEach(() => {
  opened = [];
  made = [];
  const started = (thread: WorkerHost) => {
    made.push(thread);
    return newMarkStart();
  };
  threads = new VersionThreads({ started, ended: () => undefined });
});
afterEach(async () => {
  for (const sessions of opened) await sessions.close();
});

/** A suspect that asks for these groups, loaded and warm. */
async function suspect(...instanceGroups: readonly InstanceGroup[]) {
  const { signature } = adder(1);
  const serving = { ...servingDefaults, maxBatchSize: 4, warmupCount: 1, instanceGroups };
  const assignment = { model: 'adder', version: 1, files: [], signature, serving } as unknown as Assignment;
  const sessions = new VersionSessions({
    ...{ threads: 2, devices },
    sharedThread: () => threads.ofSmall(),
    deviceThread: (device) => threads.ofDevice(device),
    threadPorts: {
      newThread: () => threads.own(),
      crashNumber: () => 1,
      heldBack: () => undefined,
      suspectUntil: () => 1_000,
      suspectsThread: () => threads.ofSuspects(),
    },
  });
  const options = { seed: 1, signal: new AbortController().signal, clock: systemClock };
  const load: SessionLoad = { assignment, signature, serving, graphFile, warmUp: options, lost: () => undefined };
  const pool = await sessions.open(load);
  opened.push(sessions);
  const warm = await warmUp(pool, signature, serving, options);
  return { sessions, load, warm, pool: await sessions.settle(load, pool, warm) };
}

describe('a version that is suspected of a crash', () => {
  it('has one session, of its first group, in one thread with the others, and stays on its device when it moves out', async () => {
    const { sessions, load, warm, pool } = await suspect({ count: 2, device: 'card' }, { count: 1, device: 'cpu' });
    await suspect({ count: 2, device: 'cpu' });
    expect(sessions.groups).toEqual([{ device: 'card:0', count: 1 }]);
    expect(sessions.sharesThread).toBe(false);
    expect([made.length, threads.ofSuspects().sessions]).toEqual([1, 2]);
    const left = await sessions.moveOut(load, warm, () => true);
    expect(left).toBe(pool);
    await left!.close();
    expect([made.length, threads.ofSuspects().sessions]).toEqual([2, 1]);
    expect(sessions.groups).toEqual([{ device: 'card:0', count: 1 }]);
    expect([sessions.suspectUntil, sessions.threads?.instances]).toEqual([undefined, 1]);
  });

  it('keeps what it has when nobody wants the new sessions', async () => {
    const { sessions, load, warm, pool } = await suspect({ count: 1, device: 'cpu' });
    expect(await sessions.moveOut(load, warm, () => false)).toBeUndefined();
    expect([sessions.pool, sessions.suspectUntil]).toEqual([pool, 1_000]);
  });

  it('stays in the one thread of a device that is for one thread at a time', async () => {
    const { sessions, load, warm, pool } = await suspect({ count: 1, device: 'queue' });
    expect([made.length, threads.ofDevice('queue').sessions]).toEqual([1, 1]);
    expect(await sessions.moveOut(load, warm, () => true)).toBeUndefined();
    expect([sessions.pool, sessions.suspectUntil, made.length]).toEqual([pool, undefined, 1]);
  });
});
