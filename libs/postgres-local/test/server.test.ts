import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { canEnter, chooseAccount } from '../src/account.ts';
import { installBinaries, ownName, usableBase, type PostgresBinaries } from '../src/binaries.ts';
import { clearLeftover, delay, describeProcess, isAlive, readPostmaster } from '../src/postmaster.ts';
import { initCluster, isInitialised, startServer, type PostgresServer, type StartOptions } from '../src/server.ts';

const account = chooseAccount();
const isRoot = process.getuid?.() === 0;
let binaries: PostgresBinaries;
let base: string;
let home: string;
let dataDir: string;
const servers: PostgresServer[] = [];
const children: ChildProcess[] = [];

beforeAll(async () => {
  binaries = await installBinaries(account);
  base = await mkdtemp(join(await usableBase(join('/tmp', ownName()), account), 'run-'));
  await chmod(base, 0o755);
});
afterAll(() => rm(base, { recursive: true, force: true }));

beforeEach(async () => {
  home = await mkdtemp(join(base, 'case-'));
  await chmod(home, 0o755);
  dataDir = join(home, 'data');
});
afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  for (const server of servers.splice(0)) await server.stop(1000);
  await rm(home, { recursive: true, force: true });
});

async function init(): Promise<void> {
  await initCluster({ binaries, account, dataDir, superuser: 'me', password: 'secret', durable: false });
}

async function start(options: Partial<StartOptions> = {}): Promise<PostgresServer> {
  const server = await startServer({ binaries, account, dataDir, port: 0, ...options });
  servers.push(server);
  return server;
}

/** A process that starts the server and then does nothing, until it is killed. */
async function supervisor(): Promise<{ child: ChildProcess; pid: number; port: number }> {
  const child = fork(new URL('supervisor.ts', import.meta.url), [dataDir], {
    execArgv: ['--conditions=@sluice/source'],
  });
  children.push(child);
  const [message] = (await once(child, 'message')) as [{ pid: number; port: number }];
  return { child, ...message };
}

async function gone(pid: number): Promise<void> {
  const end = performance.now() + 10_000;
  while (isAlive(pid)) {
    if (performance.now() > end) throw new Error(`process ${pid} still lives`);
    await delay(20);
  }
}

describe('a cluster', () => {
  it('is made whole, with passwords and checksums, for its account only', async () => {
    expect(await isInitialised(dataDir)).toBe(false);
    await init();
    expect(await isInitialised(dataDir)).toBe(true);
    expect((await stat(dataDir)).mode & 0o777).toBe(0o700);
    if (account) expect((await stat(dataDir)).uid).toBe(account.uid);
    const rules = await readFile(join(dataDir, 'pg_hba.conf'), 'utf8');
    expect(rules).toMatch(/^host\s+all\s+all\s+127\.0\.0\.1\/32\s+scram-sha-256/m);
    expect(rules).not.toMatch(/^[^#].*\btrust\b/m);
  });

  it('is not left half-made when initdb fails', async () => {
    const broken = { ...binaries, initdb: '/bin/false' };
    const made = initCluster({ binaries: broken, account, dataDir, superuser: 'me', password: 'x' });
    await expect(made).rejects.toMatchObject({ kind: 'unavailable' });
    expect(await isInitialised(dataDir)).toBe(false);
  });
});

describe('a server', () => {
  let made: string;
  beforeAll(async () => {
    made = dataDir = join(base, 'made');
    await init();
  });
  beforeEach(() => {
    dataDir = made;
  });

  it('starts on a free port, logs, stops, and starts again on the same data', async () => {
    const lines: string[] = [];
    const first = await start({ onLog: (line) => lines.push(line) });
    expect(first.port).toBeGreaterThan(0);
    expect(lines.join('\n')).toMatch(/ready to accept connections/);
    await first.stop();
    expect(await first.ended).toEqual({ code: 0, signal: null });
    expect(isAlive(first.pid)).toBe(false);
    const second = await start();
    expect(second.pid).not.toBe(first.pid);
  });

  it('stops at once when it is stopped at once', async () => {
    const server = await start();
    await server.stop();
    await server.stop();
    await gone(server.pid);
  });

  it('says in one line that its port is taken', async () => {
    const listener = createServer();
    listener.listen(0, '127.0.0.1');
    await once(listener, 'listening');
    const { port } = listener.address() as { port: number };
    await expect(start({ port })).rejects.toMatchObject({
      kind: 'failed-precondition',
      message: `port ${port} is taken: stop what listens there, or choose another port for Postgres`,
    });
    listener.close();
  });

  it('says why it does not start', async () => {
    await expect(start({ settings: { shared_buffers: 'many' } })).rejects.toThrow(/invalid value for parameter/);
  });

  it('starts again after it was killed', async () => {
    const server = await start();
    process.kill(server.pid, 'SIGKILL');
    expect((await server.ended).code).not.toBe(0);
    const again = await start({ port: server.port });
    expect(again.port).toBe(server.port);
  });

  it('starts although a stale file names a process that is something else now', async () => {
    const server = await start();
    process.kill(server.pid, 'SIGKILL');
    await server.ended;
    const file = join(dataDir, 'postmaster.pid');
    const lines = (await readFile(file, 'utf8')).split('\n');
    await writeFile(file, [String(process.pid), ...lines.slice(1)].join('\n'));
    await start();
  });

  it('ends by itself when the process that started it is killed, and another can start it', async () => {
    const { child, pid, port } = await supervisor();
    expect(isAlive(pid)).toBe(true);
    child.kill('SIGKILL');
    const next = await start({ port });
    expect(isAlive(pid)).toBe(false);
    expect(next.pid).not.toBe(pid);
  });

  it('is taken over when its guard died with the process that started it', async () => {
    const { child, pid } = await supervisor();
    const guard = describeProcess(pid)!.parent;
    child.kill('SIGSTOP');
    process.kill(guard, 'SIGKILL');
    child.kill('SIGKILL');
    await start();
    await gone(pid);
  });

  it('is left alone while whoever started it lives', async () => {
    const server = await start();
    await expect(clearLeftover(dataDir, 100)).rejects.toMatchObject({ kind: 'failed-precondition' });
    expect((await readPostmaster(dataDir))?.pid).toBe(server.pid);
  });
});

describe('binaries', () => {
  it('are copied once, with the library links that npm leaves out', async () => {
    const into = join(home, 'copies');
    const [one, two] = await Promise.all([installBinaries(account, into), installBinaries(account, into)]);
    expect(one).toEqual(two);
    expect(one.version).toMatch(/^18\./);
    await initCluster({ binaries: one, account, dataDir, superuser: 'me', password: 'x', durable: false });
    expect(await isInitialised(dataDir)).toBe(true);
  });

  it('are copied again when something has cleaned up some of them', async () => {
    const into = join(home, 'copies');
    const { postgres } = await installBinaries(account, into);
    const file = join(postgres, '..', '..', 'share', 'postgresql', 'errcodes.txt');
    await rm(file);
    await installBinaries(account, into);
    const libraries = join(postgres, '..', '..', 'lib');
    const link = (await readdir(libraries, { withFileTypes: true })).find((entry) => entry.isSymbolicLink());
    if (link) {
      await rm(join(libraries, link.name));
      await installBinaries(account, into);
      expect(await readdir(libraries)).toContain(link.name);
    }
    expect((await stat(file)).size).toBeGreaterThan(1000);
    expect(await readdir(into)).toHaveLength(1);
  });

  it.runIf(isRoot)('are put elsewhere when the account cannot enter the folder', async () => {
    const closed = join(home, 'closed');
    await mkdir(closed, { mode: 0o700 });
    expect(canEnter(closed, account)).toBe(false);
    const copy = await installBinaries(account, join(closed, 'copies'));
    expect(copy.postgres.startsWith(closed)).toBe(false);
  });

  it('are not put into a folder that others may write to', async () => {
    const shared = join(home, 'shared');
    await mkdir(shared);
    await chmod(shared, 0o777);
    expect(await usableBase(shared, account)).not.toBe(shared);
  });
});
