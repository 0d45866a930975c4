import { servingDefaults } from '@sluice/domain/signature';
import { describe, expect, it } from 'vitest';
import { cpuInstances, planThreads } from './threads.ts';

const plan = (instanceCount: number, intraOpThreads: number, threads: number) =>
  planThreads({ ...servingDefaults, instanceCount, intraOpThreads }, threads);

describe('groups of instances', () => {
  const wishes = (...groups: (readonly [count: number, device: string])[]) => ({
    ...servingDefaults,
    instanceCount: 9,
    device: 'cuda',
    instanceGroups: groups.map(([count, device]) => ({ count, device })),
  });

  it('are summed on the CPU, and stand instead of count and device', () => {
    const both = wishes([2, 'cpu'], [1, 'cpu']);
    expect(cpuInstances(both)).toBe(3);
    expect(planThreads(both, 8)).toMatchObject({ instances: 3, intraOpThreads: 2 });
  });

  it('are one of count and device where there are none', () => {
    expect(cpuInstances(wishes())).toBe(0);
    const plain = { ...servingDefaults, instanceCount: 2, device: '' };
    expect(cpuInstances(plain)).toBe(2);
  });
});

describe('planThreads', () => {
  it('gives one session all threads where nothing is asked for', () => {
    expect(plan(0, 0, 8)).toEqual({ instances: 1, intraOpThreads: 8, note: '' });
  });

  it('shares the threads among the instances that are asked for', () => {
    expect(plan(4, 0, 8)).toMatchObject({ instances: 4, intraOpThreads: 2, note: '' });
    expect(plan(3, 0, 8)).toMatchObject({ instances: 3, intraOpThreads: 2 });
  });

  it('makes as many instances as fit the threads that each is to have', () => {
    expect(plan(0, 3, 8)).toMatchObject({ instances: 2, intraOpThreads: 3 });
    expect(plan(0, 16, 8)).toMatchObject({ instances: 1, intraOpThreads: 8 });
  });

  it('never runs more threads than there are, and says what it cut', () => {
    for (let instances = 0; instances <= 20; instances += 1) {
      for (let intraOp = 0; intraOp <= 20; intraOp += 1) {
        for (const threads of [1, 2, 3, 8, 16]) {
          const made = plan(instances, intraOp, threads);
          expect(made.instances * made.intraOpThreads).toBeLessThanOrEqual(threads);
          expect(made.instances).toBeGreaterThan(0);
          const cut = made.instances < instances || made.intraOpThreads < intraOp;
          expect(made.note !== '').toBe(cut);
        }
      }
    }
    expect(plan(4, 4, 8).note).toBe('4 instances of 4 threads were asked for; 8 threads are there (SLUICE_THREADS)');
  });

  it('refuses a number of threads that is none', () => {
    expect(() => plan(1, 1, 0)).toThrow('threads: expected a whole number from 1 up, got 0');
  });
});
