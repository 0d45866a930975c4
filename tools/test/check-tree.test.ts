import { execFileSync, spawnSync } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { root } from '../pinned-node.mjs';

it('tools/check-tree.mjs refuses a lock file with a package that is not what another one asks for, and a page that names a file that is not there', async () => {
  const clone = await mkdtemp(path.join(tmpdir(), 'sluice-tree-'));
  onTestFinished(() => rm(clone, { recursive: true, force: true }));
  for (const file of ['check-tree.mjs', 'pinned-node.mjs'])
    await cp(path.join(root, 'tools', file), path.join(clone, 'tools', file));
  await mkdir(path.join(clone, 'docs', 'adr'), { recursive: true });
  await writeFile(path.join(clone, 'docs', 'adr', 'README.md'), '');
  await writeFile(
    path.join(clone, 'package.json'),
    JSON.stringify({ name: 'small', dependencies: { thing: '1.0.0' } }),
  );
  execFileSync('git', ['init', '--quiet'], { cwd: clone });

  const check = async (version: string): Promise<[number | null, string]> => {
    const packages = { '': { dependencies: { thing: '1.0.0' } }, 'node_modules/thing': { version } };
    const lock = { name: 'small', lockfileVersion: 3, packages };
    await writeFile(path.join(clone, 'package-lock.json'), JSON.stringify(lock));
    const { status, stdout } = spawnSync(process.execPath, [path.join(clone, 'tools', 'check-tree.mjs')]);
    return [status, stdout.toString()];
  };
  expect(await check('1.0.0')).toEqual([0, '']);
  expect(await check('1.0.1')).toEqual([1, 'package-lock.json: invalid: thing@1.0.1 node_modules/thing\n']);
  await writeFile(path.join(clone, 'page.md'), '`tools/check-tree.mjs` is there, `apps/none/src/gone.ts` is not');
  expect(await check('1.0.0')).toEqual([1, 'page.md names apps/none/src/gone.ts, which is not there\n']);
});
