import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';

/** Bytes of one chunk of an upload: what the registry takes at most. */
export const chunkBytes = 1024 * 1024;

export interface FileDigest {
  /** SHA-256 in lower-case hex. */
  readonly sha256: string;
  readonly size: number;
}

/** Told of bytes done so far and of all that there are. */
export type Progress = (doneBytes: number, totalBytes: number) => void;

/**
 * Reads a file once for its digest; never holds more than a chunk of it.
 *
 * @throws the file system's error
 */
export async function digestFile(file: string, onProgress?: Progress): Promise<FileDigest> {
  const { size } = await stat(file);
  const hash = createHash('sha256');
  let done = 0;
  for await (const chunk of fileChunks(file)) {
    hash.update(chunk);
    done += chunk.length;
    onProgress?.(done, size);
  }
  return { sha256: hash.digest('hex'), size: done };
}

/** A file in chunks that an upload takes. */
export async function* fileChunks(file: string): AsyncGenerator<Uint8Array> {
  const stream = createReadStream(file, { highWaterMark: chunkBytes });
  for await (const chunk of stream) yield chunk as Buffer;
}
