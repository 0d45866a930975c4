import { describe, expect, test } from 'vitest';
import { compileOptions, type SchedulerOptions } from './options.ts';

const compile = (options: Partial<SchedulerOptions>): unknown =>
  compileOptions({ name: 'digits version 3', ...options });

describe('options', () => {
  test('O1 the defaults are Triton’s: no batching, no delay, no bound, no time-out; one instance', () => {
    expect(compile({})).toEqual({
      name: 'digits version 3',
      maxBatchSize: 0,
      preferredBatchSize: [],
      maxQueueDelayMs: 0,
      maxQueueSize: Infinity,
      defaultTimeoutMs: Infinity,
      instances: 1,
    });
    expect(compile({ maxQueueSize: 0, defaultTimeoutMicroseconds: 0 })).toEqual(compile({}));
  });

  const outside: [keyof SchedulerOptions, number, number][] = [
    ['maxBatchSize', 0, -1],
    ['maxBatchSize', 2 ** 31 - 1, 2 ** 31],
    ['maxQueueDelayMicroseconds', 0, -1],
    ['maxQueueDelayMicroseconds', 1, 0.5],
    ['maxQueueSize', 0, -1],
    ['maxQueueSize', 2 ** 31 - 1, 2 ** 31],
    ['defaultTimeoutMicroseconds', 0, -1],
    ['instances', 1, 0],
    ['instances', 1024, 1025],
  ];
  test.each(outside)('O2 %s may be %d and not %d; the error names it', (knob, good, bad) => {
    expect(compile({ [knob]: good })).toBeDefined();
    expect(() => compile({ [knob]: bad })).toThrow(
      new RegExp(`^digits version 3: ${knob} must be a whole number from .*, got ${bad}$`),
    );
  });

  test('O3 preferred sizes lie between 1 and the maximum', () => {
    expect(compile({ maxBatchSize: 8, preferredBatchSize: [8, 4, 1, 4] })).toMatchObject({
      preferredBatchSize: [1, 4],
    });
    expect(() => compile({ maxBatchSize: 8, preferredBatchSize: [4, 9] })).toThrow(
      'digits version 3: preferredBatchSize[1] must be a whole number from 1 to 8, got 9',
    );
    expect(() => compile({ maxBatchSize: 8, preferredBatchSize: [0] })).toThrow('preferredBatchSize[0]');
  });

  test('O4 without batching there are no preferred sizes', () => {
    expect(() => compile({ preferredBatchSize: [4] })).toThrow(
      'preferredBatchSize must be empty when maxBatchSize is 0',
    );
  });
});
