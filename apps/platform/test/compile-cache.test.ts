import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { compileCacheEnv, fillCompileCache } from '../src/compile-cache.ts';
import { findLayout } from '../src/layout.ts';

const { signal } = new AbortController();
const homes: string[] = [];
afterEach(() => {
  for (const home of homes.splice(0)) rmSync(home, { recursive: true, force: true });
});

describe('compile cache', () => {
  it('is filled once, before the programs run from TypeScript', async () => {
    const home = mkdtempSync(path.join(tmpdir(), 'sluice-cache-'));
    homes.push(home);
    const options = {
      home,
      layout: findLayout(path.join(import.meta.dirname, '..', 'src')),
      node: process.execPath,
      env: {},
      signal,
    };
    await fillCompileCache(options);
    const folder = compileCacheEnv(home)['NODE_COMPILE_CACHE']!;
    const [version] = readdirSync(folder);
    expect(readdirSync(path.join(folder, version!)).length).toBeGreaterThan(100);
    await expect(fillCompileCache({ ...options, node: 'no such program' })).resolves.toBeUndefined();
  }, 60_000);

  it('is left to Node where the programs are built', async () => {
    const layout = findLayout('/somewhere/dist');
    await fillCompileCache({ home: '/nowhere', layout, node: 'no such program', env: {}, signal });
    expect(layout.isClone).toBe(false);
  });
});
