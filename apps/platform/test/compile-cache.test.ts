import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { eventually } from '@sluice/testkit/eventually';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openCompileCache } from '../src/compile-cache.ts';
import type { CompileCache } from '../src/compile-cache.ts';
import { findLayout } from '../src/layout.ts';

const node = process.execPath;
const { signal } = new AbortController();
let home: string;
beforeEach(() => {
  home = mkdtempSync(path.join(tmpdir(), 'sluice-cache-'));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

const folderOf = (cache: CompileCache): string => cache.env['NODE_COMPILE_CACHE']!;

describe('compile cache', () => {
  it('is filled once, before the programs run from TypeScript', async () => {
    const layout = findLayout(path.join(import.meta.dirname, '..', 'src'));
    const cache = openCompileCache({ home, layout, node, env: {} });
    await cache.fill(signal);
    const [version] = readdirSync(folderOf(cache)).filter((name) => name !== 'complete');
    expect(readdirSync(path.join(folderOf(cache), version!)).length).toBeGreaterThan(100);
    const again = openCompileCache({ home, layout, node: 'no such program', env: {} });
    expect(again.env).toEqual(cache.env);
    await expect(again.fill(signal)).resolves.toBeUndefined();
    expect(existsSync(path.join(folderOf(cache), version!))).toBe(true);
  }, 60_000);

  it('is left to Node where the programs are built', async () => {
    const layout = findLayout('/somewhere/dist');
    const cache = openCompileCache({ home: '/nowhere', layout, node: 'no such program', env: {} });
    await cache.fill(signal);
    expect([layout.isClone, folderOf(cache)]).toEqual([false, '/nowhere/compile-cache/built']);
  });
});

describe('compile cache of the environment', () => {
  it('is used as it is: several platforms may share it', async () => {
    const layout = findLayout(path.join(import.meta.dirname, '..', 'src'));
    const env = { NODE_COMPILE_CACHE: path.join(home, 'shared') };
    const cache = openCompileCache({ home, layout, node: 'no such program', env });
    expect(cache.env).toEqual(env);
    await cache.fill(signal);
    expect(readdirSync(home)).toEqual([]);
  });
});

describe('compile cache of a small clone', () => {
  let clone: string;
  let runs: string;
  const programs = ['registry/src/main.ts', 'router/src/main.ts', 'model-server/src/main.ts'];
  beforeEach(async () => {
    clone = path.join(home, 'clone');
    runs = path.join(home, 'runs');
    const source = `import fs from 'node:fs'; fs.appendFileSync(${JSON.stringify(runs)}, 'x');`;
    const threads = ['runtime/session-worker.ts', 'versions/hash-worker.ts'].map((file) => `model-server/src/${file}`);
    for (const file of [...programs, ...threads]) await put(`apps/${file}`, source);
    await put('libs/wire/src/frame.ts', 'export const one = 1;');
    await put('libs/wire/src/frame.test.ts', '');
    await put('package-lock.json', '{}');
  });

  async function put(file: string, text: string): Promise<void> {
    await mkdir(path.dirname(path.join(clone, file)), { recursive: true });
    await writeFile(path.join(clone, file), text);
  }
  const open = (): CompileCache =>
    openCompileCache({ home, layout: findLayout(path.join(clone, 'apps', 'platform', 'src')), node, env: {} });
  const countRuns = (): number => (existsSync(runs) ? readFileSync(runs, 'utf8').length : 0);

  it('is filled anew when a source or a dependency has changed, and the old one goes', async () => {
    await open().fill(signal);
    await put('libs/wire/src/frame.test.ts', 'changed;');
    await open().fill(signal);
    expect(countRuns()).toBe(5);
    for (const [index, file] of ['libs/wire/src/frame.ts', 'package-lock.json'].entries()) {
      await put(file, '"changed"');
      const cache = open();
      await cache.fill(signal);
      expect(countRuns()).toBe(10 + 5 * index);
      expect(readdirSync(path.join(home, 'compile-cache'))).toEqual([path.basename(folderOf(cache))]);
    }
  });

  it('is filled again when that was interrupted', async () => {
    await put('apps/router/src/main.ts', 'setInterval(() => undefined, 1000);');
    const stop = new AbortController();
    const interrupted = open().fill(stop.signal);
    await eventually(() => expect(countRuns()).toBe(4));
    stop.abort();
    await interrupted;
    const stopped = new AbortController();
    const again = open().fill(stopped.signal);
    await eventually(() => expect(countRuns()).toBe(8));
    stopped.abort();
    await again;
  });
});
