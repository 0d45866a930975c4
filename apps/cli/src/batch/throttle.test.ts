import { describe, expect, it } from 'vitest';
import { Throttle } from './throttle.ts';

/** A model that works on one request after the other, 10 ms each. */
const answerOf = (throttle: Throttle, others = 0): void => throttle.answered(10 * (throttle.limit + others));

describe('the throttle of a batch run', () => {
  it('begins with one request, and grows to its bound while answers come as quickly as they can', () => {
    const throttle = new Throttle(3);
    expect(throttle.limit).toBe(1);
    for (let turn = 0; turn < 20; turn += 1) throttle.answered(10);
    expect(throttle.limit).toBe(3);
  });

  it('keeps just enough under way that a model has no pause', () => {
    const throttle = new Throttle(64);
    const limits: number[] = [];
    for (let turn = 0; turn < 5_000; turn += 1) {
      answerOf(throttle);
      limits.push(throttle.limit);
    }
    expect(Math.max(...limits)).toBeLessThanOrEqual(3);
    expect(limits.filter((limit) => limit >= 2).length).toBeGreaterThan(4_000);
  });

  it('makes room when others come, and takes it again when they are gone', () => {
    const throttle = new Throttle(8);
    for (let turn = 0; turn < 50; turn += 1) throttle.answered(10);
    expect(throttle.limit).toBe(8);
    for (let turn = 0; turn < 20; turn += 1) answerOf(throttle, 20);
    expect(throttle.limit).toBe(1);
    for (let turn = 0; turn < 50; turn += 1) throttle.answered(10);
    expect(throttle.limit).toBe(8);
  });

  it('learns that a model has become slower', () => {
    const throttle = new Throttle(8);
    for (let turn = 0; turn < 50; turn += 1) throttle.answered(10);
    for (let turn = 0; turn < 500; turn += 1) throttle.answered(50);
    expect(throttle.limit).toBe(8);
  });

  it('looks now and then how quick one request alone is', () => {
    const throttle = new Throttle(8);
    const limits = Array.from({ length: 220 }, () => {
      throttle.answered(10);
      return throttle.limit;
    });
    expect(limits.indexOf(1, 1)).toBe(199);
    expect(limits.slice(199).filter((limit) => limit === 1)).toHaveLength(8);
    expect(limits.at(-1)).toBe(8);
  });

  it('halves at a refusal, and waits longer each time until an answer comes', () => {
    const throttle = new Throttle(8);
    for (let turn = 0; turn < 50; turn += 1) throttle.answered(10);
    expect([throttle.refused(undefined), throttle.limit]).toEqual([100, 4]);
    expect([throttle.refused(undefined), throttle.limit]).toEqual([200, 2]);
    expect([throttle.refused(1_000), throttle.limit]).toEqual([1_000, 1]);
    for (let turn = 0; turn < 20; turn += 1) throttle.refused(undefined);
    expect([throttle.refused(undefined), throttle.limit]).toEqual([5_000, 1]);
    throttle.answered(10);
    expect(throttle.refused(undefined)).toBe(100);
  });
});
