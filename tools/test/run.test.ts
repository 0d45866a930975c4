import { spawn } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { eventually } from '@sluice/testkit/eventually';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { pinnedPackage } from '../pinned-node.mjs';

const root = path.resolve(import.meta.dirname, '..', '..');
const nodePackage = pinnedPackage ?? 'none';

interface Outcome {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

let clone: string;

/** Runs `node tools/run.mjs ...` in the small clone with the npm that only notes that it was called. */
async function run(args: string[], env: Record<string, string> = {}, nodeArgs: string[] = []): Promise<Outcome> {
  const child = spawn(process.execPath, [...nodeArgs, path.join(clone, 'tools', 'run.mjs'), ...args], {
    cwd: clone,
    env: { PATH: process.env['PATH'] ?? '', npm_execpath: path.join(clone, 'npm.cjs'), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [out, err] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
  const { promise, resolve } = Promise.withResolvers<number | null>();
  child.on('close', resolve);
  return { code: await promise, out, err };
}

const installs = async (): Promise<number> =>
  (await readFile(path.join(clone, 'calls'), 'utf8').catch(() => '')).split('\n').filter(Boolean).length;

const manifest = (dependencies: Record<string, string>): string => JSON.stringify({ name: 'small', dependencies });

const platform = { version: '1.0.0', os: [process.platform], cpu: process.arch };
const { header } = process.report.getReport() as { header: { glibcVersionRuntime?: string } };
const glibc = header.glibcVersionRuntime !== undefined;
const linuxOnly = (libc: string): string[] | undefined => (process.platform === 'linux' ? [libc] : undefined);

async function lock(dependencies: Record<string, string>, version: string): Promise<void> {
  const packages = {
    '': { dependencies },
    'node_modules/thing': { version, integrity: `sha512-${version}` },
    'node_modules/for-this-machine': { ...platform, optional: true, libc: linuxOnly(glibc ? 'glibc' : 'musl') },
    'node_modules/for-another-libc': { ...platform, optional: true, libc: [glibc ? 'musl' : 'glibc'] },
    'node_modules/for-another-system': { version: '1.0.0', optional: true, os: [`!${process.platform}`] },
    'node_modules/for-anybody': { version: '1.0.0', optional: true },
  };
  await writeFile(path.join(clone, 'package-lock.json'), JSON.stringify({ packages }));
}

beforeEach(async () => {
  clone = await mkdtemp(path.join(tmpdir(), 'sluice-run-'));
  await mkdir(path.join(clone, 'tools'));
  for (const file of ['run.mjs', 'dependencies.mjs', 'pinned-node.mjs'])
    await cp(path.join(root, 'tools', file), path.join(clone, 'tools', file));
  await writeFile(
    path.join(clone, 'tools', 'ci.mjs'),
    'console.log(process.execPath, process.argv.slice(2).join(" ")); process.exit(Number(process.argv[2] ?? 0));',
  );
  await writeFile(path.join(clone, 'package.json'), manifest({ thing: '1.0.0' }));
  await lock({ thing: '1.0.0' }, '1.0.0');
  // Stands for npm: notes the call, takes a moment, and leaves what npm leaves.
  await writeFile(
    path.join(clone, 'npm.cjs'),
    `const fs = require('node:fs');
fs.appendFileSync('calls', process.argv.slice(2).join(' ') + '\\n');
Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, Number(process.env.NPM_TAKES_MS ?? 400));
fs.mkdirSync('node_modules/.bin', { recursive: true });
const lock = JSON.parse(fs.readFileSync('package-lock.json', 'utf8'));
delete lock.packages[''];
for (const name of ['another-system', 'another-libc', 'anybody']) delete lock.packages['node_modules/for-' + name];
if (fs.existsSync('offline')) delete lock.packages['node_modules/for-this-machine'];
if (fs.existsSync('offline') && fs.readFileSync('offline', 'utf8') === 'once') fs.rmSync('offline');
if (!fs.existsSync('node_modules/${nodePackage}'))
  fs.symlinkSync(${JSON.stringify(path.join(root, 'node_modules', nodePackage))}, 'node_modules/${nodePackage}');
fs.writeFileSync('node_modules/.package-lock.json', JSON.stringify(lock));`,
  );
});

afterEach(async () => rm(clone, { recursive: true, force: true }));

describe('tools/run.mjs', () => {
  it('installs what is missing, once, without scripts, and hands over to the pinned Node', async () => {
    const first = await run(['test']);
    expect(first.err).toBe('sluice: dependencies are not installed; running npm ci (about a minute)\n');
    expect(first.out).toContain(path.join('node_modules', nodePackage, 'bin', 'node'));
    expect(await readFile(path.join(clone, 'calls'), 'utf8')).toMatch(/^ci --ignore-scripts /);
    const second = await run(['test']);
    expect(second.err).toBe('');
    expect(await installs()).toBe(1);
  });

  it('installs again when the lock file has changed', async () => {
    await run(['test']);
    await lock({ thing: '1.0.0' }, '1.0.1');
    expect((await run(['test'])).err).toContain('node_modules/thing is stale');
    expect(await installs()).toBe(2);
  });

  it('fetches an optional package of this machine that npm went on without', async () => {
    await writeFile(path.join(clone, 'offline'), 'once');
    const { code, err } = await run(['test']);
    expect(err).toContain('after npm ci node_modules/for-this-machine is missing; running it once more');
    expect([code, await installs()]).toEqual([0, 2]);

    await rm(path.join(clone, 'node_modules'), { recursive: true });
    await writeFile(path.join(clone, 'offline'), 'always');
    const failed = await run(['test']);
    expect(failed.code).toBe(1);
    expect(failed.err).toMatch(/after npm ci node_modules\/for-this-machine is missing: .* try again\n$/);
    await rm(path.join(clone, 'offline'));
    const later = await run(['test']);
    expect([later.code, later.err]).toEqual([
      0,
      expect.stringContaining('for-this-machine is missing; running npm ci'),
    ]);
  });

  it('is safe to start twice at once: one installs, the other waits and goes on', async () => {
    // Long enough for the third to be there, too.
    const slow = { NPM_TAKES_MS: '4000' };
    const both = await Promise.all([run(['test'], slow), run(['test'], slow), run(['test'], slow)]);
    expect(both.map(({ code }) => code)).toEqual([0, 0, 0]);
    expect(await installs()).toBe(1);
    expect(both.filter(({ err }) => err.includes('waiting for it'))).toHaveLength(2);
  });

  it('takes over the lock of a set-up that was killed', async () => {
    await mkdir(path.join(clone, '.sluice'));
    // No process has this number: it is above the largest that Linux gives.
    await writeFile(path.join(clone, '.sluice', 'setup.lock'), '4999999');
    expect((await run(['test'])).code).toBe(0);
  });

  it('names what the lock file lacks instead of npm’s pages', async () => {
    await writeFile(path.join(clone, 'package.json'), manifest({ thing: '1.0.0', other: '2.0.0' }));
    const { code, err } = await run(['test']);
    expect(code).toBe(1);
    expect(err).toBe(
      'sluice: package-lock.json does not have package.json: other@2.0.0; run `npm install --ignore-scripts` and commit the lock file\n',
    );
  });

  it('passes arguments on and ends as the command ended', async () => {
    const { code, out } = await run(['test', '7', '--flag']);
    expect(code).toBe(7);
    expect(out).toContain(' 7 --flag');
  });

  it('asks the command once to stop when npm was killed, and waits while it drains', async () => {
    await writeFile(
      path.join(clone, 'tools', 'ci.mjs'),
      `let signals = 0;
      process.on('SIGTERM', () => {
        if (++signals === 1) setTimeout(() => { fs.writeFileSync('signals', String(signals)); process.exit(); }, 1300);
      });
      import fs from 'node:fs';
      fs.writeFileSync('runs', String(process.pid));
      setInterval(() => undefined, 1000);`,
    );
    // Stands for npm: starts the command and is killed hard.
    const npm = spawn('/bin/sh', ['-c', '"$@" & wait', 'sh', process.execPath, 'tools/run.mjs', 'test'], {
      cwd: clone,
      env: { PATH: process.env['PATH'] ?? '', npm_execpath: path.join(clone, 'npm.cjs') },
      stdio: 'ignore',
    });
    await eventually(() => readFile(path.join(clone, 'runs')));
    npm.kill('SIGKILL');
    await eventually(async () => expect(await readFile(path.join(clone, 'signals'), 'utf8')).toBe('1'));
  });

  it('says one line on a Node that is too old, and for a command that it does not know', async () => {
    const old = 'data:text/javascript,Object.defineProperty(process.versions,"node",{value:"18.20.0"})';
    const { code, err } = await run(['test'], {}, ['--import', old]);
    expect([code, err]).toEqual([
      1,
      'sluice: this is Node 18.20.0; install Node 20 or newer (it only starts the pinned one)\n',
    ]);
    expect((await run(['tset'])).err).toBe('sluice: say one of: start, test, bench, soak, example:evidence\n');
  });
});
