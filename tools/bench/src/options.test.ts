import { expect, test } from 'vitest';
import { parseOptions } from './options.ts';

test('the defaults are the full bench', () => {
  expect(parseOptions([])).toMatchObject({
    rounds: 5,
    seconds: 3,
    threads: 1,
    inFlight: [1, 16, 64, 256],
    json: false,
  });
  expect(parseOptions([]).only.test('anything')).toBe(true);
});

test('quick is one short round, and what is said explicitly wins', () => {
  expect(parseOptions(['--quick'])).toMatchObject({ rounds: 1, seconds: 0.5, inFlight: [16] });
  expect(parseOptions(['--quick', '--rounds', '3', '--in-flight', '1,64'])).toMatchObject({
    rounds: 3,
    inFlight: [1, 64],
  });
});

test('a number outside its range is refused by name', () => {
  expect(() => parseOptions(['--rounds', '0'])).toThrow('--rounds must be a number from 1 to 101, got 0');
  expect(() => parseOptions(['--in-flight', '16,x'])).toThrow('--in-flight must be a number from 1 to 100000, got x');
  expect(() => parseOptions(['--wrong'])).toThrow();
});

test('endurance has its own numbers', () => {
  expect(parseOptions([]).endurance).toBeUndefined();
  expect(parseOptions(['--endurance']).endurance).toEqual({ requests: 5_000_000, cycles: 300 });
  expect(parseOptions(['--endurance', '--requests', '20000', '--cycles', '30']).endurance).toEqual({
    requests: 20_000,
    cycles: 30,
  });
});

test('rows about evidence have sizes of their own, by the kind of run or one by one', () => {
  expect(parseOptions(['--full']).evidence).toMatchObject({ rows: 10_000_000, holdSeconds: 60, awaySeconds: 300 });
  expect(parseOptions(['--quick', '--evidence-rows', '5000', '--hold', '4', '--away', '12']).evidence).toMatchObject({
    ...{ rows: 5000, holdSeconds: 4, awaySeconds: 12 },
  });
  expect(() => parseOptions(['--away', '1'])).toThrow('--away must be a number from 3 to 3600, got 1');
  expect(() => parseOptions(['--quick', '--full'])).toThrow('--quick and --full are two kinds of runs');
});
