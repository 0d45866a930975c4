import { FakeClock } from '@sluice/testkit/fake-clock';
import { describe, expect, it } from 'vitest';
import { IdleCollector } from './idle-collector.ts';

const mebibyte = 1024 * 1024;

function setUp() {
  const clock = new FakeClock();
  const state = { cpuMs: 500, heap: 50 * mebibyte, collected: 0 };
  const collector = new IdleCollector({
    clock,
    cpuMs: () => state.cpuMs,
    heapBytes: () => state.heap,
    collect: () => {
      state.collected += 1;
      state.heap = 20 * mebibyte;
    },
  });
  collector.start();
  return { clock, state, collector };
}

describe('IdleCollector', () => {
  it('collects in the first moment without work, and then only what is worth it', () => {
    const { clock, state } = setUp();
    clock.advance(1_999);
    expect(state.collected).toBe(0);
    clock.advance(1);
    expect(state.collected).toBe(1);
    state.heap = 28 * mebibyte - 1;
    clock.advance(20_000);
    expect(state.collected).toBe(1);
    state.heap = 28 * mebibyte;
    clock.advance(2_000);
    expect(state.collected).toBe(2);
  });

  it('waits while there is work: two hundredths of a core, and not one less', () => {
    const { clock, state } = setUp();
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
    collector.stop();
    clock.advance(60_000);
    expect(state.collected).toBe(0);
  });
});
