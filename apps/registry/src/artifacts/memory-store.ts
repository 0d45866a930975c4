import { writeFile } from 'node:fs/promises';
import type { Clock } from '@sluice/domain/clock';
import { invalidArgument, notFound, SluiceError } from '@sluice/domain/errors';
import type { ArtifactStat, ArtifactStore, ByteSource, ExpectedArtifact } from './artifact-store.ts';
import { checkDocumentName, checkSha256, maxChunkBytes, maxDocumentBytes } from './names.ts';
import { checkedChunks, checkPromise } from './upload-check.ts';

export interface MemoryStoreOptions {
  readonly clock: Clock;
  /** Bytes of artifacts that fit; default 1 GiB. One more is `resource-exhausted`. */
  readonly capacityBytes?: number;
}

/** An artifact store that forgets: for tests of what uses one. It passes the same contract suite as the real ones. */
export class MemoryStore implements ArtifactStore {
  readonly #clock: Clock;
  readonly #capacity: number;
  readonly #artifacts = new Map<string, { bytes: Buffer; storedAt: number }>();
  readonly #documents = new Map<string, Buffer>();

  constructor(options: MemoryStoreOptions) {
    this.#clock = options.clock;
    this.#capacity = options.capacityBytes ?? 1024 ** 3;
  }

  async put(expected: ExpectedArtifact, chunks: AsyncIterable<Uint8Array>): Promise<{ stored: boolean }> {
    checkPromise(expected, 64 * 1024 ** 3);
    if (await this.touch(expected.sha256)) return { stored: false };
    const parts: Uint8Array[] = [];
    let used = [...this.#artifacts.values()].reduce((sum, artifact) => sum + artifact.bytes.length, 0);
    for await (const chunk of checkedChunks(expected, chunks)) {
      used += chunk.length;
      if (used > this.#capacity) {
        throw new SluiceError('resource-exhausted', `the artifact store is full: it holds ${this.#capacity} bytes`);
      }
      parts.push(chunk);
    }
    this.#artifacts.set(expected.sha256, { bytes: Buffer.concat(parts), storedAt: this.#clock.now() });
    return { stored: true };
  }

  async stat(sha256: string): Promise<ArtifactStat | undefined> {
    const found = this.#artifacts.get(checkSha256(sha256));
    return found && { sha256, size: found.bytes.length, storedAt: found.storedAt };
  }

  async touch(sha256: string): Promise<boolean> {
    const found = this.#artifacts.get(checkSha256(sha256));
    if (found) found.storedAt = this.#clock.now();
    return found !== undefined;
  }

  async *read(sha256: string, offset = 0): AsyncIterable<Uint8Array> {
    const bytes = this.#bytes(sha256);
    if (!Number.isSafeInteger(offset) || offset < 0 || offset > bytes.length) {
      throw invalidArgument(`offset: ${offset} is not inside the artifact; expected 0 to ${bytes.length}`);
    }
    for (let at = offset; at < bytes.length; at += maxChunkBytes) yield bytes.subarray(at, at + maxChunkBytes);
  }

  async open(sha256: string): Promise<ByteSource> {
    const bytes = this.#bytes(sha256);
    return {
      size: bytes.length,
      read: async (offset, length) => bytes.subarray(offset, offset + length),
      close: async () => undefined,
    };
  }

  async place(sha256: string, file: string): Promise<void> {
    await writeFile(file, this.#bytes(sha256), { mode: 0o400, flag: 'wx' });
  }

  async delete(sha256: string): Promise<boolean> {
    return this.#artifacts.delete(checkSha256(sha256));
  }

  async setAside(sha256: string): Promise<boolean> {
    return this.delete(sha256);
  }

  async *list(): AsyncIterable<ArtifactStat> {
    for (const sha256 of [...this.#artifacts.keys()]) {
      const found = await this.stat(sha256);
      if (found) yield found;
    }
  }

  async writeDocument(name: string, bytes: Uint8Array): Promise<void> {
    checkDocumentName(name);
    if (bytes.length > maxDocumentBytes) {
      throw invalidArgument(`document ${name}: ${bytes.length} bytes; at most ${maxDocumentBytes}`);
    }
    this.#documents.set(name, Buffer.from(bytes));
  }

  async readDocument(name: string): Promise<Uint8Array | undefined> {
    return this.#documents.get(checkDocumentName(name));
  }

  async listDocuments(prefix = ''): Promise<readonly string[]> {
    return [...this.#documents.keys()].filter((name) => name.startsWith(prefix)).sort();
  }

  async collectInterrupted(): Promise<number> {
    return 0;
  }

  #bytes(sha256: string): Buffer {
    const found = this.#artifacts.get(checkSha256(sha256));
    if (!found) throw notFound(`artifact ${sha256} is not in the store; upload it again (push does that)`);
    return found.bytes;
  }
}
