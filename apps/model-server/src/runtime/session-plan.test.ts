import { servingDefaults } from '@sluice/domain/signature';
import { describe, expect, it } from 'vitest';
import type { Device } from './devices.ts';
import { intraOpThreadsOf, mostSessions, planSessions, type SessionWishes } from './session-plan.ts';

const device = (name: string, detail = ''): Device => ({
  name,
  state: detail === '' ? 'available' : 'missing',
  detail,
  session: { name, provider: { name: name.split(':')[0]! }, cpuToo: name === 'cpu', oneThread: false },
});
const machine = [device('cpu'), device('cuda:0'), device('cuda:1'), device('cuda:2', 'it fell out. put it back')];
const wishes = (...groups: (readonly [count: number, device: string])[]) => ({
  ...servingDefaults,
  instanceGroups: groups.map(([count, on]) => ({ count, device: on })),
});
const plan = (of: SessionWishes, threads = 8, offered: readonly Device[] = machine) =>
  planSessions(of, threads, offered);
const where = ({ groups }: ReturnType<typeof planSessions>) => groups.map((one) => `${one.device.name} ×${one.count}`);

describe('the most sessions of a version', () => {
  it('are as many as are made where its devices are there, and told where they are not', () => {
    for (const of of [
      { ...servingDefaults, instanceCount: 2 },
      wishes([9, 'cpu']),
      wishes([2, 'cuda:0'], [2, 'cpu']),
      wishes([3, 'cuda'], [0, 'cuda:1']),
    ])
      expect(mostSessions(of, 2)).toBe(plan(of, 2).threads.instances);
    expect(mostSessions(wishes([2, 'tpu'], [1, 'cpu']), 8)).toBe(3);
  });
});

describe('the sessions of a version', () => {
  it('are on the CPU with its threads where nothing else is asked for', () => {
    const made = plan({ ...servingDefaults, instanceCount: 2 });
    expect([where(made), made.threads]).toEqual([['cpu ×2'], { instances: 2, intraOpThreads: 4, note: '' }]);
    expect(where(plan(wishes([1, 'cpu'], [2, 'cpu'])))).toEqual(['cpu ×3']);
  });

  it('are one where a device is asked for and no count', () => {
    expect(where(plan({ ...servingDefaults, device: 'cuda:1' }))).toEqual(['cuda:1 ×1']);
    expect(where(plan({ ...servingDefaults, device: 'cuda' }))).toEqual(['cuda:0 ×1']);
  });

  it('are dealt out over the devices of a kind that are there, the emptiest first', () => {
    expect(where(plan(wishes([3, 'cuda'])))).toEqual(['cuda:0 ×2', 'cuda:1 ×1']);
    expect(where(plan(wishes([1, 'cuda:0'], [1, 'cuda'])))).toEqual(['cuda:0 ×1', 'cuda:1 ×1']);
  });

  it('have one thread each on a device, and share those of the CPU on it', () => {
    const made = plan(wishes([2, 'cuda:0'], [2, 'cpu']), 8);
    expect([where(made), made.threads.instances]).toEqual([['cuda:0 ×2', 'cpu ×2'], 4]);
    expect(made.groups.map((group) => intraOpThreadsOf(group.device, made.threads))).toEqual([1, 4]);
    expect(plan(wishes([2, 'cuda:0'])).threads).toEqual({ instances: 2, intraOpThreads: 1, note: '' });
  });

  it('are told how many of the CPU were too many', () => {
    const made = plan(wishes([1, 'cuda'], [9, 'cpu']), 2);
    expect(where(made)).toEqual(['cuda:0 ×1', 'cpu ×2']);
    expect(made.threads.note).toContain('9 instances of any threads were asked for; 2 threads are there');
  });

  it('may use the CPU for operators only where that is asked for', () => {
    const both = wishes([1, 'cuda'], [1, 'cpu']);
    expect(plan(both).groups.map((group) => group.device.cpuToo)).toEqual([false, true]);
    expect(plan({ ...both, cpuOperators: true }).groups.map((group) => group.device.cpuToo)).toEqual([true, true]);
  });

  it('are refused on a device that is missing, and on one that is not offered, with what to do', () => {
    expect(() => plan(wishes([1, 'cpu'], [1, 'cuda:2']))).toThrow(
      'device "cuda:2" cannot be used: cuda:2 is missing: it fell out. put it back',
    );
    expect(() => plan(wishes([1, 'webgpu']), 8, [device('cpu')])).toThrow(
      'device "webgpu" is not one that this runtime offers (cpu): start it with --devices=cpu,webgpu, or push the version for another device',
    );
    expect(() => plan(wishes([1, 'cpu']), 8, [device('cuda:0')])).toThrow('device "cpu" is not one that');
  });
});
