import { invalidArgument } from '@sluice/domain/errors';
import { clip } from '@sluice/domain/names';
import type { VersionFile } from '@sluice/domain/version';

/** Largest chunk that an upload may send, in bytes. */
export const maxChunkBytes = 1024 * 1024;
/** Largest document, in bytes. */
export const maxDocumentBytes = 1024 * 1024;
/** Most files that a version may have. */
export const maxVersionFiles = 1000;

const digest = /^[0-9a-f]{64}$/;
const documentName = /^[a-z0-9](?:[a-z0-9.-]{0,126}[a-z0-9])?$/;

export function checkSha256(text: string, field = 'sha256'): string {
  if (!digest.test(text)) {
    throw invalidArgument(`${field}: "${clip(text)}" is not a SHA-256; expected 64 lower-case hex digits`);
  }
  return text;
}

/** Checks a document's name: a-z, 0-9, '.' and '-', at most 128, no path, no two dots together. */
export function checkDocumentName(name: string): string {
  if (!documentName.test(name) || name.includes('..')) {
    throw invalidArgument(
      `document: "${clip(name)}" is not a document name; expected up to 128 of a-z, 0-9, '.' or '-', beginning and ending with a letter or digit`,
    );
  }
  return name;
}

/** What is wrong with `path` as a file's place inside a version's folder; undefined when it is fine. */
export function pathProblem(path: string): string | undefined {
  if (path === '') return 'is empty';
  if (Buffer.byteLength(path) > 1024) return 'is longer than 1,024 bytes';
  if (path.startsWith('/') || /^[A-Za-z]:/.test(path)) return 'is absolute';
  if (path.includes('\\')) return 'has a backslash';
  if (/[\u0000-\u001f\u007f]/.test(path)) return 'has a control character';
  if (!path.isWellFormed()) return 'is not valid Unicode';
  for (const part of path.split('/')) {
    if (part === '') return 'has an empty part';
    if (part === '.' || part === '..') return `has the part "${part}"`;
    if (Buffer.byteLength(part) > 255) return 'has a part longer than 255 bytes';
  }
  return undefined;
}

/**
 * Checks a version's files together: at least one and at most 1,000, sane digests and sizes, paths that stay inside
 * the folder, none twice (nor twice but for case, nor one inside another). `invalid-argument` names the file.
 */
export function checkVersionFiles(files: readonly VersionFile[]): void {
  if (files.length === 0) throw invalidArgument('files: none given; a version needs at least its *.onnx graph');
  if (files.length > maxVersionFiles) {
    throw invalidArgument(`files: ${files.length} given; a version has at most ${maxVersionFiles}`);
  }
  const seen = new Map<string, string>();
  for (const [index, file] of files.entries()) {
    const field = `files[${index}]`;
    const problem = pathProblem(file.path);
    if (problem) {
      throw invalidArgument(`${field}.path: "${clip(file.path)}" ${problem}; expected a path inside the pushed folder`);
    }
    checkSha256(file.sha256, `${field}.sha256`);
    if (!Number.isSafeInteger(file.size) || file.size < 0) {
      throw invalidArgument(`${field}.size: ${file.size} is not a number of bytes`);
    }
    const key = file.path.toLowerCase();
    const other = seen.get(key);
    if (other !== undefined) throw invalidArgument(`${field}.path: "${clip(file.path)}" is given twice ("${other}")`);
    seen.set(key, file.path);
  }
  for (const key of seen.keys()) {
    for (let cut = key.lastIndexOf('/'); cut > 0; cut = key.lastIndexOf('/', cut - 1)) {
      const folder = seen.get(key.slice(0, cut));
      if (folder !== undefined) {
        throw invalidArgument(`files: "${folder}" is both a file and the folder of "${clip(seen.get(key)!)}"`);
      }
    }
  }
}
