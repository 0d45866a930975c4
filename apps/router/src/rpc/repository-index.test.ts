import { describe, expect, it } from 'vitest';
import { modelRoute } from '../../test/routes.ts';
import { repositoryIndex, type IndexedRuntime } from './repository-index.ts';

const runtime: IndexedRuntime = {
  address: '127.0.0.1:1',
  runtimeId: 'r1',
  ready: new Set(['digits@2']),
  notReady: new Map(),
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
});
