/** States of a version, in the order of its life. */
export const versionStates = [
  /** The files are there; admission is running. */
  'admitting',
  /** May be served. */
  'ready',
  /** Admission refused it; kept with its reason. */
  'rejected',
  /** A tombstone: the number is never used again. */
  'deleted',
] as const;
export type VersionState = (typeof versionStates)[number];

/** One file of a version. */
export interface VersionFile {
  /** Relative to the pushed folder, with forward slashes. */
  readonly path: string;
  /** Lower-case hex. */
  readonly sha256: string;
  readonly size: number;
}

/**
 * The text whose SHA-256 is a version's digest: one line `sha256 size path` per file, ordered by the UTF-8 bytes of
 * the path, each ended by a line feed. Paths hold no control characters, so that two lists never give one text.
 */
export function canonicalFileList(files: readonly VersionFile[]): string {
  const encoder = new TextEncoder();
  return files
    .map((file) => ({ file, key: encoder.encode(file.path) }))
    .sort((left, right) => compareBytes(left.key, right.key))
    .map(({ file }) => `${file.sha256} ${file.size} ${file.path}\n`)
    .join('');
}

/** A version's digest. `sha256` hashes the UTF-8 bytes of a text to lower-case hex. */
export function versionDigest(files: readonly VersionFile[], sha256: (text: string) => string): string {
  return sha256(canonicalFileList(files));
}

function compareBytes(left: Uint8Array, right: Uint8Array): number {
  const shared = Math.min(left.length, right.length);
  for (let index = 0; index < shared; index += 1) {
    const difference = left[index]! - right[index]!;
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}
