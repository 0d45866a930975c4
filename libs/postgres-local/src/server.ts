import { spawn, type ChildProcess } from 'node:child_process';
import { chown, mkdir, mkdtemp, readdir, rename, rm, stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import { basename, dirname, join } from 'node:path';
import { SluiceError, failedPrecondition, unavailable } from '@sluice/domain/errors';
import { identity, ownerOf, type Account } from './account.ts';
import type { PostgresBinaries } from './binaries.ts';
import { clearLeftover, delay, guardName, readPostmaster, stopPostmaster } from './postmaster.ts';

export interface InitOptions {
  readonly binaries: PostgresBinaries;
  readonly account: Account | undefined;
  /** Made by this call; must not exist. Its parent folder must be one that the account may enter. */
  readonly dataDir: string;
  readonly superuser: string;
  readonly password: string;
  /** False skips flushing to disk: for clusters that are thrown away. Default true. */
  readonly durable?: boolean;
  /** Ends it half-way; nothing is left then. */
  readonly signal?: AbortSignal;
}

export interface StartOptions {
  readonly binaries: PostgresBinaries;
  readonly account: Account | undefined;
  readonly dataDir: string;
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** Server settings, such as `{ fsync: 'off' }`; they win over ours. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Takes each line that Postgres logs. */
  readonly onLog?: (line: string) => void;
  /** How long to wait for readiness, recovery after a crash included, in milliseconds. Default 30,000. */
  readonly timeoutMs?: number;
}

/** How a server ended. */
export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface PostgresServer {
  readonly port: number;
  readonly pid: number;
  /** Resolves when the server has ended, whoever ended it. */
  readonly ended: Promise<Ended>;
  /** Stops it, fast first; after `graceMs` (default 10,000) at once. Resolves when it has ended. */
  stop(graceMs?: number): Promise<void>;
}

/**
 * Runs the postmaster and ends it when our end of standard input closes: so it stops even when we are killed. It
 * asks again and again, since a postmaster that is just starting ignores the signal. Answers with the postmaster's status.
 */
const guardScript = `"$@" </dev/null 3<&- & pg=$!
( read -r _ <&3; while kill -INT $pg; do sleep 1; done ) 2>/dev/null & guard=$!
exec 3<&-
wait $pg; status=$?
kill $guard 2>/dev/null
exit $status`;

/**
 * Runs initdb and gives it the password, which so is never in a file. When our end of standard input closes, initdb and
 * what it has started end at once: also when we are killed.
 */
const initScript = `IFS= read -r password <&3
( read -r _ <&3; kill -KILL 0 ) 2>/dev/null & guard=$!
exec 3<&-
printf '%s\\n' "$password" | "$@"; status=$?
kill $guard 2>/dev/null
exit $status`;

/** True when `dataDir` holds a cluster. */
export async function isInitialised(dataDir: string): Promise<boolean> {
  return stat(join(dataDir, 'PG_VERSION')).then(
    () => true,
    () => false,
  );
}

/**
 * Makes a cluster in `dataDir`: UTF-8 with the built-in C.UTF-8 collation (the same on every machine), checksums on,
 * passwords by SCRAM. It is made beside its place and renamed, so a half-made one is never taken for whole. Throws
 * `cancelled` when `signal` aborts.
 */
export async function initCluster(options: InitOptions): Promise<void> {
  const { account, dataDir } = options;
  await mkdir(dirname(dataDir), { recursive: true });
  const staging = await mkdtemp(join(dirname(dataDir), `.${basename(dataDir)}-`));
  try {
    const data = join(staging, 'data');
    await mkdir(data, { mode: 0o700 });
    if (account) for (const path of [staging, data]) await chown(path, account.uid, account.gid);
    const args = [
      `--pgdata=${data}`,
      `--username=${options.superuser}`,
      '--pwfile=/dev/stdin',
      '--auth=scram-sha-256',
      '--encoding=UTF8',
      '--locale=C',
      '--locale-provider=builtin',
      '--builtin-locale=C.UTF-8',
      ...(options.durable === false ? ['--no-sync', '--wal-segsize=1'] : []),
    ];
    await runInitdb(args, options);
    await rename(data, dataDir);
  } finally {
    await rm(staging, removal);
  }
}

/** A process that was killed may be about to make a last file. */
const removal = { recursive: true, force: true, maxRetries: 5 } as const;

/** Removes what calls of `initCluster` that were killed have left in `base` for data folders whose names begin so. */
export async function removeUnfinished(base: string, prefix: string): Promise<void> {
  const names = await readdir(base).catch(() => []);
  for (const name of names) if (name.startsWith(`.${prefix}`)) await rm(join(base, name), removal);
}

/**
 * Starts the cluster in `dataDir` and resolves when it takes connections. Cleans up after an earlier server that was
 * killed. Errors: `failed-precondition` when the port is taken or the folder is in use, `unavailable` when it does not
 * get ready; both with what Postgres said.
 */
export async function startServer(given: StartOptions): Promise<PostgresServer> {
  // Data that is there decides: Postgres takes it from its owner only, whoever would be chosen for new data.
  const account = given.account && (ownerOf(given.dataDir) ?? given.account);
  const options = { ...given, account };
  const end = performance.now() + (options.timeoutMs ?? 30_000);
  for (;;) {
    await clearLeftover(options.dataDir, Math.min(10_000, end - performance.now()));
    const port = options.port === 0 ? await freePort(options.host ?? '127.0.0.1') : options.port;
    const attempt = await tryStart(options, port, end);
    if ('server' in attempt) return attempt.server;
    const again = attempt.reason === 'leftover' || (attempt.reason === 'port' && options.port === 0);
    if (!again || performance.now() >= end) throw startError(attempt, port);
    await delay(100);
  }
}

interface Failed {
  /** `leftover`: processes of a killed server still hold its shared memory; they end within moments. */
  readonly reason: 'port' | 'leftover' | 'timeout' | 'other';
  readonly log: string;
}

async function tryStart(
  options: StartOptions,
  port: number,
  end: number,
): Promise<{ server: PostgresServer } | Failed> {
  const tail: string[] = [];
  // A killed predecessor leaves its file, which Postgres needs to find processes that still use its memory.
  const stale = (await readPostmaster(options.dataDir))?.pid;
  const child = spawnGuarded(options, port, (line) => {
    tail.push(line);
    if (tail.length > 20) tail.shift();
    options.onLog?.(line);
  });
  let over: Ended | undefined;
  const ended = new Promise<Ended>((resolve) => {
    child.once('error', (error) => {
      tail.push(error.message);
      resolve({ code: null, signal: null });
    });
    child.once('close', (code, signal) => resolve({ code, signal }));
  });
  void ended.then((how) => (over = how));
  for (;;) {
    const postmaster = await readPostmaster(options.dataDir);
    if (postmaster?.ready && postmaster.pid !== stale && !over) {
      return {
        server: { port, pid: postmaster.pid, ended, stop: (ms = 10_000) => stop(options.dataDir, child, ended, ms) },
      };
    }
    if (over) return { reason: reasonOf(tail), log: tail.join('\n') };
    if (performance.now() >= end) {
      await stop(options.dataDir, child, ended, 2000);
      return { reason: 'timeout', log: tail.join('\n') };
    }
    await delay(20);
  }
}

function spawnGuarded(options: StartOptions, port: number, onLine: (line: string) => void): ChildProcess {
  const settings = {
    listen_addresses: options.host ?? '127.0.0.1',
    port: String(port),
    // No socket files: everything goes over the one port, and nothing is left in /tmp.
    unix_socket_directories: '',
    ...options.settings,
  };
  const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const command = [options.binaries.postgres, '-D', options.dataDir, ...flags];
  const child = spawn('/bin/sh', ['-c', `exec 3<&0; ${guardScript}`, guardName(process.pid), ...command], {
    ...identity(options.account),
    cwd: dirname(options.binaries.postgres),
    env: { LC_ALL: 'C' },
    stdio: ['pipe', 'ignore', 'pipe'],
    // A session of its own: Ctrl-C in the terminal must not stop the database before its clients have drained.
    detached: true,
  });
  // A broken pipe here only says that the guard is gone.
  child.stdin.on('error', () => undefined);
  splitLines(child, onLine);
  return child;
}

function splitLines(child: ChildProcess, onLine: (line: string) => void): void {
  let rest = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) if (line !== '') onLine(line);
  });
}

async function stop(dataDir: string, child: ChildProcess, ended: Promise<Ended>, graceMs: number): Promise<void> {
  const postmaster = await readPostmaster(dataDir);
  if (postmaster && child.exitCode === null) await stopPostmaster(postmaster.pid, graceMs);
  child.stdin?.end();
  await ended;
}

async function runInitdb(args: readonly string[], options: InitOptions): Promise<void> {
  const { account, binaries, password, signal } = options;
  if (signal?.aborted) throw new SluiceError('cancelled', 'the making of a database was stopped');
  const child = spawn('/bin/sh', ['-c', `exec 3<&0; ${initScript}`, 'sluice-initdb-guard', binaries.initdb, ...args], {
    ...identity(account),
    cwd: dirname(binaries.initdb),
    env: { LC_ALL: 'C' },
    stdio: ['pipe', 'ignore', 'pipe'],
    // A process group of its own: the guard ends all of it, and Ctrl-C in the terminal reaches only us.
    detached: true,
  });
  child.stdin.on('error', () => undefined);
  child.stdin.write(`${password}\n`);
  const end = (): void => void child.stdin.destroy();
  signal?.addEventListener('abort', end, { once: true });
  const lines: string[] = [];
  splitLines(child, (line) => lines.push(line));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  signal?.removeEventListener('abort', end);
  if (signal?.aborted) throw new SluiceError('cancelled', 'the making of a database was stopped');
  if (code !== 0) throw unavailable(`initdb ended with status ${code ?? 'none'}: ${lines.join(' ')}`);
}

/** A port that nobody listens on now; somebody may take it before we do, so callers try again. */
async function freePort(host: string): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, host, resolve);
  });
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address ? address.port : 0;
}

function reasonOf(lines: readonly string[]): Failed['reason'] {
  const text = lines.join('\n');
  if (/lock file "postmaster.pid" already exists|pre-existing shared memory block/.test(text)) return 'leftover';
  if (/could not bind .*Address already in use|could not create any TCP\/IP sockets/.test(text)) return 'port';
  return 'other';
}

function startError(failed: Failed, port: number): SluiceError {
  if (failed.reason === 'port')
    return failedPrecondition(`port ${port} is taken: stop what listens there, or choose another port for Postgres`);
  const what = failed.reason === 'timeout' ? 'Postgres did not get ready in time' : 'Postgres ended while starting';
  return unavailable(`${what}: ${failed.log.trim() || 'it said nothing'}`);
}
