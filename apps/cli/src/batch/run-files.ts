import { createHash } from 'node:crypto';
import { type FileHandle, link, open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { usageError } from '../exit-codes.ts';
import { type Checkpoint, decodeJournal, encodeRecord, type Journal, type JournalRecord } from './journal.ts';

/** The files of a run, beside its output. */
export interface RunPaths {
  readonly output: string;
  /** What the output is until it is whole. */
  readonly partial: string;
  readonly journal: string;
  readonly rejects: string;
  readonly lock: string;
}

export const pathsOf = (output: string): RunPaths => ({
  output,
  partial: `${output}.partial`,
  journal: `${output}.journal`,
  rejects: `${output}.rejects.jsonl`,
  lock: `${output}.lock`,
});

/** Files that grow, and are only as long as a checkpoint says after a process has ended in between. */
export class RunFiles {
  readonly paths: RunPaths;
  readonly #partial: FileHandle;
  readonly #rejects: FileHandle;
  readonly #journal: FileHandle;
  #partialBytes: number;
  #rejectBytes: number;
  #journalBytes: number;

  private constructor(
    paths: RunPaths,
    handles: readonly [FileHandle, FileHandle, FileHandle],
    lengths: readonly [number, number, number],
  ) {
    this.paths = paths;
    [this.#partial, this.#rejects, this.#journal] = handles;
    [this.#partialBytes, this.#rejectBytes, this.#journalBytes] = lengths;
  }

  /** Begins anew: what an earlier run has left is gone. */
  static async create(paths: RunPaths): Promise<RunFiles> {
    const journal = await open(paths.journal, 'w');
    return new RunFiles(paths, [await open(paths.partial, 'w'), await open(paths.rejects, 'w'), journal], [0, 0, 0]);
  }

  /**
   * Goes on where an earlier run was: what it wrote after its last checkpoint is cut off.
   *
   * @throws CliError usage when a file is shorter than the journal says
   */
  static async resume(paths: RunPaths, journal: Journal): Promise<RunFiles> {
    const last = journal.checkpoints.at(-1);
    const lengths = [last?.output.bytes ?? 0, last?.rejects.bytes ?? 0, journal.bytes] as const;
    const handles = [
      await cutTo(paths.partial, lengths[0]),
      await cutTo(paths.rejects, lengths[1]),
      await cutTo(paths.journal, lengths[2]),
    ] as const;
    return new RunFiles(paths, handles, lengths);
  }

  async writeOutput(bytes: Uint8Array): Promise<void> {
    await writeAll(this.#partial, bytes, this.#partialBytes);
    this.#partialBytes += bytes.length;
  }

  async writeRejects(lines: string): Promise<void> {
    const bytes = Buffer.from(lines);
    await writeAll(this.#rejects, bytes, this.#rejectBytes);
    this.#rejectBytes += bytes.length;
  }

  get rejectBytes(): number {
    return this.#rejectBytes;
  }

  /** The files are on disk before the record that says so. */
  async append(record: JournalRecord): Promise<void> {
    await this.#partial.datasync();
    await this.#rejects.datasync();
    const bytes = Buffer.from(encodeRecord(record));
    await writeAll(this.#journal, bytes, this.#journalBytes);
    this.#journalBytes += bytes.length;
    await this.#journal.datasync();
  }

  async close(): Promise<void> {
    await Promise.all([this.#partial.close(), this.#rejects.close(), this.#journal.close()]);
  }
}

async function cutTo(file: string, bytes: number): Promise<FileHandle> {
  const handle = await open(file, 'r+').catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    throw usageError(`${file} is gone, which the journal speaks of`, 'Give --restart to begin anew.');
  });
  const { size } = await handle.stat();
  if (size >= bytes) {
    await handle.truncate(bytes);
    return handle;
  }
  await handle.close();
  throw usageError(`${file} has ${size} bytes, and the journal says ${bytes}`, 'Give --restart to begin anew.');
}

async function writeAll(handle: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, position + done);
    done += bytesWritten;
  }
}

/** What an earlier run has left; undefined when there is nothing to go on with. */
export async function readJournal(file: string): Promise<Journal | undefined> {
  try {
    return decodeJournal(await readFile(file, 'utf8'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

export const exists = async (file: string): Promise<boolean> => (await sizeOf(file)) !== undefined;

/** Bytes of a file; undefined when there is none. */
async function sizeOf(file: string): Promise<number | undefined> {
  return stat(file).then(
    ({ size }) => size,
    () => undefined,
  );
}

/** @throws CliError usage when there is no folder for the output, or the input is a file that the run would write */
export async function checkPlaces(input: string, paths: RunPaths): Promise<void> {
  const folder = path.dirname(paths.output);
  if (!(await stat(folder).catch(() => undefined))?.isDirectory())
    throw usageError(`there is no folder ${folder} for the output`);
  const own = await stat(input);
  for (const file of Object.values(paths) as string[]) {
    const other = await stat(file).catch(() => undefined);
    if (other?.ino === own.ino && other.dev === own.dev)
      throw usageError(`the input ${input} would be overwritten, as ${file}`, 'Give another --output.');
  }
}

/**
 * Gives the output its name, for good. What has been done already is not done again.
 *
 * @param bytes that the output has
 * @param overwrite whether to replace what has the name
 * @throws CliError usage when another file has the name, or the output is gone
 */
export async function publish(paths: RunPaths, bytes: number, overwrite: boolean): Promise<void> {
  const there = await sizeOf(paths.output);
  if (await exists(paths.partial)) {
    if (there !== undefined && !overwrite)
      throw usageError(`${paths.output} was made by somebody else meanwhile`, 'Give --overwrite to replace it.');
    await rename(paths.partial, paths.output);
  } else if (there !== bytes) {
    const what = there === undefined ? 'is gone' : `has ${there} bytes now, not ${bytes}`;
    throw usageError(`${paths.output} was finished, and ${what}`, 'Give --restart to make it anew.');
  }
  const folder = await open(path.dirname(path.resolve(paths.output)), 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** Removes what is of no more use: the journal last, since it says what is still to be done. */
export async function cleanUp(paths: RunPaths, rejects: Checkpoint['rejects']): Promise<void> {
  if (rejects.rows === 0) await rm(paths.rejects, { force: true });
  await rm(paths.journal, { force: true });
}

/** @param onBytes is told how many were read */
export async function sha256Of(
  source: { stream(offset: number): AsyncIterable<Uint8Array> },
  onBytes: (bytes: number) => void = () => undefined,
): Promise<string> {
  const hash = createHash('sha256');
  let read = 0;
  for await (const piece of source.stream(0)) {
    hash.update(piece);
    read += piece.length;
    onBytes(read);
  }
  return hash.digest('hex');
}

/** So often it looks whether a process that has the lock is on its way out, and so many milliseconds apart. */
const mostWaits = 10;
const waitMs = 100;

/**
 * Keeps other processes of this machine off the same output. The lock of a process that has ended counts for nothing.
 *
 * @throws CliError usage while another run is under way, or where there is no folder for it
 */
export async function lock(file: string): Promise<() => Promise<void>> {
  const own = `${file}.${process.pid}`;
  await writeFile(own, String(process.pid)).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    throw usageError(`there is no folder ${path.dirname(file)} for the output`);
  });
  try {
    for (let waits = 0, attempt = 1; ;) {
      try {
        // There with its content, or not at all.
        await link(own, file);
        return () => rm(file, { force: true });
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || attempt === 3) throw error;
      }
      const owner = Number(await readFile(file, 'utf8').catch(() => '0'));
      if (!isAlive(owner)) {
        await rm(file, { force: true });
        attempt += 1;
      } else if (waits < mostWaits) {
        // One that was killed is there a little longer.
        await setTimeout(waitMs);
        waits += 1;
      } else throw usageError(`process ${owner} is writing this output`, `If it is no batch run, remove ${file}.`);
    }
  } finally {
    await rm(own, { force: true });
  }
}

function isAlive(pid: number): boolean {
  if (!Number.isSafeInteger(pid) || pid <= 0 || pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
