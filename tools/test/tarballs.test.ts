import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pinnedEnvironment, root } from '../pinned-node.mjs';

const run = promisify(execFile);
const packageName = '@sluice/client';
const env = pinnedEnvironment({ PATH: process.env['PATH'], HOME: process.env['HOME'] });

async function tarball(folder: string): Promise<string> {
  const dist = path.join(root, folder, 'dist');
  const [file, ...others] = (await readdir(dist)).filter((name) => name.endsWith('.tgz'));
  expect(others).toEqual([]);
  return path.join(dist, file!);
}

describe('tarballs', () => {
  let home: string;
  beforeAll(async () => {
    home = await mkdtemp(path.join(tmpdir(), 'sluice-install-'));
    await writeFile(path.join(home, 'package.json'), '{ "private": true, "type": "module" }\n');
    const files = [await tarball('libs/client'), await tarball('apps/cli')];
    const args = ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline', ...files];
    await run('npm', args, { cwd: home, env });
  }, 180_000);
  afterAll(async () => rm(home, { recursive: true, force: true }));

  it('of the command line give a `sluice` command that runs without the clone', async () => {
    const { stdout } = await run(path.join(home, 'node_modules', '.bin', 'sluice'), ['--help'], { cwd: home, env });
    expect(stdout).toContain('push');
  });

  it('of the client give modules that import each other and nothing of the workspace', async () => {
    const folder = path.join(home, 'node_modules', '@sluice', 'client', 'client');
    const modules = (await readdir(folder)).filter((file) => file.endsWith('.js')).map((file) => file.slice(0, -3));
    expect(modules.length).toBeGreaterThan(0);
    const script = modules.map((name) => `await import('${packageName}/${name}');`).join('\n');
    await writeFile(path.join(home, 'all.js'), `${script}\nconsole.log('loaded');\n`);
    const { stdout } = await run('node', ['all.js'], { cwd: home, env });
    expect(stdout).toBe('loaded\n');
    expect(await readdir(path.join(home, 'node_modules', '@sluice'))).toEqual(['cli', 'client']);
  });
});
