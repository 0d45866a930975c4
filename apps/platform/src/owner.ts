import { existsSync } from 'node:fs';
import path from 'node:path';
import { canEnter, ownerOf } from '@sluice/postgres-local/account';
import type { Account } from '@sluice/postgres-local/account';

/**
 * Whom root is to act as, so that `sudo npm start` does not leave root's files in an ordinary user's home, whose own start
 * they would end: the user that the home's secrets belong to, or the home while there are none. Undefined for everybody
 * else, for a home of root's, and where that user cannot enter one of `folders`, which programs are run from.
 */
export function ownerToActAs(home: string, folders: readonly string[]): Account | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const secrets = path.join(home, 'secrets');
  const owner = ownerOf(existsSync(secrets) ? secrets : home);
  return owner && folders.every((folder) => canEnter(folder, owner)) ? owner : undefined;
}

/** Gives root's rights away for good; files made from now on are the user's, and so are the processes. */
export function actAs({ uid, gid }: Account): void {
  process.setgroups!([gid]);
  process.setgid!(gid);
  process.setuid!(uid);
}
