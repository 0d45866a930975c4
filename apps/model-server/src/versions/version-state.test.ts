import { describe, expect, it } from 'vitest';
import { canTake, nextState, versionStates, type VersionEvent } from './version-state.ts';

const events: VersionEvent[] = [
  ...(['start', 'fetched', 'loaded', 'warmed', 'fail', 'retry'] as const),
  ...(['evict', 'emptied', 'demand', 'withdraw', 'drained'] as const),
];

/** Every legal step; whatever is not here must be refused. */
const legal = new Map([
  ['assigned start', 'downloading'],
  ['assigned withdraw', 'unloaded'],
  ['assigned evict', 'evicted'],
  ['assigned fail', 'failed'],
  ['downloading fetched', 'loading'],
  ['downloading fail', 'failed'],
  ['downloading withdraw', 'unloaded'],
  ['loading loaded', 'warming'],
  ['loading fail', 'failed'],
  ['loading withdraw', 'unloaded'],
  ['warming warmed', 'ready'],
  ['warming fail', 'failed'],
  ['warming withdraw', 'unloaded'],
  ['ready fail', 'failed'],
  ['ready withdraw', 'draining'],
  ['ready evict', 'evicting'],
  ['evicting emptied', 'evicted'],
  ['evicting withdraw', 'draining'],
  ['evicted demand', 'assigned'],
  ['evicted withdraw', 'unloaded'],
  ['draining drained', 'unloaded'],
  ['draining fail', 'unloaded'],
  ['failed retry', 'assigned'],
  ['failed withdraw', 'unloaded'],
]);

describe('version states', () => {
  it('takes exactly the steps of the table', () => {
    for (const state of versionStates) {
      for (const event of events) {
        const next = legal.get(`${state} ${event}`);
        expect(canTake(state, event)).toBe(next !== undefined);
        if (next) expect(nextState(state, event)).toBe(next);
        else
          expect(() => nextState(state, event)).toThrow(`a version that is ${state} cannot take the event "${event}"`);
      }
    }
  });

  it('can be withdrawn from every state but those on the way out', () => {
    expect(versionStates.filter((state) => !canTake(state, 'withdraw'))).toEqual(['draining', 'unloaded']);
  });
});
