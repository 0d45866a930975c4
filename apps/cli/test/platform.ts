import { spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { watchService } from '@sluice/contracts/services';
import { createRpcClient } from '@sluice/rpc/client';
import { systemClock } from '@sluice/service-kit/clock';
import { eventually } from '@sluice/testkit/eventually';
import { runCli } from '../src/run-cli.ts';

export const root = path.resolve(import.meta.dirname, '..', '..', '..');
export const examples = path.join(root, 'examples', 'models');

/** How a command ended. */
export interface Ended {
  readonly code: number;
  readonly out: string;
  readonly notes: string;
  /** Standard output, read as JSON. */
  readonly json: () => unknown;
}

export interface Platform {
  readonly registry: string;
  readonly router: string;
  /** Where it is, as a command's environment says it. */
  readonly env: Readonly<Record<string, string>>;
  /** Runs a command in this process, as the shell would. */
  readonly sluice: (...args: string[]) => Promise<Ended>;
  /** Announces a runtime that loads nothing: moves stay under way until what this returns is called. */
  readonly holdMoves: () => Promise<() => Promise<void>>;
  readonly stop: () => Promise<void>;
}

/** Runs the command line in this process; progress bars are drawn on `bars`. */
export async function run(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  bars?: NodeJS.WritableStream,
): Promise<Ended> {
  const out: string[] = [];
  const notes: string[] = [];
  const code = await runCli({
    args,
    env,
    clock: systemClock,
    user: 'pusher',
    version: '0.1.0',
    signal: new AbortController().signal,
    terminal: { out: (text) => out.push(text), note: (text) => notes.push(text), bars, input: undefined },
  });
  return { code, out: out.join('\n'), notes: notes.join('\n'), json: () => JSON.parse(out.join('\n')) as unknown };
}

/** The whole platform with its examples, on ports and in a folder of its own. */
export async function startPlatform(): Promise<Platform> {
  for (let attempt = 1; ; attempt += 1) {
    const home = await mkdtemp(path.join(tmpdir(), 'sluice-cli-test-'));
    // Postgres has a user of its own: else its data would lie elsewhere and stay.
    await chmod(home, 0o755);
    const offset = randomInt(20_000, 50_000);
    const main = path.join(root, 'apps', 'platform', 'src', 'main.ts');
    const child = spawn(
      process.execPath,
      ['--conditions=@sluice/source', main, '--home', home, '--port-offset', String(offset)],
      { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] },
    );
    let printed = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => (printed += chunk.toString()));
    const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
    const stop = async () => {
      child.kill('SIGTERM');
      await ended;
      await rm(home, { recursive: true, force: true });
    };
    try {
      await eventually(() => {
        if (child.exitCode !== null) return;
        if (!printed.includes('Sluice is running')) throw new Error(`the platform does not start:\n${printed}`);
      }, 170_000);
      if (child.exitCode !== null) throw new Error(`the platform ended:\n${printed}`);
    } catch (error) {
      await stop();
      // Another process may have the ports.
      if (attempt === 3 || !/taken|in use/i.test(printed)) throw error;
      continue;
    }
    const registry = `127.0.0.1:${8101 + offset}`;
    const router = `127.0.0.1:${8001 + offset}`;
    const feedback = `127.0.0.1:${8111 + offset}`;
    const env = { SLUICE_REGISTRY: registry, SLUICE_ROUTER: router, SLUICE_FEEDBACK: feedback };
    const sluice = (...args: string[]) => run(args, env);
    return { registry, router, env, sluice, holdMoves: () => holdMoves(registry), stop };
  }
}

async function holdMoves(registry: string): Promise<() => Promise<void>> {
  const watch = createRpcClient(watchService, registry, { clock: systemClock });
  await watch.renewRuntimeLease({ runtimeId: 'idle-runtime', pool: 'default', address: '127.0.0.1:9', ttlMs: 30_000 });
  return async () => {
    await watch.releaseLease({ holderId: 'idle-runtime' });
    watch.close();
  };
}
