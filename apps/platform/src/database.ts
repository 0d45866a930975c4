import { createHash } from 'node:crypto';
import { readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { chooseAccount } from '@sluice/postgres-local/account';
import { installBinaries, otherBases, usableBase } from '@sluice/postgres-local/binaries';
import { clearLeftover } from '@sluice/postgres-local/postmaster';
import { initCluster, isInitialised, startServer } from '@sluice/postgres-local/server';
import type { StartOptions } from '@sluice/postgres-local/server';
import pg from 'pg';
import type { Incarnation } from './keeper.ts';
import { host } from './ports.ts';
import type { Secrets } from './secrets.ts';

/** The cluster's superuser, who owns the tables; services do not connect as it. */
const owner = 'sluice';
const serviceRole = 'sluice_registry';
const databaseName = 'sluice';

export interface DatabaseAddresses {
  readonly ownerUrl: string;
  readonly registryUrl: string;
}

export function databaseAddresses(port: number, secrets: Secrets): DatabaseAddresses {
  const url = (user: string, password: string): string =>
    `postgres://${user}:${password}@${host}:${port}/${databaseName}`;
  return { ownerUrl: url(owner, secrets.ownerPassword), registryUrl: url(serviceRole, secrets.registryPassword) };
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
}

const shortHash = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 12);

/** How the data folders of a home begin that lie outside of it. The rest says which secrets they belong to. */
export function elsewherePrefix(home: string): string {
  return `platform-${shortHash(home)}-`;
}

/** A Postgres that somebody else started from the same home gets this long to end. */
const ownedMs = 1000;

/** Stops the Postgres that a killed platform of `home` has left. It holds its port until it has ended. */
export async function clearLeftoverPostgres(home: string): Promise<void> {
  const prefix = elsewherePrefix(home);
  const folders = [path.join(home, 'postgres', 'data')];
  for (const base of await otherBases())
    folders.push(
      ...(await readdir(base)).filter((name) => name.startsWith(prefix)).map((name) => path.join(base, name)),
    );
  for (const folder of folders) await clearLeftover(folder, ownedMs);
}

/**
 * Makes the cluster of the platform in `home` unless it is there. Its folder is `home/postgres/data`; where Postgres's own
 * user cannot enter that (root's clone in a folder that only root may enter) it lies in a folder of the machine.
 */
export async function openCluster(options: ClusterOptions): Promise<Cluster> {
  const inHome = path.join(options.home, 'postgres');
  const account = chooseAccount(path.join(inHome, 'data'));
  const binaries = await installBinaries(account);
  const base = await usableBase(inHome, account);
  const prefix = elsewherePrefix(options.home);
  const elsewhere = `${prefix}${shortHash(options.secrets.ownerPassword)}`;
  const dataDir = path.join(base, base === inHome ? 'data' : elsewhere);
  if (!(await isInitialised(dataDir))) {
    options.onInit();
    // Clusters of this home whose password went with its secrets: nobody can open them any more.
    for (const name of await readdir(base))
      if (name.startsWith(prefix)) await rm(path.join(base, name), { recursive: true, force: true });
    const password = options.secrets.ownerPassword;
    await initCluster({ binaries, account, dataDir, superuser: owner, password });
  }
  const start: StartOptions = {
    binaries,
    account,
    dataDir,
    host,
    port: options.port,
    settings: { max_connections: '100', shared_buffers: '64MB' },
    onLog: options.onLog,
  };
  return { dataDir, start: async () => startLife(start) };
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
