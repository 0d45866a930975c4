import { describe, expect, it } from 'vitest';
import { unavailable, type SluiceError } from '@sluice/domain/errors';
import { servingDefaults, type Signature } from '@sluice/domain/signature';
import { createLogger } from '@sluice/service-kit/logger';
import { eventually } from '@sluice/testkit/eventually';
import { FakeClock } from '@sluice/testkit/fake-clock';
import { cpuOnly } from '../runtime/devices.ts';
import type { ArtifactCache } from './artifact-cache.ts';
import type { Assignment } from './assignment.ts';
import { VersionSet, type VersionSetPorts } from './version-set.ts';

const tensor = (name: string) => ({ name, datatype: 'FP32' as const, shape: [-1, 4], dimNames: [], features: [] });
const signature: Signature = { inputs: [tensor('x')], outputs: [tensor('y')], batched: true };
const assignmentOf = (digest: string): Assignment => ({
  ...{ model: 'm', version: 1, digest, files: [], graphPath: 'm.onnx', signature, serving: servingDefaults },
  ...{ aliases: [], champion: false, pinnedOnly: false, memoryBytes: 0 },
});

/** Nothing can be downloaded. @param getAssignment what the registry says of a version that is not placed */
function setUp(getAssignment: () => Promise<Assignment> = () => new Promise(() => undefined)) {
  const clock = new FakeClock();
  const cache = {
    provide: () => Promise.reject(unavailable('the registry is away')),
    drop: () => Promise.resolve(),
    prune: () => Promise.resolve(0),
  };
  const versions = new VersionSet({
    ...{ clock, threads: 1, devices: cpuOnly, budgetBytes: Infinity, demandIdleMs: 1_000, evictionDrainMs: 1_000 },
    ...{ logger: createLogger({ service: 'model-server', instance: 'test', level: 'silent' }) },
    ...{ random: { bytes: (length: number) => new Uint8Array(length), uniform: () => 0.5 } },
    cache: cache as unknown as ArtifactCache,
    register: {} as unknown as VersionSetPorts['register'],
    crashNumber: () => 0,
    strikes: { heldBack: () => undefined, isStruck: () => false, suspectUntil: () => undefined },
    defer: (fn) => fn(),
    getAssignment,
    residentBytes: () => 0,
    changed: () => undefined,
  });
  const failed = () => eventually(() => expect(versions.versions()[0]?.state).toBe('failed'));
  const place = (digest: string) => versions.apply({ revision: 1, assignments: [assignmentOf(digest)] });
  return { clock, versions, place, failed };
}

describe('the versions of a runtime', () => {
  it('are tried again once, however often a load failed meanwhile', async () => {
    const { clock, versions, place, failed } = setUp();
    place('a');
    await failed();
    await eventually(() => expect(clock.pendingTimers).toBe(1));
    versions.mayLoad({ model: 'm', version: 1 });
    expect(versions.versions()[0]!.state).not.toBe('failed');
    await failed();
    for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
    expect(clock.pendingTimers).toBe(1);
  });

  it('count each number once, the one that was placed last', async () => {
    const { versions, place, failed } = setUp();
    place('a');
    await failed();
    place('b');
    expect([versions.versions().length, versions.leaving().length]).toEqual([1, 1]);
    expect(versions.counted().map(({ assignment }) => assignment.digest)).toEqual(['b']);
    versions.apply({ revision: 2, assignments: [] });
    expect(versions.counted().map(({ assignment }) => assignment.digest)).toEqual(['b']);
    await versions.idle();
    expect(versions.counted()).toEqual([]);
  });

  it('go when they are quarantined, although nothing placed them, and nobody waits for one any more', async () => {
    const answer = Promise.withResolvers<Assignment>();
    const { versions } = setUp(() => answer.promise);
    const told: (string | undefined)[] = [];
    const request = {
      sequence: undefined,
      start: () => undefined,
      fail: (error: SluiceError) => told.push(error.kind),
    };
    const quarantine = (revision: number) =>
      versions.apply({
        ...{ revision, assignments: [] },
        quarantined: [{ model: 'm', version: 1, reason: 'it ended its runtime 3 times' }],
      });
    // The registry's answer is on its way, and is of before.
    versions.onDemand.wait('m', '1', request);
    quarantine(1);
    expect(told).toEqual(['failed-precondition']);
    answer.resolve(assignmentOf('a'));
    for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
    expect(versions.versions()).toEqual([]);
    // What the watch brings is news: lifted, asked for and quarantined again.
    versions.apply({ revision: 2, assignments: [], quarantined: [] });
    versions.onDemand.wait('m', '1', request);
    await eventually(() => expect(versions.versions()).toHaveLength(1));
    quarantine(3);
    expect(versions.versions()).toEqual([]);
    await versions.idle();
  });

  it('let nobody wait for a load once a native call hangs', () => {
    const { versions } = setUp();
    const told: string[] = [];
    const request = {
      sequence: undefined,
      start: () => undefined,
      fail: ({ message }: Error) => void told.push(message),
    };
    versions.onDemand.wait('m', '2', request);
    versions.hang({ model: 'other', version: 1 }, unavailable('hangs'));
    expect(told).toEqual([expect.stringContaining('about to end')]);
    expect(() => versions.onDemand.wait('m', '2', request)).toThrow('about to end');
  });
});
