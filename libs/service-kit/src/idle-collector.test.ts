import { FakeClock } from '@sluice/testkit/fake-clock';
import { describe, expect, it } from 'vitest';
import { IdleCollector } from './idle-collector.ts';

function setUp() {
  const clock = new FakeClock();
  const state = { cpuMs: 500, collected: 0 };
  const ports = { clock, cpuMs: () => state.cpuMs, collect: () => void (state.collected += 1) };
  return { clock, state, collector: new IdleCollector(ports) };
}

describe('IdleCollector', () => {
  it('collects once, two seconds after the last work', () => {
    const { clock, state, collector } = setUp();
    collector.worked();
    clock.advance(1_500);
    collector.worked();
    clock.advance(1_999);
    expect(state.collected).toBe(0);
    clock.advance(1);
    expect(state.collected).toBe(1);
    clock.advance(60_000);
    expect(state.collected).toBe(1);
  });

  it('waits while the process is busy: at two hundredths of a core, not at less', () => {
    const { clock, state, collector } = setUp();
    collector.worked();
    for (let look = 0; look < 10; look += 1) {
      state.cpuMs += 40;
      clock.advance(2_000);
    }
    expect(state.collected).toBe(0);
    state.cpuMs += 39;
    clock.advance(2_000);
    expect(state.collected).toBe(1);
  });

  it('does nothing after it was stopped', () => {
    const { clock, state, collector } = setUp();
    collector.worked();
    collector.stop();
    clock.advance(60_000);
    expect(state.collected).toBe(0);
  });
});
