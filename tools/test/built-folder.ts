import { spawn } from 'node:child_process';
import { chmod, cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { existsSync } from 'node:fs';
import { root } from '../pinned-node.mjs';

/** A copy of a built app in an empty folder, run by Node alone: no clone, no node_modules above it, no environment. */
export class BuiltFolder {
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  static async copyOf(app: string): Promise<BuiltFolder> {
    const folder = await mkdtemp(path.join(tmpdir(), `sluice-${app}-`));
    for (let above = path.dirname(folder); above !== path.dirname(above); above = path.dirname(above))
      if (existsSync(path.join(above, 'node_modules')))
        throw new Error(`${above} has node_modules: this proves nothing`);
    await cp(path.join(root, 'apps', app, 'dist'), folder, { recursive: true });
    // A platform's Postgres has a user of its own: else its data would lie elsewhere and stay.
    await chmod(folder, 0o755);
    return new BuiltFolder(folder);
  }

  /** The folder where it was built. */
  static inPlace(app: string): BuiltFolder {
    return new BuiltFolder(path.join(root, 'apps', app, 'dist'));
  }

  /**
   * Runs `node <nodeArgs> <entry> <args>` until it ends or `until` finds what it prints; then `meanwhile` is done, and it is
   * told to stop.
   */
  async run(
    args: readonly string[],
    options: {
      nodeArgs?: string[];
      env?: Record<string, string>;
      until?: RegExp;
      meanwhile?: () => Promise<void>;
      entry?: string;
    } = {},
  ): Promise<{ code: number | null; out: string; err: string }> {
    const entry = path.join(this.folder, options.entry ?? 'main.js');
    const child = spawn(process.execPath, [...(options.nodeArgs ?? []), entry, ...args], {
      cwd: this.folder,
      env: options.env ?? {},
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let [out, err] = ['', ''];
    let done = Promise.resolve();
    child.stdout.on('data', (chunk: Buffer) => {
      const before = options.until?.test(out);
      out += chunk.toString();
      // Once: a second signal would kill it in its drain.
      if (before !== false || options.until?.test(out) !== true) return;
      done = (options.meanwhile?.() ?? done).finally(() => child.kill('SIGTERM'));
      // What it throws is thrown below, when the process has ended.
      done.catch(() => undefined);
    });
    child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
    const { promise, resolve } = Promise.withResolvers<number | null>();
    child.on('close', resolve);
    const code = await promise;
    await done;
    return { code, out, err };
  }

  async remove(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** Makes Node believe that it is older than it is. */
export const oldNode = [
  '--import',
  'data:text/javascript,Object.defineProperty(process.versions,"node",{value:"20.20.2"})',
];
