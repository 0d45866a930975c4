import { open, type FileHandle } from 'node:fs/promises';
import { invalidArgument } from '@sluice/domain/errors';
import type { ByteSource, RandomAccess } from './reader.ts';

const pieceBytes = 65_536;

/** A file that is read, from front to back or anywhere. Its size is what it was when it was opened. */
export class FileSource implements ByteSource, RandomAccess {
  readonly path: string;
  readonly size: number;
  /** When it was last changed, in milliseconds since 1970. */
  readonly modifiedMs: number;
  readonly #handle: FileHandle;

  private constructor(path: string, size: number, modifiedMs: number, handle: FileHandle) {
    this.path = path;
    this.size = size;
    this.modifiedMs = modifiedMs;
    this.#handle = handle;
  }

  /** @throws SluiceError invalid-argument when it is no file; what the file system says when it cannot be opened */
  static async open(path: string): Promise<FileSource> {
    const handle = await open(path, 'r');
    try {
      const stat = await handle.stat();
      if (!stat.isFile()) throw invalidArgument(`${path} is not a file`);
      return new FileSource(path, stat.size, stat.mtimeMs, handle);
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  /** True when somebody has written to it since it was opened. */
  async hasChanged(): Promise<boolean> {
    const stat = await this.#handle.stat();
    return stat.size !== this.size || stat.mtimeMs !== this.modifiedMs;
  }

  async *stream(offset: number): AsyncIterable<Uint8Array> {
    for (let at = offset; at < this.size;) {
      const { buffer, bytesRead } = await this.#handle.read({
        buffer: Buffer.allocUnsafe(pieceBytes),
        length: Math.min(pieceBytes, this.size - at),
        position: at,
      });
      if (bytesRead === 0) throw this.#shorter();
      at += bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
  }

  async read(offset: number, length: number): Promise<ArrayBuffer> {
    const bytes = new Uint8Array(length);
    for (let done = 0; done < length;) {
      const { bytesRead } = await this.#handle.read(bytes, done, length - done, offset + done);
      if (bytesRead === 0) throw this.#shorter();
      done += bytesRead;
    }
    return bytes.buffer;
  }

  close(): Promise<void> {
    return this.#handle.close();
  }

  #shorter = () => invalidArgument(`${this.path} is shorter than it was when it was opened`);
}
