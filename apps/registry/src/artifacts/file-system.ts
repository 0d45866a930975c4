import { constants } from 'node:fs';
import { copyFile, link, mkdir, open, readdir, rename, stat, unlink, utimes } from 'node:fs/promises';

/** An open file, as far as the folder store uses one. */
export interface StoreFile {
  /** Appends all of `bytes`. */
  write(bytes: Uint8Array): Promise<void>;
  /** Makes what was written survive a loss of power. */
  sync(): Promise<void>;
  close(): Promise<void>;
}

export interface StoreFileStat {
  readonly size: number;
  /** Milliseconds since the epoch. */
  readonly modifiedAt: number;
}

/** Bytes of an open file at chosen places. */
export interface StoreReader {
  readonly size: number;
  read(offset: number, length: number): Promise<Uint8Array>;
  close(): Promise<void>;
}

/**
 * What the folder store needs of a file system. Failures are Node's errors with `code`; tests put one that fails at
 * a chosen call around the real one.
 */
export interface StoreFileSystem {
  makeFolder(path: string): Promise<void>;
  /** Makes a file that must not exist. */
  create(path: string): Promise<StoreFile>;
  openForReading(path: string): Promise<StoreReader>;
  /** Makes renames and removals inside the folder survive a loss of power. */
  syncFolder(path: string): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  /** False when it was not there. */
  remove(path: string): Promise<boolean>;
  stat(path: string): Promise<StoreFileStat | undefined>;
  setModified(path: string, at: number): Promise<boolean>;
  /** Names in the folder; none when it is not there. */
  names(path: string): Promise<readonly string[]>;
  link(from: string, to: string): Promise<void>;
  copy(from: string, to: string): Promise<void>;
}

const codeOf = (error: unknown): string | undefined => (error as NodeJS.ErrnoException | undefined)?.code;

async function unlessMissing<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

async function openForReading(path: string): Promise<StoreReader> {
  const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  const { size } = await handle.stat();
  return {
    size,
    async read(offset, length) {
      const wanted = Math.max(0, Math.min(length, size - offset));
      const bytes = Buffer.allocUnsafe(wanted);
      let filled = 0;
      while (filled < wanted) {
        const { bytesRead } = await handle.read(bytes, filled, wanted - filled, offset + filled);
        if (bytesRead === 0) break;
        filled += bytesRead;
      }
      return bytes.subarray(0, filled);
    },
    close: () => handle.close(),
  };
}

async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, constants.O_RDONLY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function create(path: string): Promise<StoreFile> {
  const handle = await open(path, 'wx', 0o400);
  return {
    async write(bytes) {
      let rest = bytes;
      while (rest.length > 0) {
        const { bytesWritten } = await handle.write(rest);
        rest = rest.subarray(bytesWritten);
      }
    },
    sync: () => handle.sync(),
    close: () => handle.close(),
  };
}

/** The machine's own file system. */
export const machineFileSystem: StoreFileSystem = {
  async makeFolder(path) {
    await mkdir(path, { recursive: true, mode: 0o700 });
  },
  create,
  openForReading,
  syncFolder,
  rename,
  async remove(path) {
    return (await unlessMissing(unlink(path).then(() => true))) ?? false;
  },
  async stat(path) {
    const found = await unlessMissing(stat(path));
    return found && { size: found.size, modifiedAt: found.mtimeMs };
  },
  async setModified(path, at) {
    return (await unlessMissing(utimes(path, at / 1000, at / 1000).then(() => true))) ?? false;
  },
  async names(path) {
    return (await unlessMissing(readdir(path))) ?? [];
  },
  link,
  copy: (from, to) => copyFile(from, to, constants.COPYFILE_FICLONE | constants.COPYFILE_EXCL),
};
