import { describe, expect, it } from 'vitest';
import { modelRoute } from '../../test/routes.ts';
import { repositoryIndex, type IndexedRuntime } from './repository-index.ts';

const runtime: IndexedRuntime = {
  address: '127.0.0.1:1',
  runtimeId: 'r1',
  ready: new Set(['digits@2']),
  notReady: new Map(),
  onDemand: new Set(),
  offer: { pool: 'default', devices: ['cpu'] },
};

describe('the index', () => {
  it('has what is quarantined, in its place among the numbers, with why', () => {
    const facts = { placed: [2, 10], unplaced: [1, 3], quarantined: { 3: 'it ended its runtime 3 times' } };
    const table = { revision: 1, models: new Map([['digits', modelRoute(facts)]]) };
    const all = repositoryIndex({ repositoryName: '', ready: false }, table, [runtime]).models!;
    expect(all.map(({ version, state, reason }) => `${version} ${state} ${reason}`)).toEqual([
      '1 UNAVAILABLE unloaded',
      '2 READY ',
      '3 UNAVAILABLE quarantined: it ended its runtime 3 times',
      '10 LOADING ',
    ]);
  });

  it('has a version as the runtimes say that it is for', () => {
    const table = { revision: 1, models: new Map([['digits', modelRoute({ placed: [3] })]]) };
    const gpu = { ...runtime, runtimeId: 'gpu', offer: { pool: 'gpu', devices: ['cuda:0'] } };
    const says = (reason: string, ...onDemand: string[]) => ({
      ...{
        ...runtime,
        ready: new Set<string>(),
        notReady: new Map([['digits@3', reason]]),
        onDemand: new Set(onDemand),
      },
    });
    const state = (...runtimes: readonly IndexedRuntime[]) => {
      const [entry] = repositoryIndex({ repositoryName: '', ready: false }, table, runtimes).models!;
      return `${entry!.state} ${entry!.reason}`;
    };
    expect(state(says('no memory'), gpu)).toBe('UNAVAILABLE r1: no memory');
    expect(state(says('gave way', 'digits@3'), gpu)).toBe('UNAVAILABLE r1: gave way');
    expect(state(says('', 'digits@3'), gpu)).toBe('LOADING ');
    expect(state(says('no memory'), { ...gpu, offer: undefined })).toBe('LOADING ');
    expect(state(gpu)).toBe('UNAVAILABLE pool default has no live runtime');
    expect(state()).toBe('UNAVAILABLE no runtime is up');
  });
});
