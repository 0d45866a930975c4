import { describe, expect, it } from 'vitest';
import { unavailable } from '@sluice/domain/errors';
import { FakeClock } from '@sluice/testkit/fake-clock';
import { decodeTask } from '../rpc/decode-version.ts';
import { RegistryFacts } from '../versions/registry-facts.ts';
import type { RegistryVersion } from '../versions/registry-version.ts';
import { noTask, taskRefusal } from './task.ts';
import type { Task } from './task.ts';
import { taskOf, VersionTasks } from './version-tasks.ts';

const digest = 'd'.repeat(64);
const version = { model: 'digits', version: 3, versionDigest: digest };
const found: RegistryVersion = {
  ...{ model: 'digits', number: 3, digest, revision: 7, task: { kind: 'regression', prediction: 'x' } },
  signature: { inputs: [], outputs: [], batched: true },
};
const regression: Task = { kind: 'regression', output: 'x', batched: true };

function world() {
  const clock = new FakeClock();
  const state = {
    answer: (): Promise<RegistryVersion | undefined> => Promise.resolve({ ...found }),
    ...{ asked: 0, away: [] as unknown[] },
  };
  const findVersion = () => {
    state.asked += 1;
    return state.answer();
  };
  const facts = new RegistryFacts({ findVersion, findModel: () => Promise.resolve(undefined) }, clock);
  return { clock, state, tasks: new VersionTasks({ facts, onAway: (error) => state.away.push(error) }) };
}

describe('tasks of versions', () => {
  it('are asked for once, also by many at once, and are the same object', async () => {
    const { state, tasks } = world();
    expect(tasks.peek(version)).toBeUndefined();
    const [one, other] = await Promise.all([tasks.get(version), tasks.get(version)]);
    expect([one, tasks.peek(version), state.asked]).toEqual([regression, regression, 1]);
    expect(other).toBe(one);
    expect(tasks.peek(version)).toBe(one);
  });

  it('stay known however long ago they were asked for, and are of one digest', async () => {
    const { clock, state, tasks } = world();
    await tasks.get(version);
    clock.advance(3_600_000);
    state.answer = () => Promise.reject(unavailable('away'));
    expect([tasks.peek(version), await tasks.get(version)]).toEqual([regression, regression]);
    // The registry may have been put back: what it has now of this number has to be asked for.
    const other = { ...version, versionDigest: 'e'.repeat(64) };
    expect(tasks.peek(other)).toBeUndefined();
    clock.advance(1_000);
    state.answer = () => Promise.resolve({ ...found, digest: other.versionDigest, task: { kind: 'none' } });
    expect([await tasks.get(other), tasks.peek(other), tasks.peek(version)]).toEqual([noTask, noTask, 'unknown']);
  });

  it('are asked for again after a while where there was no such version', async () => {
    const { clock, state, tasks } = world();
    state.answer = () => Promise.resolve(undefined);
    expect(await tasks.get(version)).toBe('unknown');
    clock.advance(29_999);
    expect([await tasks.get(version), tasks.peek(version), state.asked]).toEqual(['unknown', 'unknown', 1]);
    clock.advance(1);
    expect(tasks.peek(version)).toBeUndefined();
    state.answer = () => Promise.resolve(found);
    expect([await tasks.get(version), state.asked]).toEqual([regression, 2]);
  });

  it('are away while the registry is, which is asked once a second and told of once', async () => {
    const away = unavailable('away');
    const { clock, state, tasks } = world();
    state.answer = () => Promise.reject(away);
    expect([await tasks.get(version), await tasks.get(version), state.asked]).toEqual(['away', 'away', 1]);
    clock.advance(1_000);
    expect([await tasks.get(version), state.asked, state.away]).toEqual(['away', 2, [away]]);
    clock.advance(1_000);
    state.answer = () => Promise.resolve(found);
    expect([await tasks.get(version), state.away]).toEqual([regression, [away, undefined]]);
  });

  it('of a version that cannot be read keep nobody from those of others', async () => {
    const { state, tasks } = world();
    const broken = new Error('no signature');
    state.answer = () => Promise.reject(broken);
    expect(await tasks.get(version)).toBe('away');
    state.answer = () => Promise.resolve({ ...found, number: 4 });
    expect(await tasks.get({ ...version, version: 4 })).toEqual(regression);
  });
});

const taskOfManifest = (json: string, batched: boolean): Task =>
  taskOf({ task: decodeTask(json), signature: { inputs: [], outputs: [], batched } });

describe('the task of a manifest', () => {
  it('is read as the registry writes it', () => {
    expect(taskOfManifest('', true)).toEqual(noTask);
    expect(taskOfManifest('{"task":{"kind":"none"}}', true)).toEqual(noTask);
    expect(taskOfManifest('{"task":{"kind":"clustering","prediction":"x"}}', true)).toEqual(noTask);
    expect(taskOfManifest('{"task":{"kind":"regression","prediction":"x"}}', false)).toEqual({
      ...{ kind: 'regression', output: 'x', batched: false },
    });
    const base = { kind: 'classification', output: 'x', batched: true };
    const of = (task: object) =>
      taskOfManifest(JSON.stringify({ task: { kind: 'classification', prediction: 'x', ...task } }), true);
    expect(of({ class_from: 'argmax', class_names: ['a', 'b'] })).toEqual({
      ...{ ...base, classFrom: 'argmax', threshold: 0.5, classNames: ['a', 'b'] },
    });
    expect(of({ class_from: 'threshold', threshold: 0.25, class_names: ['a', 'b'] })).toMatchObject({
      threshold: 0.25,
    });
    expect(of({ class_from: 'label' })).toMatchObject({ classFrom: 'label', classNames: [] });
    expect(of({ class_from: 'guess' })).toEqual(noTask);
  });

  it('refuses what it cannot have, and lists no more classes than a person reads', () => {
    const names = Array.from({ length: 25 }, (_, index) => `c${index}`);
    const task: Task = {
      kind: 'classification',
      output: 'x',
      batched: true,
      classFrom: 'argmax',
      threshold: 0.5,
      classNames: names,
    };
    const reason = taskRefusal(task, { name: 'no' }, 'value', 'm version 1')?.reason;
    expect(reason).toBe(
      `value: m version 1 has no class "no"; its classes are ${names
        .slice(0, 20)
        .map((name) => `"${name}"`)
        .join(', ')} and 5 more`,
    );
    expect(taskRefusal({ ...task, classNames: [] }, { name: 'any' }, 'value', 'm version 1')).toBeUndefined();
  });
});
