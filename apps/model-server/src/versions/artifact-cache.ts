import { link, mkdir, open, readdir, rename, rm, stat, copyFile, type FileHandle } from 'node:fs/promises';
import path from 'node:path';
import type { Clock } from '@sluice/domain/clock';
import { SluiceError } from '@sluice/domain/errors';
import type { VersionFile } from '@sluice/domain/version';
import type { Assignment } from './assignment.ts';
import { hashesFor, type FileHashes } from './file-hashes.ts';

/** Where artifacts come from: the bytes of one from an offset on. */
export interface ArtifactSource {
  download(sha256: string, offset: number, signal: AbortSignal): AsyncIterable<Uint8Array>;
}

/** The versions whose files may not be deleted, as of the call. */
export type Needed = () => readonly Assignment[];

/** How downloads reach the disk: `open` of node:fs/promises, or less, so that tests can have a disk that is full. */
export interface DownloadFiles {
  open(file: string, flags: 'w' | 'a'): Promise<DownloadFile>;
}
export type DownloadFile = Pick<FileHandle, 'write' | 'sync' | 'close'>;

/** Tries of one download before its version counts as failed, and the pause after the first, which doubles. */
const attempts = 5;
const pauseMs = 100;
const digestForm = /^[0-9a-f]{64}$/;

/**
 * Checks that a path of a version stays inside its folder whatever the platform.
 * @throws SluiceError data-loss, since the registry never stores such a path
 */
export function checkRelativePath(file: string): void {
  const parts = file.split('/');
  const safe =
    file !== '' && !file.includes('\\') && !file.includes('\0') && !path.isAbsolute(file) && !/^[A-Za-z]:/.test(file);
  if (safe && parts.every((part) => part !== '' && part !== '.' && part !== '..')) return;
  throw new SluiceError(
    'data-loss',
    `the path "${file}" of a version's file leaves its folder; the version is not loaded`,
  );
}

/**
 * Files of versions on this machine: `artifacts/<sha256>` holds each content once, `versions/<digest>` has a version's
 * files under their own names as hard links, so that a graph's external data resolves inside its version only.
 */
export class ArtifactCache {
  readonly #artifacts: string;
  readonly #versions: string;
  readonly #source: ArtifactSource;
  readonly #clock: Clock;
  readonly #files: DownloadFiles;
  readonly #hashesFor: (bytes: number) => FileHashes;
  /** Deletions under way, by path. */
  readonly #removals = new Map<string, Promise<void>>();

  /** @param hashes how a version's files are hashed, by their bytes together */
  constructor(
    stateDir: string,
    source: ArtifactSource,
    clock: Clock,
    { files = { open }, hashes = hashesFor }: { files?: DownloadFiles; hashes?: typeof hashesFor } = {},
  ) {
    this.#clock = clock;
    this.#files = files;
    this.#hashesFor = hashes;
    this.#artifacts = path.join(stateDir, 'artifacts');
    this.#versions = path.join(stateDir, 'versions');
    this.#source = source;
  }

  /**
   * Makes a version's folder, fetching what is missing.
   * @returns the path of its graph
   * It must be among what `prune` and `drop` are told to be needed, from before this call until its files may go.
   * @throws SluiceError data-loss when bytes do not have their digest, resource-exhausted when the disk is full,
   *   unavailable when files went away meanwhile, and whatever the source throws
   */
  async provide(assignment: Assignment, signal: AbortSignal): Promise<string> {
    try {
      return await this.#provide(assignment, signal);
    } catch (error) {
      if (isDiskFull(error)) {
        const message = `the disk of the artifact cache is full: free space in ${path.basename(this.#artifacts)}/ or move SLUICE_STATE_DIR`;
        throw new SluiceError('resource-exhausted', message, { cause: error });
      }
      if (isCode(error, 'ENOENT')) {
        const message =
          'somebody else deleted files of the artifact cache while they were in use; they are fetched again';
        throw new SluiceError('unavailable', message, { cause: error });
      }
      throw error;
    }
  }

  async #provide(assignment: Assignment, signal: AbortSignal): Promise<string> {
    for (const file of assignment.files) {
      checkRelativePath(file.path);
      if (!digestForm.test(file.sha256))
        throw new SluiceError('data-loss', `${file.path}: "${file.sha256}" is not a SHA-256`);
    }
    checkRelativePath(assignment.graphPath);
    if (!digestForm.test(assignment.digest))
      throw new SluiceError('data-loss', `"${assignment.digest}" is not a digest`);
    await this.#undisturbed(assignment);
    await mkdir(this.#artifacts, { recursive: true });
    await this.#fetchAll(assignment.files, signal);
    const folder = path.join(this.#versions, assignment.digest);
    await rm(folder, { recursive: true, force: true });
    for (const file of assignment.files) {
      const target = path.join(folder, ...file.path.split('/'));
      await mkdir(path.dirname(target), { recursive: true });
      await linkOrCopy(path.join(this.#artifacts, file.sha256), target);
    }
    return path.join(folder, ...assignment.graphPath.split('/'));
  }

  async #fetchAll(files: readonly VersionFile[], signal: AbortSignal): Promise<void> {
    const hashes = this.#hashesFor(files.reduce((sum, { size }) => sum + size, 0));
    try {
      for (const file of files) await this.#fetch(file, hashes, signal);
    } finally {
      await hashes.close();
    }
  }

  /** Gets one artifact if it is not here yet; a broken download is taken up again a few times, where it stopped. */
  async #fetch(file: VersionFile, hashes: FileHashes, signal: AbortSignal): Promise<void> {
    const target = path.join(this.#artifacts, file.sha256);
    // Before every load: disks and people change bytes, and a disk does so without a trace in the file's times.
    if ((await sizeOf(target)) === file.size && (await hashes.digest(target, signal)) === file.sha256) return;
    await rm(target, { force: true });
    for (let [attempt, had] = [1, 0]; ; attempt += 1) {
      try {
        await this.#download(file, target, signal);
        await settle(file, target, hashes, signal);
        return;
      } catch (error) {
        // A try that brought bytes is none of those that fail.
        const has = (await sizeOf(`${target}.partial`)) ?? 0;
        if (has > had) [attempt, had] = [1, has];
        if (SluiceError.from(error).kind !== 'unavailable' || attempt === attempts || signal.aborted) throw error;
        await new Promise<void>((resolve) => this.#clock.schedule(pauseMs * 2 ** attempt, resolve));
        signal.throwIfAborted();
      }
    }
  }

  /** Brings what is missing of a file, or all of it. What came is looked at when it is on the disk, by `settle`. */
  async #download(file: VersionFile, target: string, signal: AbortSignal): Promise<void> {
    const partial = `${target}.partial`;
    const had = (await sizeOf(partial)) ?? 0;
    const offset = had > file.size ? 0 : had;
    const handle = await this.#files.open(partial, offset === 0 ? 'w' : 'a');
    try {
      let size = offset;
      if (size < file.size || file.size === 0) {
        for await (const chunk of this.#source.download(file.sha256, offset, signal)) {
          size += chunk.byteLength;
          if (size > file.size) break;
          await writeAll(handle, chunk);
        }
      }
      signal.throwIfAborted();
      await handle.sync();
      if (size < file.size)
        throw new SluiceError('unavailable', `${file.path}: the download ended after ${size} of ${file.size} bytes`);
    } finally {
      await handle.close();
    }
  }

  /**
   * Drops a version's folder, unless another version of the same files needs it; its artifacts stay for the next time.
   * @param needed what is needed now; asked right before anything is deleted
   */
  async drop(assignment: Assignment, needed: Needed): Promise<void> {
    await this.#remove(path.join(this.#versions, assignment.digest), () => isFolderNeeded(needed, assignment.digest));
  }

  /**
   * Deletes artifacts and folders that no assignment needs; returns the bytes of the artifacts deleted.
   * @param needed what is needed now; asked right before each is deleted, since placements change meanwhile
   */
  async prune(needed: Needed): Promise<number> {
    let freed = 0;
    for (const name of await namesIn(this.#artifacts)) {
      const file = path.join(this.#artifacts, name);
      const size = (await sizeOf(file)) ?? 0;
      if (await this.#remove(file, () => isFileNeeded(needed, name.replace(/\.partial$/, '')))) freed += size;
    }
    for (const name of await namesIn(this.#versions)) {
      await this.#remove(path.join(this.#versions, name), () => isFolderNeeded(needed, name));
    }
    return freed;
  }

  /**
   * Deletes what is not needed; true when it did. The question and the note that it is being deleted are one step: who
   * needs it from then on waits for the end of the deletion in `provide`, and makes it anew.
   */
  async #remove(place: string, isNeeded: () => boolean): Promise<boolean> {
    await this.#removed(place);
    if (isNeeded()) return false;
    const removal = rm(place, { recursive: true, force: true }).finally(() => this.#removals.delete(place));
    this.#removals.set(place, removal);
    await removal;
    return true;
  }

  async #removed(place: string): Promise<void> {
    for (let removal = this.#removals.get(place); removal; removal = this.#removals.get(place)) {
      await removal.catch(() => undefined);
    }
  }

  /** Waits for deletions under way of what a version needs. New ones do not begin: it is needed by now. */
  async #undisturbed(assignment: Assignment): Promise<void> {
    const artifacts = assignment.files.map((file) => path.join(this.#artifacts, file.sha256));
    const places = artifacts.flatMap((file) => [file, `${file}.partial`]);
    places.push(path.join(this.#versions, assignment.digest));
    for (const place of places) await this.#removed(place);
  }
}

const isFolderNeeded = (needed: Needed, digest: string): boolean =>
  needed().some((assignment) => assignment.digest === digest);

const isFileNeeded = (needed: Needed, sha256: string): boolean =>
  needed().some((assignment) => assignment.files.some((file) => file.sha256 === sha256));

/** `write` may take fewer bytes than it was given, as it does when a disk fills up. */
async function writeAll(file: DownloadFile, bytes: Uint8Array): Promise<void> {
  let at = 0;
  while (at < bytes.byteLength) {
    const { bytesWritten } = await file.write(bytes, at, bytes.byteLength - at);
    at += bytesWritten;
  }
}

async function namesIn(folder: string): Promise<string[]> {
  return readdir(folder).catch(() => []);
}

async function sizeOf(file: string): Promise<number | undefined> {
  return stat(file)
    .then((found) => found.size)
    .catch(() => undefined);
}

/**
 * Gives a download its name when it is all there and has its digest.
 * @throws SluiceError data-loss else; the bytes are gone then
 */
async function settle(file: VersionFile, target: string, hashes: FileHashes, signal: AbortSignal): Promise<void> {
  const partial = `${target}.partial`;
  const written = await sizeOf(partial);
  const digest = written === file.size ? await hashes.digest(partial, signal) : undefined;
  if (digest === file.sha256) {
    await rename(partial, target);
    return;
  }
  await rm(partial, { force: true });
  const got = digest ?? `${written} of ${file.size} bytes on disk`;
  throw new SluiceError(
    'data-loss',
    `${file.path}: expected SHA-256 ${file.sha256}, got ${got}; the bytes were thrown away`,
  );
}

async function linkOrCopy(from: string, to: string): Promise<void> {
  try {
    await link(from, to);
  } catch (error) {
    // File systems without hard links, and links across them.
    if (isCode(error, 'EPERM', 'EXDEV', 'ENOTSUP', 'EMLINK')) await copyFile(from, to);
    else throw error;
  }
}

function isCode(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && 'code' in error && codes.includes(String(error.code));
}

const isDiskFull = (error: unknown): boolean => isCode(error, 'ENOSPC', 'EDQUOT');
