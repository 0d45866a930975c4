import { expect, test } from 'vitest';
import { parseMappings, parseResident, parseStat } from './proc.ts';

test('a stat line: times are in hundredths, the name may hold brackets and blanks', () => {
  const line =
    '4242 (node (x) y) S 17 4242 4242 0 -1 4194304 100 0 0 0 150 50 7 3 20 0 12 0 1000 1 2 3 4 5 6 7 8 9 0 0 0 0 17 1 0 0';
  expect(parseStat(line)).toEqual({ name: 'node (x) y', parent: 17, cpuSeconds: 2 });
});

test('resident memory is in bytes; a process that has ended has none', () => {
  expect(parseResident('Name:\tnode\nVmHWM:\t  9 kB\nVmRSS:\t   2048 kB\nThreads:\t1\n')).toBe(2 * 1024 * 1024);
  expect(() => parseResident('Name:\tnode\nState:\tZ (zombie)\n')).toThrow('has ended');
});

test('memory by mapping: segments of a file are added up, what has no file is anonymous', () => {
  const segment = (head: string, kilobytes: number): string =>
    `${head}\nSize: 9999 kB\nRss: ${kilobytes} kB\nPss: 1 kB\n`;
  const smaps = [
    segment('00400000-00500000 r-xp 00000000 08:01 17                  /opt/lib/node', 300),
    segment('00600000-00700000 r--p 00100000 08:01 17                  /opt/lib/node', 100),
    segment('7f00a0000000-7f00b0000000 rw-p 00000000 00:00 0 ', 1000),
    segment('7fffa0000000-7fffb0000000 rw-p 00000000 00:00 0           [stack]', 20),
    segment('7f11a0000000-7f11b0000000 r--p 00000000 08:01 18          /usr/lib/libc.so.6', 0),
  ].join('');
  expect(parseMappings(smaps)).toEqual([
    ['anonymous', 1020 * 1024],
    ['node', 400 * 1024],
  ]);
});
