import { spawnSync } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { pinnedEnvironment, root } from '../pinned-node.mjs';
import { takeReports } from '../test-reports.mjs';

const files = {
  'sums.test.ts': `import { describe, expect, it } from 'vitest';
describe('a sum', () => {
  it('of two', () => expect(1 + 1).toBe(2));
  it('of three', () => expect({ sum: 1 + 1 + 1 }).toEqual({ sum: 4 }));
  it('of many lines', () => { throw new Error(Array.from({ length: 100 }, (_, at) => 'line ' + at).join('\\n')); });
});
`,
  'gone.test.ts': `import 'no-such-module';\n`,
};

it('takes counts and failures, with what to read of them, from the reports of a project', async () => {
  const clone = await mkdtemp(path.join(tmpdir(), 'sluice-reports-test-'));
  onTestFinished(() => rm(clone, { recursive: true, force: true }));
  await cp(path.join(root, 'vitest.config.ts'), path.join(clone, 'vitest.config.ts'));
  await symlink(path.join(root, 'node_modules'), path.join(clone, 'node_modules'));
  const folder = path.join(clone, 'libs', 'arithmetic');
  await mkdir(path.join(folder, 'src'), { recursive: true });
  for (const [name, text] of Object.entries(files)) await writeFile(path.join(folder, 'src', name), text);
  const results = path.join(clone, 'results');
  await mkdir(results);
  spawnSync('vitest', ['run', '--config', '../../vitest.config.ts', '--dir', '.'], {
    cwd: folder,
    env: { ...pinnedEnvironment(process.env), SLUICE_TEST_RESULTS: results },
  });

  const taken = takeReports(results);
  expect(taken).toMatchObject({ reports: 1, passed: 1 });
  const failures = new Map(taken.failures.map((failure) => [failure.test, failure]));
  expect([...failures.keys()].sort()).toEqual(['a sum of many lines', 'a sum of three', 'the file did not load']);
  expect(failures.get('a sum of three')).toMatchObject({ where: 'arithmetic src/sums.test.ts' });
  expect(failures.get('a sum of three')?.message.join('\n')).toMatch(/AssertionError: .*sum: 4[^]*sums\.test\.ts:4/);
  expect(failures.get('a sum of many lines')?.message).toHaveLength(12);
  expect(failures.get('the file did not load')).toMatchObject({ where: 'arithmetic src/gone.test.ts' });
  expect(failures.get('the file did not load')?.message[0]).toContain('no-such-module');
  // Taken: what is there at the next step is of that step.
  expect(await readdir(results)).toEqual([]);
});
