import { randomBytes } from 'node:crypto';
import { chown, cp, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { tmpdir } from 'node:os';
import pg from 'pg';
import { keptPort } from './kept-port.ts';
import { chooseAccount, type Account } from '@sluice/postgres-local/account';
import { installBinaries, ownName, usableBase, type PostgresBinaries } from '@sluice/postgres-local/binaries';
import { initCluster, startServer, type PostgresServer } from '@sluice/postgres-local/server';

/** A throw-away Postgres: durable against nothing, gone with `stop()` or with the process that started it. */
export interface TestPostgres {
  readonly host: string;
  readonly port: number;
  /** The superuser's address of a database; it also owns what tests create. */
  ownerUrl(database?: string): string;
  /** The address of a database for another role. */
  urlFor(user: string, password: string, database: string): string;
  /**
   * Makes a database with a name of its own and returns the name: empty, or a copy of another one, to which nobody may
   * be connected then.
   */
  createDatabase(template?: string): Promise<string>;
  /** Kills the server without mercy (SIGKILL), as a crash does. */
  kill(): Promise<void>;
  /** Starts it again after `kill()`, on the same port with the same data. */
  restart(): Promise<void>;
  /** Ends it and removes its data. */
  stop(): Promise<void>;
}

const superuser = 'postgres';
const host = '127.0.0.1';
/** Commits survive the death of the server (they are written at COMMIT), not that of the machine (nothing is flushed). */
const settings = {
  fsync: 'off',
  full_page_writes: 'off',
  shared_buffers: '16MB',
  max_connections: '200',
};

const templateLifeMs = 2 * 86_400_000;

interface Template {
  readonly dataDir: string;
  readonly password: string;
}

/**
 * Starts a Postgres for one test file: the binaries and an initialised data folder are kept in the folder for temporary
 * files between runs, so that only the first call on a machine takes seconds.
 *
 * @param options.unrelated whether its cluster is made for it alone, in seconds: all others are copies of one, with one system identifier
 */
export async function startPostgres({ unrelated = false } = {}): Promise<TestPostgres> {
  const account = chooseAccount();
  const binaries = await installBinaries(account);
  const base = await usableBase(join(tmpdir(), ownName()), account);
  const template = await ensureTemplate(base, binaries, account);
  await removeAbandoned(base);
  const home = await mkdtemp(join(base, 'run-'));
  const dataDir = join(home, 'data');
  if (unrelated) {
    if (account) await giveTo(home, account);
    const { password } = template;
    await initCluster({ binaries, account, dataDir, superuser, password, durable: false });
  } else {
    await cp(template.dataDir, dataDir, { recursive: true });
    if (account) await giveTo(home, account);
  }
  const start = (port: number): Promise<PostgresServer> => startServer({ binaries, account, dataDir, port, settings });
  return new RunningPostgres(home, template.password, start, await startOnKeptPort(start));
}

/** Somebody else may take the port between the look at it and the start. */
async function startOnKeptPort(start: (port: number) => Promise<PostgresServer>): Promise<PostgresServer> {
  for (let attempt = 1; ; attempt++)
    try {
      return await start(await keptPort());
    } catch (error) {
      if (attempt === 3) throw error;
    }
}

class RunningPostgres implements TestPostgres {
  readonly host = host;
  readonly port: number;
  readonly #home: string;
  readonly #password: string;
  readonly #start: (port: number) => Promise<PostgresServer>;
  #server: PostgresServer;
  #databases = 0;

  constructor(
    home: string,
    password: string,
    start: (port: number) => Promise<PostgresServer>,
    server: PostgresServer,
  ) {
    this.#home = home;
    this.#password = password;
    this.#start = start;
    this.#server = server;
    this.port = server.port;
  }

  ownerUrl(database = 'postgres'): string {
    return this.urlFor(superuser, this.#password, database);
  }

  urlFor(user: string, password: string, database: string): string {
    return `postgres://${encodeURIComponent(user)}:${encodeURIComponent(password)}@${host}:${this.port}/${database}`;
  }

  async createDatabase(template = 'template1'): Promise<string> {
    const name = `test_${++this.#databases}`;
    const client = new pg.Client({ connectionString: this.ownerUrl() });
    await client.connect();
    try {
      await client.query(`CREATE DATABASE ${name} TEMPLATE ${template}`);
    } finally {
      await client.end();
    }
    return name;
  }

  async kill(): Promise<void> {
    process.kill(this.#server.pid, 'SIGKILL');
    await this.#server.ended;
  }

  async restart(): Promise<void> {
    this.#server = await this.#start(this.port);
  }

  async stop(): Promise<void> {
    await this.#server.stop(2000);
    await rm(this.#home, { recursive: true, force: true });
  }
}

/** The initialised, never started data folder that each cluster is a copy of. Two callers at once are safe. */
async function ensureTemplate(
  base: string,
  binaries: PostgresBinaries,
  account: Account | undefined,
): Promise<Template> {
  // Folders for temporary files are cleaned file by file after some days: no template is used for as long.
  const home = join(base, `template-${binaries.version}-${Math.floor(Date.now() / templateLifeMs)}`);
  const found = await readTemplate(home);
  if (found) return found;
  const staging = await mkdtemp(join(base, '.template-'));
  try {
    if (account) await chown(staging, account.uid, account.gid);
    const password = randomBytes(18).toString('base64url');
    await initCluster({ binaries, account, dataDir: join(staging, 'data'), superuser, password, durable: false });
    await writeFile(join(staging, 'password'), password, { mode: 0o600 });
    await rename(staging, home).catch(async (error: unknown) => {
      if (!(await readTemplate(home))) throw error;
    });
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
  const made = await readTemplate(home);
  if (!made) throw new Error(`${home} vanished while it was made`);
  return made;
}

async function readTemplate(home: string): Promise<Template | undefined> {
  try {
    return { dataDir: join(home, 'data'), password: await readFile(join(home, 'password'), 'utf8') };
  } catch {
    return undefined;
  }
}

async function giveTo(root: string, { uid, gid }: Account): Promise<void> {
  const below = await readdir(root, { recursive: true });
  await Promise.all([root, ...below.map((path) => join(root, path))].map((path) => chown(path, uid, gid)));
}

/** Removes the data of runs that were killed (no run lasts an hour), and templates that are no longer used. */
async function removeAbandoned(base: string): Promise<void> {
  for (const name of await readdir(base)) {
    const path = join(base, name);
    const age = Date.now() - (await stat(path).then((stats) => stats.ctimeMs, Date.now));
    const life = name.startsWith('template-') ? 2 * templateLifeMs : 3_600_000;
    if (/^(run|\.?template)-/.test(name) && age > life) await rm(path, { recursive: true, force: true });
  }
}
