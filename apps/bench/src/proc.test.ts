import { expect, test } from 'vitest';
import { parseResident, parseStat } from './proc.ts';

test('a stat line: times are in hundredths, the name may hold brackets and blanks', () => {
  const line =
    '4242 (node (x) y) S 17 4242 4242 0 -1 4194304 100 0 0 0 150 50 7 3 20 0 12 0 1000 1 2 3 4 5 6 7 8 9 0 0 0 0 17 1 0 0';
  expect(parseStat(line)).toEqual({ name: 'node (x) y', parent: 17, cpuSeconds: 2, childrenCpuSeconds: 0.1 });
});

test('resident memory is in bytes; a process that has ended has none', () => {
  expect(parseResident('Name:\tnode\nVmHWM:\t  9 kB\nVmRSS:\t   2048 kB\nThreads:\t1\n')).toBe(2 * 1024 * 1024);
  expect(() => parseResident('Name:\tnode\nState:\tZ (zombie)\n')).toThrow('has ended');
});
