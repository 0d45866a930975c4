import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { Clock } from '@sluice/domain/clock';
import { invalidArgument, notFound, SluiceError, unavailable } from '@sluice/domain/errors';
import type { ArtifactStat, ArtifactStore, ByteSource, ExpectedArtifact } from './artifact-store.ts';
import { machineFileSystem, type StoreFileSystem } from './file-system.ts';
import { checkedChunks, checkPromise } from './upload-check.ts';
import { checkDocumentName, checkSha256, maxChunkBytes, maxDocumentBytes } from './names.ts';

export interface FolderStoreOptions {
  /** Absolute path; made when it is missing. All replicas must see the same folder. */
  readonly folder: string;
  readonly clock: Clock;
  /** Largest artifact in bytes; default 64 GiB. */
  readonly maxArtifactBytes?: number;
  /** Default: the machine's own. */
  readonly fileSystem?: StoreFileSystem;
}

const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException | undefined)?.code ?? '';
const full = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);

/** Gives failures of the file system the kinds of this service; a SluiceError passes as it is. */
function translate(error: unknown, doing: string): SluiceError {
  if (error instanceof SluiceError) return error;
  const code = codeOf(error);
  if (full.has(code)) {
    return new SluiceError(
      'resource-exhausted',
      `the artifact store is full: ${code} while ${doing}; free space in its folder or delete versions, then try again`,
      { cause: error },
    );
  }
  return new SluiceError('internal', `the artifact store failed while ${doing}${code && ` (${code})`}`, {
    cause: error,
  });
}

const fail =
  (doing: string) =>
  (error: unknown): never => {
    throw translate(error, doing);
  };

const missing = (sha256: string): SluiceError =>
  notFound(`artifact ${sha256} is not in the store; upload it again (push does that)`);

async function* once(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  yield bytes;
}

/**
 * An artifact store in a folder: `sha256/ab/cd/<digest>`, `documents/<name>`, `tmp/` for what is being written, and
 * `damaged/` for what was set aside.
 * Everything is written under `tmp`, synced, renamed into place, and the folders synced, so a name either has all of
 * its bytes or is not there.
 */
export class FolderStore implements ArtifactStore {
  readonly #folder: string;
  readonly #clock: Clock;
  readonly #maxBytes: number;
  readonly #files: StoreFileSystem;

  constructor(options: FolderStoreOptions) {
    this.#folder = options.folder;
    this.#clock = options.clock;
    this.#maxBytes = options.maxArtifactBytes ?? 64 * 1024 ** 3;
    this.#files = options.fileSystem ?? machineFileSystem;
  }

  async put(expected: ExpectedArtifact, chunks: AsyncIterable<Uint8Array>): Promise<{ stored: boolean }> {
    checkPromise(expected, this.#maxBytes);
    const { parents, path } = this.#placeOf(expected.sha256);
    // One of another size lost bytes after it was stored: it is written anew.
    const there = await this.stat(expected.sha256);
    if (there?.size === expected.size && (await this.touch(expected.sha256))) {
      // Whoever renamed it may have failed before its name was safe.
      await this.#syncFolders(parents).catch(fail('storing an artifact'));
      return { stored: false };
    }
    await this.#writeWhole(
      checkedChunks(expected, chunks),
      parents,
      path,
      `storing artifact ${expected.sha256.slice(0, 12)}…`,
    );
    return { stored: true };
  }

  async stat(sha256: string): Promise<ArtifactStat | undefined> {
    const { path } = this.#placeOf(checkSha256(sha256));
    const found = await this.#files.stat(path).catch(fail('reading an artifact'));
    return found && { sha256, size: found.size, storedAt: Math.round(found.modifiedAt) };
  }

  async touch(sha256: string): Promise<boolean> {
    const { path } = this.#placeOf(checkSha256(sha256));
    return this.#files.setModified(path, this.#clock.now()).catch(fail('touching an artifact'));
  }

  async *read(sha256: string, offset = 0): AsyncIterable<Uint8Array> {
    const source = await this.open(sha256);
    try {
      if (!Number.isSafeInteger(offset) || offset < 0 || offset > source.size) {
        throw invalidArgument(`offset: ${offset} is not inside the artifact; expected 0 to ${source.size}`);
      }
      for (let at = offset; at < source.size;) {
        const chunk = await source.read(at, maxChunkBytes);
        if (chunk.length === 0) throw new SluiceError('data-loss', `artifact ${sha256} ends at byte ${at}`);
        at += chunk.length;
        yield chunk;
      }
    } finally {
      await source.close();
    }
  }

  async open(sha256: string): Promise<ByteSource> {
    const { path } = this.#placeOf(checkSha256(sha256));
    try {
      return await this.#files.openForReading(path);
    } catch (error) {
      if (codeOf(error) === 'ENOENT') throw missing(sha256);
      throw translate(error, 'opening an artifact');
    }
  }

  async place(sha256: string, file: string): Promise<void> {
    const { path } = this.#placeOf(checkSha256(sha256));
    try {
      try {
        await this.#files.link(path, file);
      } catch (error) {
        if (!['EXDEV', 'EPERM', 'EMLINK', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'].includes(codeOf(error))) throw error;
        await this.#files.copy(path, file);
      }
    } catch (error) {
      if (codeOf(error) === 'ENOENT' && !(await this.#files.stat(path))) throw missing(sha256);
      throw translate(error, 'laying out an artifact');
    }
  }

  async delete(sha256: string): Promise<boolean> {
    const { path, parents } = this.#placeOf(checkSha256(sha256));
    try {
      const removed = await this.#files.remove(path);
      if (removed) await this.#files.syncFolder(parents.at(-1)!);
      return removed;
    } catch (error) {
      throw translate(error, 'deleting an artifact');
    }
  }

  async setAside(sha256: string): Promise<boolean> {
    const { path, parents } = this.#placeOf(checkSha256(sha256));
    const damaged = join(this.#folder, 'damaged');
    try {
      if (!(await this.#files.stat(path))) return false;
      await this.#files.makeFolder(damaged);
      await this.#files.rename(path, join(damaged, `${sha256}-${randomUUID()}`));
      await this.#files.syncFolder(parents.at(-1)!);
      return true;
    } catch (error) {
      // Another replica found it too.
      if (codeOf(error) === 'ENOENT') return false;
      throw translate(error, 'setting a damaged artifact aside');
    }
  }

  async *list(): AsyncIterable<ArtifactStat> {
    const root = join(this.#folder, 'sha256');
    for (const first of await this.#names(root)) {
      for (const second of await this.#names(join(root, first))) {
        for (const name of await this.#names(join(root, first, second))) {
          const found = /^[0-9a-f]{64}$/.test(name) ? await this.stat(name) : undefined;
          if (found) yield found;
        }
      }
    }
  }

  async writeDocument(name: string, bytes: Uint8Array): Promise<void> {
    const path = join(this.#folder, 'documents', checkDocumentName(name));
    if (bytes.length > maxDocumentBytes) {
      throw invalidArgument(`document ${name}: ${bytes.length} bytes; at most ${maxDocumentBytes}`);
    }
    await this.#writeWhole(once(bytes), [join(this.#folder, 'documents')], path, `writing document ${name}`);
  }

  async readDocument(name: string): Promise<Uint8Array | undefined> {
    const path = join(this.#folder, 'documents', checkDocumentName(name));
    try {
      const reader = await this.#files.openForReading(path);
      try {
        return await reader.read(0, reader.size);
      } finally {
        await reader.close();
      }
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return undefined;
      throw translate(error, `reading document ${name}`);
    }
  }

  async listDocuments(prefix = ''): Promise<readonly string[]> {
    const names = await this.#names(join(this.#folder, 'documents'));
    return names.filter((name) => name.startsWith(prefix)).sort();
  }

  async collectInterrupted(olderThanMs: number): Promise<number> {
    const folder = join(this.#folder, 'tmp');
    let removed = 0;
    for (const name of await this.#names(folder)) {
      const path = join(folder, name);
      const found = await this.#files.stat(path).catch(fail('collecting interrupted uploads'));
      if (!found || this.#clock.now() - found.modifiedAt < olderThanMs) continue;
      if (await this.#files.remove(path).catch(fail('collecting interrupted uploads'))) removed += 1;
    }
    return removed;
  }

  #placeOf(sha256: string): { parents: string[]; path: string } {
    const root = join(this.#folder, 'sha256');
    const first = join(root, sha256.slice(0, 2));
    const second = join(first, sha256.slice(2, 4));
    return { parents: [root, first, second], path: join(second, sha256) };
  }

  async #names(folder: string): Promise<readonly string[]> {
    return this.#files.names(folder).catch(fail('listing the store'));
  }

  /** Writes to `tmp`, syncs, and renames into the last of `parents`; on any failure the temporary file is removed. */
  async #writeWhole(
    chunks: AsyncIterable<Uint8Array>,
    parents: readonly string[],
    path: string,
    doing: string,
  ): Promise<void> {
    const temporaryFolder = join(this.#folder, 'tmp');
    const temporary = join(temporaryFolder, randomUUID());
    try {
      for (const folder of [temporaryFolder, ...parents]) await this.#files.makeFolder(folder);
      const file = await this.#files.create(temporary);
      try {
        for await (const chunk of chunks) await file.write(chunk);
        await file.sync();
      } finally {
        await file.close();
      }
      await this.#files.setModified(temporary, this.#clock.now());
      await this.#files.rename(temporary, path);
      await this.#syncFolders(parents);
    } catch (error) {
      // What cannot be removed now goes with the interrupted uploads later.
      await this.#files.remove(temporary).catch(() => false);
      if (codeOf(error) === 'ENOENT') {
        throw unavailable(`the upload stood still so long that it was collected while ${doing}; send it again`, {
          cause: error,
        });
      }
      throw translate(error, doing);
    }
  }

  /** Deepest first: the name, then the folders that hold the folders, which may be new. */
  async #syncFolders(parents: readonly string[]): Promise<void> {
    for (const folder of [...parents].reverse()) await this.#files.syncFolder(folder);
    await this.#files.syncFolder(this.#folder);
  }
}
