import { execFileSync, spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { failedPrecondition } from '@sluice/domain/errors';

/** An operating-system user that Postgres runs as. */
export interface Account {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

/** Users that exist on most machines and own nothing that matters, in the order of preference. */
const unprivileged = ['postgres', 'nobody'];

/**
 * Whom to run Postgres as: `undefined` means as ourselves. Postgres refuses to run as root, so root gets the owner of
 * `dataDir` when that exists, else an unprivileged user of the machine. Throws `failed-precondition` when there is none.
 */
export function chooseAccount(dataDir?: string): Account | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const owner = dataDir === undefined ? undefined : ownerOf(dataDir);
  const account = owner ?? unprivileged.map(lookUp).find((found) => found !== undefined);
  if (!account)
    throw failedPrecondition(
      `Postgres refuses to run as root and this machine has none of the users ${unprivileged.join(', ')}: create one, or start as an ordinary user`,
    );
  if (!canRunAs(account))
    throw failedPrecondition(
      `cannot switch from root to user ${account.name} (the container lacks CAP_SETUID or CAP_SETGID): start as an ordinary user`,
    );
  return account;
}

/** Whether `account` may enter folder `dir`, by letting it try; true for ourselves. */
export function canEnter(dir: string, account: Account | undefined): boolean {
  if (!account) return true;
  const tried = spawnSync('/bin/sh', ['-c', 'cd "$1"', 'sh', dir], { ...identity(account), cwd: '/', stdio: 'ignore' });
  return tried.status === 0;
}

/** The part of spawn's options that runs a child as `account`. */
export function identity(account: Account | undefined): { uid?: number; gid?: number } {
  return account ? { uid: account.uid, gid: account.gid } : {};
}

function canRunAs(account: Account): boolean {
  return spawnSync('/bin/sh', ['-c', 'exit 0'], { ...identity(account), cwd: '/', stdio: 'ignore' }).status === 0;
}

/** The user that a folder belongs to, unless that is root; undefined when there is no such folder. */
export function ownerOf(dir: string): Account | undefined {
  const stats = statSync(dir, { throwIfNoEntry: false });
  return stats && stats.uid !== 0 ? { name: `uid ${stats.uid}`, uid: stats.uid, gid: stats.gid } : undefined;
}

function lookUp(name: string): Account | undefined {
  try {
    const ask = (flag: string): number =>
      Number(execFileSync('id', [flag, name], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }));
    const account = { name, uid: ask('-u'), gid: ask('-g') };
    return account.uid > 0 ? account : undefined;
  } catch {
    return undefined;
  }
}
