import { expect, test } from 'vitest';
import { needsH2load, refusalOf, type OpenLoad } from './open-load.ts';

const job = { perSecond: 1_000, seconds: 10 };
const load = (own: Partial<OpenLoad>): OpenLoad => ({
  ...{ requests: 10_000, failed: 0, seconds: 10.1, p50Ms: 1, p99Ms: 2, generatorCpuSeconds: 1, answered: 10_000 },
  ...own,
});

test('a rate is taken when all is answered well, in the time that it had', () => {
  expect(refusalOf(load({}), job)).toBeUndefined();
  expect(refusalOf(load({ seconds: 10.59 }), job)).toBeUndefined();
  expect(refusalOf(load({ answered: 10_001 }), job)).toBeUndefined();
});

test('else it says what became of it', () => {
  expect(refusalOf(load({ answered: 9_990 }), job)).toBe('10 of 10000 were not answered well');
  expect(refusalOf(load({ seconds: 10.7 }), job)).toBe('10000 requests took 10.7 s, not 10.0');
});

test('without h2load there is no rate, and the row says what is missing', async () => {
  await expect(needsH2load({ h2load: true })).resolves.toBeUndefined();
  await expect(needsH2load({ h2load: false })).rejects.toThrow('it needs h2load');
});
