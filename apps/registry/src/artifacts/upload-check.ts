import { createHash } from 'node:crypto';
import { invalidArgument } from '@sluice/domain/errors';
import type { ExpectedArtifact } from './artifact-store.ts';
import { checkSha256, maxChunkBytes } from './names.ts';

/** Checks what an upload promises before any of it is read. */
export function checkPromise(expected: ExpectedArtifact, maxArtifactBytes: number): void {
  checkSha256(expected.sha256);
  if (!Number.isSafeInteger(expected.size) || expected.size < 0) {
    throw invalidArgument(`size: ${expected.size} is not a number of bytes`);
  }
  if (expected.size > maxArtifactBytes) {
    throw invalidArgument(
      `size: ${expected.size} bytes; this store takes artifacts of at most ${maxArtifactBytes} bytes`,
    );
  }
}

/**
 * Passes chunks on and holds them to the promise: throws `invalid-argument` at the first chunk that is too large or
 * goes over the size, and at the end when size or digest are not as promised. The last error comes after all chunks
 * were passed on, so the taker must not keep them before the iteration has ended.
 */
export async function* checkedChunks(
  expected: ExpectedArtifact,
  chunks: AsyncIterable<Uint8Array>,
): AsyncIterable<Uint8Array> {
  const hash = createHash('sha256');
  let received = 0;
  for await (const chunk of chunks) {
    if (chunk.length > maxChunkBytes) {
      throw invalidArgument(`chunk: ${chunk.length} bytes at offset ${received}; at most ${maxChunkBytes} per chunk`);
    }
    received += chunk.length;
    if (received > expected.size) {
      throw invalidArgument(`size: ${expected.size} bytes were promised and more came (${received} so far)`);
    }
    hash.update(chunk);
    yield chunk;
  }
  if (received !== expected.size) {
    throw invalidArgument(`size: ${expected.size} bytes were promised and ${received} came`);
  }
  const digest = hash.digest('hex');
  if (digest !== expected.sha256) {
    throw invalidArgument(`sha256: ${expected.sha256} was promised and the bytes have ${digest}`);
  }
}
