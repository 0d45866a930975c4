import { createWriteStream, fstatSync, openSync, readdirSync, renameSync, rmSync } from 'node:fs';
import type { WriteStream } from 'node:fs';
import path from 'node:path';
import type { Clock } from '@sluice/domain/clock';

export interface RotationOptions {
  readonly folder: string;
  /** Of the service: the file is `<name>.log`, a rotated one `<date>-<time>-<number>-<name>.log`. */
  readonly name: string;
  /** It is rotated before a line when it has this size, or is of an earlier day (UTC). */
  readonly bytes: number;
  /** Rotated files that stay. */
  readonly keep: number;
  readonly clock: Clock;
}

const rotatedName = /^(\d{8}-\d{4})-(\d+)-(.*)\.log$/;
const timeOf = (ms: number): string => new Date(ms).toISOString();
const dayOf = (ms: number): string => timeOf(ms).slice(0, 10);

/** A file that text is added to and that is rotated by size and age. */
export class LogFile {
  readonly #options: RotationOptions;
  readonly #onError: (error: Error) => void;
  /** Rotated streams that have lines to write still. */
  readonly #closing = new Set<Promise<void>>();
  #stream: WriteStream;
  #size = 0;
  #day = '';

  /** Opens the file; throws the file system's error when it cannot. @param onError told of those of later */
  constructor(options: RotationOptions, onError: (error: Error) => void) {
    this.#options = options;
    this.#onError = onError;
    this.#stream = this.#open();
  }

  /** Adds a text. Throws the file system's error when rotation fails. */
  write(text: string): void {
    const today = dayOf(this.#options.clock.now());
    if (this.#size > 0 && (this.#size >= this.#options.bytes || this.#day !== today)) this.#rotate();
    this.#day = today;
    this.#size += Buffer.byteLength(text);
    this.#stream.write(text);
  }

  /** Resolves when everything is written. */
  async close(): Promise<void> {
    this.#end();
    await Promise.all(this.#closing);
  }

  get #path(): string {
    return path.join(this.#options.folder, `${this.#options.name}.log`);
  }

  // Opened at once: what is written later goes to this file, also when its name is another by then.
  #open(): WriteStream {
    const fd = openSync(this.#path, 'a');
    const { size, mtimeMs } = fstatSync(fd);
    this.#size = size;
    this.#day = dayOf(mtimeMs);
    return createWriteStream(this.#path, { fd }).on('error', this.#onError);
  }

  #end(): void {
    const stream = this.#stream;
    // After an error it has closed itself.
    if (stream.closed) return;
    const { promise, resolve } = Promise.withResolvers<undefined>();
    stream.once('close', () => resolve(undefined));
    stream.end();
    const closed = promise.then(() => void this.#closing.delete(closed));
    this.#closing.add(closed);
  }

  #rotate(): void {
    const { folder, name, keep, clock } = this.#options;
    const stamp = timeOf(clock.now()).slice(0, 16).replaceAll(/[-:]/g, '').replace('T', '-');
    const rotated = readdirSync(folder).flatMap((file) => {
      const [, at, number, of] = rotatedName.exec(file) ?? [];
      return of === name ? [{ file, at, number: Number(number) }] : [];
    });
    const numbers = rotated.filter(({ at }) => at === stamp).map((each) => each.number);
    const number = String(Math.max(0, ...numbers) + 1).padStart(3, '0');
    this.#end();
    const added = `${stamp}-${number}-${name}.log`;
    renameSync(this.#path, path.join(folder, added));
    // Names are in the order of time.
    const names = [...rotated.map(({ file }) => file), added];
    for (const file of names.toSorted().slice(0, -keep)) rmSync(path.join(folder, file), { force: true });
    this.#stream = this.#open();
  }
}
