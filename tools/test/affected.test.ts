import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { pinnedEnvironment, root } from '../pinned-node.mjs';

const run = promisify(execFile);
// Without what the Nx that may run this test tells its tasks.
const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('NX_'));
const env = pinnedEnvironment({ ...Object.fromEntries(inherited), NX_DAEMON: 'false' });

describe('nx affected finds the projects whose tests see a change of', () => {
  it.for([
    ['README.md', ['bench', 'platform', 'tools']],
    ['apps/cli/src/main.ts', ['bench', 'cli', 'platform', 'tools']],
    ['examples/clients/python/classify.py', ['bench', 'platform', 'tools']],
    [
      'libs/batching/src/scheduler.ts',
      ['batching', 'bench', 'cli', 'model-server', 'platform', 'registry', 'router', 'tools'],
    ],
    ['deploy/compose.yaml', ['tools']],
  ] as const)('%s', async ([file, projects]) => {
    expect(existsSync(path.join(root, file))).toBe(true);
    const { stdout } = await run('nx', ['show', 'projects', '--affected', '--json', `--files=${file}`], {
      cwd: root,
      env,
    });
    expect((JSON.parse(stdout) as string[]).sort()).toEqual(projects);
  });
});
