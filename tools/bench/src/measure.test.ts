import { expect, test } from 'vitest';
import { checkProblems, generatorProblems, rateOf, tlsProblems } from './measure.ts';

const load = { requests: 1000, failed: 0, seconds: 2, p50Ms: 1, p99Ms: 2, generatorCpuSeconds: 1.6 };
const checked = { sent: 40, problems: [] };

test('a run is valid when everything sent was counted, checked and right', () => {
  expect(checkProblems(load, checked, { server: 1040 })).toEqual([]);
});

test('a generator is over its limit above 80 % of its core, not at it', () => {
  expect(generatorProblems(load, { h2load: true })).toEqual([]);
  expect(generatorProblems({ ...load, generatorCpuSeconds: 1.62 }, { h2load: true })).toEqual([
    'the generator used 81 % of its core',
  ]);
});

test('one success too few or too many, a failure, a wrong answer or no check at all make a run invalid', () => {
  expect(checkProblems(load, checked, { server: 1039 })).toEqual(['the server counted 1039 successes, 1040 were sent']);
  expect(checkProblems(load, checked, { server: 1041 })).toHaveLength(1);
  expect(checkProblems(load, checked, { server: 1040, router: 1030 })).toEqual([
    'the router counted 1030 successes, 1040 were sent',
  ]);
  expect(checkProblems({ ...load, failed: 1 }, checked, { server: 1040 })).toEqual(['1 of 1000 requests failed']);
  expect(checkProblems(load, { sent: 40, problems: ['value 1'] }, { server: 1040 })).toEqual([
    'a check failed: value 1',
  ]);
  expect(checkProblems(load, { sent: 0, problems: [] }, { server: 1000 })).toEqual(['nothing was checked']);
});

test('without h2load only the CPU counts', () => {
  expect(generatorProblems(load, { h2load: false })).toEqual(['h2load is missing: only the CPU counts']);
});

test('the rate has what the load and the checker were answered', () => {
  expect(rateOf({ requests: 90, seconds: 2 }, 10)).toBe(50);
});

test('with TLS it must be 1.3, without it there must be none', () => {
  expect(tlsProblems({ tls: 'TLSv1.3' }, { caFile: 'ca.pem' })).toEqual([]);
  expect(tlsProblems({ tls: undefined }, { caFile: undefined })).toEqual([]);
  expect(tlsProblems({ tls: 'TLSv1.2' }, { caFile: 'ca.pem' })).toEqual(['the load came by TLSv1.2, expected TLSv1.3']);
  expect(tlsProblems({ tls: undefined }, { caFile: 'ca.pem' })).toEqual(['the load came by no TLS, expected TLSv1.3']);
  expect(tlsProblems({ tls: 'TLSv1.3' }, { caFile: undefined })).toEqual(['the load came by TLSv1.3, expected no TLS']);
});
