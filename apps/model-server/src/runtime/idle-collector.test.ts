import { describe, expect, it } from 'vitest';
import { FakeClock } from '@sluice/testkit/fake-clock';
import { IdleCollector } from './idle-collector.ts';

function collector() {
  const clock = new FakeClock();
  const state = { requests: 0, collected: 0 };
  const ports = { clock, activity: () => state.requests, collect: () => void (state.collected += 1) };
  return { clock, state, idle: new IdleCollector(ports) };
}

describe('IdleCollector', () => {
  it('collects once, two seconds after the last load', () => {
    const { clock, state, idle } = collector();
    idle.loaded();
    clock.advance(1_500);
    idle.loaded();
    clock.advance(1_999);
    expect(state.collected).toBe(0);
    clock.advance(1);
    expect(state.collected).toBe(1);
    clock.advance(60_000);
    expect(state.collected).toBe(1);
  });

  it('waits for a moment without requests', () => {
    const { clock, state, idle } = collector();
    idle.loaded();
    for (let second = 0; second < 20; second += 2) {
      state.requests += 1;
      clock.advance(2_000);
    }
    expect(state.collected).toBe(0);
    clock.advance(2_000);
    expect(state.collected).toBe(1);
  });

  it('does nothing after it was stopped', () => {
    const { clock, state, idle } = collector();
    idle.loaded();
    idle.stop();
    clock.advance(10_000);
    expect(state.collected).toBe(0);
  });
});
