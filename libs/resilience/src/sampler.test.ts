import { FakeClock } from '@sluice/testkit/fake-clock';
import { describe, expect, it } from 'vitest';
import { Sampler } from './sampler.ts';

describe('Sampler', () => {
  it('reports the first, then one per interval with what went unreported', () => {
    const clock = new FakeClock();
    const sampler = new Sampler({ clock, intervalMs: 1_000 });
    expect(sampler.take('a')).toBe(0);
    for (let index = 0; index < 500; index++) expect(sampler.take('a')).toBeUndefined();
    clock.advance(999);
    expect(sampler.take('a')).toBeUndefined();
    clock.advance(1);
    expect(sampler.take('a')).toBe(501);
    expect(sampler.take('a')).toBeUndefined();
    clock.advance(1_000);
    expect(sampler.take('a')).toBe(1);
  });

  it('tells keys apart', () => {
    const sampler = new Sampler({ clock: new FakeClock() });
    expect([sampler.take('a'), sampler.take('b'), sampler.take('a')]).toEqual([0, 0, undefined]);
  });

  it('holds a bounded number of keys, whatever comes', () => {
    const clock = new FakeClock();
    const sampler = new Sampler({ clock, intervalMs: 1_000 });
    let reported = 0;
    for (let index = 0; index < 5_000; index++) if (sampler.take(`key ${index}`) !== undefined) reported++;
    expect(reported).toBeLessThanOrEqual(1_001);
    clock.advance(1_000);
    expect(sampler.take('another')).toBe(0);
  });
});
