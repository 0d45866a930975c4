import { constants } from 'node:fs';
import { lstat, mkdir, open, readdir, rename, unlink } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { SluiceError, failedPrecondition } from '@sluice/domain/errors';
import type { FileEntry, FolderLock, SpoolFile, SpoolFiles } from './files.ts';

class NodeFile implements SpoolFile {
  readonly #handle: FileHandle;

  constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  async write(bytes: Uint8Array, at: number): Promise<void> {
    let written = 0;
    while (written < bytes.length) {
      const { bytesWritten } = await this.#handle.write(bytes, written, bytes.length - written, at + written);
      written += bytesWritten;
    }
  }

  async read(into: Uint8Array, at: number): Promise<number> {
    let filled = 0;
    while (filled < into.length) {
      const { bytesRead } = await this.#handle.read(into, filled, into.length - filled, at + filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    return filled;
  }

  sync(): Promise<void> {
    return this.#handle.datasync();
  }

  truncate(length: number): Promise<void> {
    return this.#handle.truncate(length);
  }

  close(): Promise<void> {
    return this.#handle.close();
  }
}

/** SQLITE_BUSY. */
const busy = 5;

/**
 * Node has no file locks of its own, but SQLite in it has: those of the operating system, which end with the process that holds
 * them, also by kill -9, and which hold between containers that share a folder. The database stays empty.
 */
async function lock(folder: string): Promise<FolderLock> {
  const database = new DatabaseSync(join(folder, 'lock'), { timeout: 0 });
  try {
    // With its journal in memory nothing is ever written, so that a full disk does not matter.
    database.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
  } catch (error) {
    database.close();
    if ((error as { errcode?: number }).errcode === busy) {
      throw failedPrecondition(
        `the spool ${folder} is in use by another process: give each router a folder of its own`,
      );
    }
    throw new SluiceError('unavailable', `the spool ${folder} cannot be locked`, { cause: error });
  }
  return { release: () => database.close() };
}

async function list(folder: string): Promise<FileEntry[]> {
  const entries: FileEntry[] = [];
  for (const name of await readdir(folder)) {
    const found = await lstat(join(folder, name));
    if (found.isFile()) entries.push({ name, size: found.size });
  }
  return entries;
}

async function remove(path: string): Promise<boolean> {
  try {
    await unlink(path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}

async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, constants.O_RDONLY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** The machine's own file system. What it makes is for its own user alone. */
export const nodeFiles: SpoolFiles = {
  async makeFolder(path) {
    await mkdir(path, { recursive: true, mode: 0o700 });
  },
  lock,
  create: async (path) => new NodeFile(await open(path, 'wx+', 0o600)),
  open: async (path) => new NodeFile(await open(path, constants.O_RDWR | constants.O_NOFOLLOW)),
  list,
  remove,
  rename,
  syncFolder,
};
