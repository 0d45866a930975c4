import { createHash } from 'node:crypto';
import { readdir, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { failedPrecondition } from '@sluice/domain/errors';
import { canEnter, chooseAccount } from '@sluice/postgres-local/account';
import type { Account } from '@sluice/postgres-local/account';
import { installBinaries, otherBases, usableBase } from '@sluice/postgres-local/binaries';
import type { PostgresBinaries } from '@sluice/postgres-local/binaries';
import { clearLeftover } from '@sluice/postgres-local/postmaster';
import { initCluster, isInitialised, removeUnfinished, startServer } from '@sluice/postgres-local/server';
import type { StartOptions } from '@sluice/postgres-local/server';
import pg from 'pg';
import type { Incarnation } from './keeper.ts';
import { host } from './ports.ts';
import type { Secrets } from './secrets.ts';

/** The cluster's superuser, who owns the tables; services do not connect as it. */
const owner = 'sluice';
const databaseName = 'sluice';

export interface DatabaseAddresses {
  readonly ownerUrl: string;
  readonly registryUrl: string;
  readonly feedbackUrl: string;
}

export function databaseAddresses(port: number, secrets: Secrets): DatabaseAddresses {
  const url = (user: string, password: string): string =>
    `postgres://${user}:${password}@${host}:${port}/${databaseName}`;
  return {
    ownerUrl: url(owner, secrets.ownerPassword),
    registryUrl: url('sluice_registry', secrets.registryPassword),
    feedbackUrl: url('sluice_feedback', secrets.feedbackPassword),
  };
}

export interface Cluster {
  readonly dataDir: string;
  /** Starts the server; each call is one life. */
  start(): Promise<Incarnation>;
}

export interface ClusterOptions {
  readonly home: string;
  readonly port: number;
  readonly secrets: Secrets;
  readonly onLog: (line: string) => void;
  /** Called before the first start of a platform, which takes seconds. */
  readonly onInit: () => void;
  /** Ends the making of a database half-way. */
  readonly signal: AbortSignal;
}

const shortHash = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 12);

const homeFolder = (home: string): string => path.join(home, 'postgres', 'data');

/** How the data folders of a home begin that lie outside of it. The rest says which secrets they belong to. */
const elsewherePrefix = (home: string): string => `platform-${shortHash(home)}-`;

const elsewhereName = (home: string, secrets: Secrets): string =>
  `${elsewherePrefix(home)}${shortHash(secrets.ownerPassword)}`;

/** The data folders of a home that lie outside of it. */
async function elsewhere(home: string): Promise<string[]> {
  const folders: string[] = [];
  for (const base of await otherBases())
    for (const name of await readdir(base))
      if (name.startsWith(elsewherePrefix(home))) folders.push(path.join(base, name));
  return folders;
}

/** A Postgres that somebody else started from the same home gets this long to end. */
const ownedMs = 1000;

/** Stops the Postgres that a killed platform of `home` has left, and removes the databases that it did not finish. */
export async function clearLeftoverPostgres(home: string): Promise<void> {
  await removeUnfinished(path.dirname(homeFolder(home)), path.basename(homeFolder(home)));
  for (const base of await otherBases()) await removeUnfinished(base, elsewherePrefix(home));
  for (const folder of [homeFolder(home), ...(await elsewhere(home))]) await clearLeftover(folder, ownedMs);
}

/**
 * Opens the cluster of the platform in `home`, or makes it when there is none. A new one is `home/postgres/data`; where
 * Postgres's own user cannot enter that (root's clone in a folder that only root may enter) it lies in a folder of the
 * machine. Throws `failed-precondition` when there is one that we cannot use: nothing new is made beside it.
 */
export async function openCluster(options: ClusterOptions): Promise<Cluster> {
  const found = await findCluster(options.home, options.secrets);
  const account = chooseAccount(found ?? homeFolder(options.home));
  if (found !== undefined && !canEnter(found, account))
    throw failedPrecondition(
      `user ${account?.name ?? ''} cannot enter ${found}, where the database of this home lies: give it back to the user who made it (\`chown -R\`), and let all users enter the folders above it (\`chmod a+x\`)`,
    );
  const binaries = await installBinaries(account);
  const dataDir = found ?? (await makeCluster(options, account, binaries));
  const start: StartOptions = {
    binaries,
    account,
    dataDir,
    host,
    port: options.port,
    // Evidence has a table for each day: a statement over those of years takes a lock on each, and on each of its indexes.
    settings: { max_connections: '100', shared_buffers: '64MB', max_locks_per_transaction: '1024' },
    onLog: options.onLog,
  };
  return { dataDir, start: async () => startLife(start) };
}

/** The data folder of the cluster that belongs to `home` and these secrets; undefined when there is none. */
async function findCluster(home: string, secrets: Secrets): Promise<string | undefined> {
  const inHome = homeFolder(home);
  const owner = await ownerIdOf(inHome);
  const user = process.getuid?.();
  if (owner !== undefined && user !== undefined && user !== 0 && owner !== user)
    throw failedPrecondition(
      `the database in ${inHome} belongs to another user (uid ${owner}): start as that user or as root, or with a home of your own, as in \`npm start -- --home ~/sluice\``,
    );
  if (await isInitialised(inHome)) return inHome;
  for (const folder of await elsewhere(home))
    if (path.basename(folder) === elsewhereName(home, secrets) && (await isInitialised(folder))) return folder;
  return undefined;
}

async function ownerIdOf(folder: string): Promise<number | undefined> {
  return stat(folder).then(
    ({ uid }) => uid,
    () => undefined,
  );
}

async function makeCluster(
  { home, secrets, onInit, signal }: ClusterOptions,
  account: Account | undefined,
  binaries: PostgresBinaries,
): Promise<string> {
  const inHome = homeFolder(home);
  const base = await usableBase(path.dirname(inHome), account);
  const dataDir = base === path.dirname(inHome) ? inHome : path.join(base, elsewhereName(home, secrets));
  onInit();
  // Clusters of this home whose password went with its secrets: nobody can open them any more.
  for (const folder of await elsewhere(home)) await rm(folder, { recursive: true, force: true });
  await initCluster({ binaries, account, dataDir, superuser: owner, password: secrets.ownerPassword, signal });
  return dataDir;
}

async function startLife(options: StartOptions): Promise<Incarnation> {
  const server = await startServer(options);
  return {
    ready: Promise.resolve(),
    ended: server.ended.then(({ code, signal }) => (signal === null ? `status ${code ?? 'none'}` : `signal ${signal}`)),
    stop: async (graceMs) => server.stop(graceMs),
  };
}

/** Makes the database unless it is there; tables and the registry's role come with the migration. */
export async function ensureDatabase(port: number, secrets: Secrets): Promise<void> {
  const client = new pg.Client({ host, port, user: owner, password: secrets.ownerPassword, database: 'postgres' });
  await client.connect();
  try {
    const found = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [databaseName]);
    if (found.rows.length === 0) await client.query(`CREATE DATABASE ${databaseName}`);
  } finally {
    await client.end();
  }
}

/** A line of Postgres's log with its severity in our words; its routine lines are for the file only. */
export function readPostgresLine(line: string): { severity: string; msg: string } {
  const found = /^(?:\S+ \S+ \S+ \[\d+\] )?(\w+): {1,2}(.*)$/.exec(line);
  const severities: Readonly<Record<string, string>> = {
    PANIC: 'fatal',
    FATAL: 'error',
    ERROR: 'error',
    WARNING: 'warn',
  };
  return { severity: severities[found?.[1] ?? ''] ?? 'debug', msg: found?.[2] ?? line };
}
