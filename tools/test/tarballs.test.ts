import { execFile } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { pinnedEnvironment, root } from '../pinned-node.mjs';
import { BuiltFolder } from './built-folder.ts';

const run = promisify(execFile);
const packageName = '@sluice/client';
const env = pinnedEnvironment({ PATH: process.env['PATH'], HOME: process.env['HOME'] });

async function tarball(folder: string): Promise<string> {
  const dist = path.join(root, folder, 'dist');
  const [file, ...others] = (await readdir(dist)).filter((name) => name.endsWith('.tgz'));
  expect(others).toEqual([]);
  return path.join(dist, file!);
}

/** A stranger's program. The lines that must not compile show that the types are there, and not `any`. */
const program = `import { createOipClient, type InferResult } from '${packageName}/oip-client';
import { createRegistryClient } from '${packageName}/registry-client';

const [router = '', registryAddress = ''] = process.argv.slice(2);
const client = createOipClient(router);
const data = Float32Array.from({ length: 64 }, (_, index) => index % 17);
const answer: InferResult = await client.infer({
  model: 'digits',
  inputs: [{ name: 'pixels', datatype: 'FP32', shape: [1, 64], data }],
});
const registry = createRegistryClient(registryAddress, { actor: 'stranger' });
const { models } = await registry.registry.listModels({});
console.log(answer.version, answer.output('probabilities').shape.join(), models.map(({ name }) => name).join());
// @ts-expect-error: a model is a name
void (() => client.infer({ model: 1, inputs: [] }));
// @ts-expect-error: a model has no such field
void models.map((model) => model.colour);
client.close();
registry.close();
`;

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

  it('of the client have types that a strict program compiles with', async () => {
    await writeFile(path.join(home, 'program.ts'), program);
    const strict = [
      '--strict',
      '--exactOptionalPropertyTypes',
      '--noUncheckedIndexedAccess',
      '--skipLibCheck',
      'false',
    ];
    const modules = ['--module', 'nodenext', '--target', 'es2024', '--lib', 'es2024,esnext.disposable,esnext.float16'];
    const nodeTypes = ['--types', 'node', '--typeRoots', path.join(root, 'node_modules', '@types')];
    await run('tsc', ['--noEmit', ...strict, ...modules, ...nodeTypes, 'program.ts'], { cwd: home, env });
  });

  it('call a built platform that runs in an empty folder with its examples', { timeout: 120_000 }, async () => {
    const built = await BuiltFolder.copyOf('platform');
    onTestFinished(() => built.remove());
    const said: string[] = [];
    const start = async (): Promise<Awaited<ReturnType<BuiltFolder['run']>>> => {
      const offset = randomInt(2000, 20_000);
      const [router, registry] = [`127.0.0.1:${8001 + offset}`, `127.0.0.1:${8101 + offset}`];
      const meanwhile = async () => {
        const sluice = path.join(home, 'node_modules', '.bin', 'sluice');
        said.push((await run('node', ['program.ts', router, registry], { cwd: home, env })).stdout);
        said.push((await run(sluice, ['show', 'digits', '--registry', registry], { cwd: home, env })).stdout);
      };
      const args = ['--home', path.join(built.folder, 'home'), '--port-offset', String(offset)];
      const ended = await built.run(args, { env: { PATH: '/usr/bin:/bin' }, until: /this machine alone/, meanwhile });
      return ended.err.includes('is taken by another program') ? start() : ended;
    };
    const { code, out, err } = await start();
    expect(err).toBe('');
    expect(out).toContain('digits: linear -> 1, mlp -> 2, cnn -> 3, champion -> 3');
    expect(said).toEqual(['3 1,10 digits,wdbc\n', expect.stringMatching(/^version +digits 3\n/)]);
    expect(code).toBe(0);
  });
});
