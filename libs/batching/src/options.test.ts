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
      allowedBatchSizes: [],
      maxQueueDelayMs: 0,
      priorityLevels: 0,
      defaultPriorityLevel: 1,
      policies: [{ delay: false, defaultTimeoutMs: Infinity, allowTimeoutOverride: false, maxQueueSize: Infinity }],
      preserveOrdering: false,
      instances: 1,
      ahead: 0,
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
    ['defaultPriorityLevel', 0, 1],
    ['priorityLevels', 0, -1],
    ['priorityLevels', 0, 257],
    ['instances', 1, 0],
    ['instances', 1024, 1025],
    ['ahead', 8, 9],
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

  test('O5 with levels a default level must be named', () => {
    const levels = (defaultPriorityLevel?: number) =>
      compile({ priorityLevels: 3, ...(defaultPriorityLevel === undefined ? {} : { defaultPriorityLevel }) });
    expect(levels(1)).toMatchObject({ priorityLevels: 3, defaultPriorityLevel: 1 });
    expect(levels(3)).toMatchObject({ defaultPriorityLevel: 3 });
    for (const level of [undefined, 0, 4]) {
      expect(() => levels(level)).toThrow(
        `digits version 3: defaultPriorityLevel must be a whole number from 1 to 3, got ${level ?? 0}`,
      );
    }
    expect(compile({ priorityLevels: 256, defaultPriorityLevel: 256 })).toBeDefined();
  });

  test('O6 a policy of a level replaces the default policy as a whole', () => {
    const base = { priorityLevels: 2, defaultPriorityLevel: 1, maxQueueSize: 9, defaultTimeoutMicroseconds: 5000 };
    expect(compile({ ...base, priorityQueuePolicy: { 2: { timeoutAction: 'DELAY' } } })).toMatchObject({
      policies: [
        { delay: false, defaultTimeoutMs: 5, allowTimeoutOverride: false, maxQueueSize: 9 },
        { delay: true, defaultTimeoutMs: Infinity, allowTimeoutOverride: false, maxQueueSize: Infinity },
      ],
    });
  });

  test('O6 a wrong knob of a policy is named with its level, and so is a level that there is not', () => {
    const policies = (priorityQueuePolicy: SchedulerOptions['priorityQueuePolicy'] & object, priorityLevels = 2) =>
      compile({ priorityLevels, defaultPriorityLevel: Math.min(1, priorityLevels), priorityQueuePolicy });
    expect(() => policies({ 2: { maxQueueSize: -1 } })).toThrow(
      'digits version 3: priorityQueuePolicy[2].maxQueueSize must be a whole number from 0 to 2147483647, got -1',
    );
    for (const level of ['0', '3', '1.5', 'high']) {
      expect(() => policies({ [level]: {} })).toThrow(
        `digits version 3: priorityQueuePolicy has levels 1 to 2, got one for level ${level}`,
      );
    }
    expect(() => policies({ 1: {} }, 0)).toThrow('priorityQueuePolicy must be empty when priorityLevels is 0');
  });

  test('O7 the action at a time-out is REJECT or DELAY', () => {
    expect(compile({ timeoutAction: 'DELAY' })).toMatchObject({ policies: [{ delay: true }] });
    expect(compile({ timeoutAction: 'REJECT' })).toEqual(compile({}));
    expect(() => compile({ timeoutAction: 'WAIT' as 'DELAY' })).toThrow(
      'digits version 3: timeoutAction must be REJECT or DELAY, got WAIT',
    );
  });

  test('O8 allowed sizes ascend, lie between 1 and the maximum, and end with it', () => {
    const allowed = (...allowedBatchSizes: number[]) => compile({ maxBatchSize: 8, allowedBatchSizes });
    expect(allowed(1, 4, 8)).toMatchObject({ allowedBatchSizes: [1, 4, 8] });
    expect(() => allowed(4, 9)).toThrow('allowedBatchSizes[1] must be a whole number from 1 to 8, got 9');
    expect(() => allowed(0, 8)).toThrow('allowedBatchSizes[0] must be');
    for (const sizes of [
      [4, 2, 8],
      [4, 4, 8],
    ]) {
      expect(() => allowed(...sizes)).toThrow(
        `allowedBatchSizes must ascend without repetition, got ${sizes.join(', ')}`,
      );
    }
    expect(() => allowed(2, 4)).toThrow('allowedBatchSizes must end with maxBatchSize (8), got 2, 4');
    expect(() => compile({ allowedBatchSizes: [4] })).toThrow('allowedBatchSizes must be empty when maxBatchSize is 0');
  });

  test('O9 where sizes are allowed, preferred ones are among them', () => {
    const sizes = { maxBatchSize: 8, allowedBatchSizes: [4, 8] };
    expect(compile({ ...sizes, preferredBatchSize: [8, 4] })).toMatchObject({ preferredBatchSize: [4] });
    expect(() => compile({ ...sizes, preferredBatchSize: [4, 3] })).toThrow(
      'preferredBatchSize[1] must be one of allowedBatchSizes (4, 8), got 3',
    );
  });
});
