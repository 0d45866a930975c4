import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { expect, it } from 'vitest';

it('finds src/gen as the protos make it', () => {
  const project = path.resolve(import.meta.dirname, '..');
  const run = (): string =>
    execFileSync(process.execPath, ['generate.mjs', '--check'], { cwd: project, encoding: 'utf8' });
  expect(run()).toBe('');
});
