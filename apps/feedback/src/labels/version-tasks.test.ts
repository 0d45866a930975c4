import { describe, expect, it } from 'vitest';
import { FakeClock } from '@sluice/testkit/fake-clock';
import { decodeTask } from '../rpc/decode-version.ts';
import { taskOf } from './registry-tasks.ts';
import { noTask, taskRefusal } from './task.ts';
import type { Task } from './task.ts';
import { VersionTasks } from './version-tasks.ts';

const version = { model: 'digits', version: 3, versionDigest: 'd' };

function world(answer: () => Promise<Task | undefined>) {
  const clock = new FakeClock();
  const state = { answer, asked: 0, away: [] as unknown[] };
  const directory = {
    taskOf: () => {
      state.asked += 1;
      return state.answer();
    },
  };
  return { clock, state, tasks: new VersionTasks({ directory, clock, onAway: (error) => state.away.push(error) }) };
}

describe('tasks of versions', () => {
  it('are asked for once, also by many at once', async () => {
    const { state, tasks } = world(() => Promise.resolve(noTask));
    expect(tasks.peek(version)).toBeUndefined();
    expect(await Promise.all([tasks.get(version), tasks.get(version)])).toEqual([noTask, noTask]);
    expect([await tasks.get(version), tasks.peek(version), state.asked]).toEqual([noTask, noTask, 1]);
    await tasks.get({ ...version, versionDigest: 'e' });
    expect(state.asked).toBe(2);
  });

  it('are asked for again after a while where there was no such version', async () => {
    const { clock, state, tasks } = world(() => Promise.resolve(undefined));
    expect(await tasks.get(version)).toBe('unknown');
    clock.advance(29_999);
    expect([await tasks.get(version), state.asked]).toEqual(['unknown', 1]);
    clock.advance(1);
    state.answer = () => Promise.resolve(noTask);
    expect([await tasks.get(version), state.asked]).toEqual([noTask, 2]);
  });

  it('are away while the registry is, which is asked once a second and told of once', async () => {
    const away = new Error('away');
    const { clock, state, tasks } = world(() => Promise.reject(away));
    expect([await tasks.get(version), await tasks.get(version), state.asked]).toEqual(['away', 'away', 1]);
    clock.advance(1_000);
    expect([await tasks.get(version), state.asked, state.away]).toEqual(['away', 2, [away]]);
    clock.advance(1_000);
    state.answer = () => Promise.resolve(noTask);
    expect([await tasks.get(version), state.away]).toEqual([noTask, [away, undefined]]);
  });

  it('are bounded: the one that was used last stays', async () => {
    const { state, tasks } = world(() => Promise.resolve(noTask));
    for (let number = 1; number <= 1_000; number++) await tasks.get({ ...version, version: number });
    await tasks.get({ ...version, version: 1 });
    await tasks.get({ ...version, version: 1_001 });
    expect(state.asked).toBe(1_001);
    expect([tasks.peek({ ...version, version: 1 }), tasks.peek({ ...version, version: 2 })]).toEqual([
      noTask,
      undefined,
    ]);
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
