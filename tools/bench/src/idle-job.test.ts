import { expect, test } from 'vitest';
import { bytesEach, mostOpenFiles, needOpenFiles } from './idle-job.ts';

const limits = (soft: string, hard: string): string =>
  `Limit                     Soft Limit           Hard Limit           Units
Max processes             7                    8                    processes
Max open files            ${soft.padEnd(20)} ${hard.padEnd(20)} files
Max locked memory         9                    9                    bytes
`;

test('the hard limit of open files counts: Node makes use of it', () => {
  expect(mostOpenFiles(limits('1024', '20000'))).toBe(20_000);
  expect(mostOpenFiles(limits('1024', 'unlimited'))).toBe(Infinity);
  expect(() => mostOpenFiles('Max processes 7 8 processes')).toThrow('no "Max open files"');
});

test('too few open files are told with what to do; a process needs some for itself', () => {
  expect(() => needOpenFiles(10_000, limits('1024', '11000'))).not.toThrow();
  expect(() => needOpenFiles(10_000, limits('1024', '10999'))).toThrow('ulimit -Hn 11000');
});

test('what each connection costs is the growth over their number', () => {
  expect(bytesEach(50e6, 250e6, 10_000)).toBe(20_000);
});
