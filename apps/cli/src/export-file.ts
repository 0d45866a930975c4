import { createHash } from 'node:crypto';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { CliError, exitCodes } from './exit-codes.ts';

export const manifestPath = (output: string): string => `${output}.manifest.json`;

/** A file that has its name only when all of it is on disk, with its manifest beside it. */
export class ExportFile {
  readonly #output: string;
  readonly #handle: FileHandle;
  readonly #hash = createHash('sha256');
  #bytes = 0;

  static async create(output: string): Promise<ExportFile> {
    return new ExportFile(output, await open(temporary(output), 'w'));
  }

  private constructor(output: string, handle: FileHandle) {
    this.#output = output;
    this.#handle = handle;
  }

  get bytes(): number {
    return this.#bytes;
  }

  async write(bytes: Uint8Array): Promise<void> {
    this.#hash.update(bytes);
    this.#bytes += bytes.length;
    await this.#handle.writeFile(bytes);
  }

  /**
   * Gives both their names, for good: the manifest first, so that no file is without one.
   *
   * @throws CliError failed when the bytes are not those that the manifest is of
   */
  async publish({ digest, manifestJson }: { readonly digest: string; readonly manifestJson: string }): Promise<void> {
    const own = this.#hash.digest('hex');
    if (own !== digest)
      throw new CliError(
        exitCodes.failed,
        `the file came with another digest: ${own}, and its manifest says ${digest}`,
      );
    await this.#handle.sync();
    const manifest = manifestPath(this.#output);
    const handle = await open(temporary(manifest), 'w');
    try {
      await handle.writeFile(`${JSON.stringify(JSON.parse(manifestJson), undefined, 2)}\n`);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary(manifest), manifest);
    await rename(temporary(this.#output), this.#output);
    const folder = await open(path.dirname(path.resolve(this.#output)), 'r');
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  }

  /** Leaves nothing behind that has not got its name. */
  async close(): Promise<void> {
    await this.#handle.close();
    for (const file of [this.#output, manifestPath(this.#output)]) await rm(temporary(file), { force: true });
  }
}

const temporary = (file: string): string => `${file}.exporting`;
