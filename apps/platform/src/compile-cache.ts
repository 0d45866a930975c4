import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Layout } from './layout.ts';

export interface CompileCacheOptions {
  /** Absolute folder of data, logs and secrets; the cache lies below it. */
  readonly home: string;
  readonly layout: Layout;
  readonly node: string;
  readonly env: Readonly<Record<string, string>>;
}

export interface CompileCache {
  /** The environment that lets Node keep compiled code between starts. */
  readonly env: Readonly<Record<string, string>>;
  /**
   * Fills the cache unless it is full. A program that runs from TypeScript with an empty cache loads Node's type stripper
   * and keeps its 25 MB for as long as it lives; with a filled one it does not. Whatever goes wrong here costs memory, not
   * correctness, so it is not told. `signal` ends it half-way.
   */
  fill(signal: AbortSignal): Promise<void>;
}

/** What a platform runs, and what ends each at once after it has loaded. Outside a thread, a thread's code ends by itself. */
const loads: readonly (readonly [...Parameters<Layout['entry']>, ...string[]])[] = [
  ['registry', 'main', '--help'],
  ['feedback', 'main', '--help'],
  ['model-server', 'main', '--help'],
  ['model-server', 'runtime/session-worker'],
  ['model-server', 'versions/hash-worker'],
  ['router', 'main', '--help'],
];

/**
 * The compile cache of the programs as they are now. In a clone it has a folder named by what it was made from: after a
 * change of the sources or the dependencies it is filled anew, and the older one removed. One that the environment names is
 * its owner's, and is used as it is.
 */
export function openCompileCache(options: CompileCacheOptions): CompileCache {
  const { home, layout } = options;
  const given = options.env['NODE_COMPILE_CACHE'];
  if (given !== undefined && given !== '') return { env: { NODE_COMPILE_CACHE: given }, fill: () => Promise.resolve() };
  const folder = path.join(home, 'compile-cache', layout.isClone ? digestOf(layout.root) : 'built');
  const env = { NODE_COMPILE_CACHE: folder };
  return { env, fill: async (signal) => (layout.isClone ? fill(options, folder, signal) : undefined) };
}

/** Takes about 10 ms: by content, since a pull, a copy and a touched file say little by their times. */
function digestOf(root: string): string {
  const hash = createHash('sha256').update(`${process.version}\0${root}\0`);
  const add = (file: string): unknown => hash.update(`${file}\0`).update(readFileSync(path.join(root, file)));
  add('package-lock.json');
  for (const group of ['apps', 'libs'])
    for (const project of readdirSync(path.join(root, group)).sort()) {
      const sources = path.join(group, project, 'src');
      if (!existsSync(path.join(root, sources))) continue;
      const files = readdirSync(path.join(root, sources), { recursive: true, encoding: 'utf8' });
      for (const file of files.sort()) if (/(?<!\.test)\.ts$/.test(file)) add(path.join(sources, file));
    }
  return hash.digest('hex').slice(0, 16);
}

async function fill(options: CompileCacheOptions, folder: string, signal: AbortSignal): Promise<void> {
  const mark = path.join(folder, 'complete');
  if (existsSync(mark)) return;
  // What an interrupted start has left is as useless as what older sources were compiled to.
  await rm(path.dirname(folder), { recursive: true, force: true, maxRetries: 3 }).catch(() => undefined);
  const loaded = await Promise.all(loads.map(async (load) => run(options, folder, load, signal)));
  if (!loaded.every(Boolean)) return;
  await mkdir(folder, { recursive: true })
    .then(async () => writeFile(mark, ''))
    .catch(() => undefined);
}

/** Resolves with whether the program has ended by itself, with any status. */
async function run(
  { layout, node, env }: CompileCacheOptions,
  folder: string,
  [program, name, ...more]: (typeof loads)[number],
  signal: AbortSignal,
): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const args = [...layout.entry(program, name), ...more];
  const child = spawn(node, args, {
    env: { ...env, NODE_COMPILE_CACHE: folder },
    stdio: 'ignore',
    timeout: 30_000,
    signal,
  });
  // An abort is an error at once; the process has ended a moment later.
  child.once('error', () => child.pid === undefined && resolve(false));
  child.once('exit', (code) => resolve(code !== null));
  return promise;
}
