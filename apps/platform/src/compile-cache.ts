import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import type { Layout } from './layout.ts';

export interface CompileCacheOptions {
  /** Absolute folder of data, logs and secrets; the cache lies below it. */
  readonly home: string;
  readonly layout: Layout;
  readonly node: string;
  readonly env: Readonly<Record<string, string>>;
  /** Ends it half-way. */
  readonly signal: AbortSignal;
}

/** What a platform runs, and what ends each at once after it has loaded. Outside a thread, a thread's code ends by itself. */
const loads: readonly (readonly [...Parameters<Layout['entry']>, ...string[]])[] = [
  ['registry', 'main', '--help'],
  ['model-server', 'main', '--help'],
  ['model-server', 'runtime/session-worker'],
  ['router', 'main', '--help'],
];

/** The environment that lets Node keep compiled code between starts. */
export function compileCacheEnv(home: string): Record<string, string> {
  return { NODE_COMPILE_CACHE: path.join(home, 'compile-cache') };
}

/**
 * Fills the compile cache before the first start. A program that runs from TypeScript with an empty cache loads Node's
 * type stripper and keeps its 25 MB for as long as it lives; with a filled one it does not. Whatever goes wrong here costs
 * memory, not correctness, so it is not told.
 */
export async function fillCompileCache({ home, layout, node, env, signal }: CompileCacheOptions): Promise<void> {
  const cache = compileCacheEnv(home);
  if (!layout.isClone || existsSync(cache['NODE_COMPILE_CACHE']!)) return;
  await Promise.all(
    loads.map(
      async ([program, name, ...more]) =>
        new Promise<void>((resolve) => {
          const args = [...layout.entry(program, name), ...more];
          const child = spawn(node, args, { env: { ...env, ...cache }, stdio: 'ignore', timeout: 30_000, signal });
          child.once('error', () => resolve());
          child.once('exit', () => resolve());
        }),
    ),
  );
}
