import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { lstat, readdir, realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import { usageError } from '../exit-codes.ts';

/** A file that will be part of a version. */
export interface LocalFile {
  /** Relative to the pushed folder, with forward slashes. */
  readonly path: string;
  /** Where it is on this machine. */
  readonly source: string;
  readonly size: number;
}

export interface HashedFile extends LocalFile {
  readonly sha256: string;
}

export interface Collected {
  readonly files: readonly LocalFile[];
  /** Hidden files and folders that were left out, relative. */
  readonly left: readonly string[];
}

/** Most files that a version may have. */
const maxFiles = 1000;

/**
 * The files of a folder, ordered by path, or the one file named. Hidden files are left out; links are followed when
 * they stay inside the folder, and refused when they lead out of it.
 */
export async function collectFiles(target: string): Promise<Collected> {
  const found = await stat(target);
  if (found.isFile()) {
    return { files: [{ path: path.basename(target), source: target, size: found.size }], left: [] };
  }
  if (!found.isDirectory()) throw usageError(`${target} is neither a file nor a folder`);
  const root = await realpath(target);
  const files: LocalFile[] = [];
  const left: string[] = [];
  await walk(root, '', files, left, new Set([root]));
  if (files.length === 0) throw usageError(`${target} has no files`, 'Push the folder that holds the *.onnx file.');
  files.sort((one, other) => (one.path < other.path ? -1 : 1));
  return { files, left };
}

async function walk(
  root: string,
  inside: string,
  files: LocalFile[],
  left: string[],
  open: ReadonlySet<string>,
): Promise<void> {
  for (const name of (await readdir(path.join(root, inside))).sort()) {
    const relative = inside === '' ? name : `${inside}/${name}`;
    if (name.startsWith('.')) {
      left.push(relative);
      continue;
    }
    const source = path.join(root, relative);
    const real = await realOf(root, source, relative);
    const found = await lstat(real);
    if (found.isDirectory()) {
      // A link to a folder above would never end.
      if (open.has(real)) throw usageError(`${relative} is a link to a folder that it is in`);
      await walk(root, relative, files, left, new Set([...open, real]));
    } else if (found.isFile()) {
      files.push({ path: relative, source: real, size: found.size });
    } else {
      throw usageError(`${relative} is neither a file nor a folder`, 'Remove it from the folder.');
    }
    if (files.length > maxFiles)
      throw usageError(`the folder has more than ${maxFiles} files`, 'A version takes no more.');
  }
}

async function realOf(root: string, source: string, relative: string): Promise<string> {
  const real = await realpath(source);
  if (real !== root && !real.startsWith(root + path.sep)) {
    throw usageError(`${relative} is a link to ${real}, outside the folder`, 'Copy the file into the folder.');
  }
  return real;
}

/** Hashes the files one after the other, telling how many bytes were read. */
export async function hashFiles(
  files: readonly LocalFile[],
  onBytes: (bytes: number) => void,
  signal: AbortSignal,
): Promise<readonly HashedFile[]> {
  const hashed: HashedFile[] = [];
  for (const file of files) {
    const hash = createHash('sha256');
    let size = 0;
    for await (const chunk of createReadStream(file.source, { highWaterMark: 1024 * 1024, signal })) {
      hash.update(chunk as Buffer);
      size += (chunk as Buffer).length;
      onBytes((chunk as Buffer).length);
    }
    hashed.push({ ...file, size, sha256: hash.digest('hex') });
  }
  return hashed;
}
