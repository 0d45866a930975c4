import { expect, test } from 'vitest';
import { isPostmaster } from './postgres-away.ts';

test.each([
  [['/home/pg/bin/postgres', '-D', '/data', '-c', 'port=1'], true],
  [['postgres: checkpointer ', ''], false],
  [['/bin/sh', '-c', 'exec 3<&0; guard', '/home/pg/bin/postgres', '-D', '/data'], false],
  [['/home/pg/bin/postgres', '--version'], false],
])('only the process that takes connections is the postmaster: %j', (commandLine, expected) => {
  expect(isPostmaster({ pid: 1, commandLine })).toBe(expected);
});
