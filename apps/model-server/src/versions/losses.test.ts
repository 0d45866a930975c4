import { describe, expect, it } from 'vitest';
import { FakeClock } from '@sluice/testkit/fake-clock';
import { Losses } from './losses.ts';

describe('Losses', () => {
  it('lets a version be loaded again until it has lost three sessions in ten minutes', () => {
    const clock = new FakeClock();
    const losses = new Losses(clock);
    expect([losses.add('m/1'), losses.add('m/1')]).toEqual([true, true]);
    expect(losses.add('m/2')).toBe(true);
    clock.advance(599_999);
    expect(losses.add('m/1')).toBe(false);
  });

  it('forgets losses after ten minutes, and all with the version', () => {
    const clock = new FakeClock();
    const losses = new Losses(clock);
    for (let loss = 0; loss < 20; loss += 1) {
      expect(losses.add('m/1')).toBe(true);
      clock.advance(300_000);
    }
    expect(losses.add('m/1')).toBe(true);
    expect(losses.add('m/1')).toBe(false);
    losses.forget('m/1');
    expect(losses.add('m/1')).toBe(true);
  });
});
