import { mkdirSync } from 'node:fs';
import { createStream } from 'rotating-file-stream';
import type { RotatingFileStream } from 'rotating-file-stream';

export interface LogFileOptions {
  readonly folder: string;
  /** A file is rotated at this size. */
  readonly megabytes: number;
  /** And at this age, in the words of rotating-file-stream: `1d` (the default) is every midnight. */
  readonly age?: '1d' | '1s';
  /** Rotated files kept per name. */
  readonly keep: number;
}

/** Raw log lines, a file per service, rotated by size and age. A full disk loses log lines, never a service. */
export class LogFiles {
  readonly #options: LogFileOptions;
  readonly #onProblem: (problem: string) => void;
  readonly #streams = new Map<string, RotatingFileStream>();
  readonly #failed = new Set<string>();

  constructor(options: LogFileOptions, onProblem: (problem: string) => void) {
    mkdirSync(options.folder, { recursive: true });
    this.#options = options;
    this.#onProblem = onProblem;
  }

  write(name: string, line: string): void {
    if (!this.#failed.has(name)) this.#stream(name).write(`${line}\n`);
  }

  async close(): Promise<void> {
    await Promise.all(
      [...this.#streams.values()].map(async (stream) => {
        const { promise, resolve } = Promise.withResolvers<undefined>();
        stream.once('error', () => resolve(undefined));
        stream.end(() => resolve(undefined));
        await promise;
      }),
    );
  }

  #stream(name: string): RotatingFileStream {
    const open = this.#streams.get(name);
    if (open !== undefined) return open;
    const stream = createStream(`${name}.log`, {
      path: this.#options.folder,
      size: `${this.#options.megabytes}M`,
      interval: this.#options.age ?? '1d',
      intervalBoundary: true,
      initialRotation: true,
      maxFiles: this.#options.keep,
      history: `.${name}.history`,
    });
    stream.on('error', (error) => {
      this.#failed.add(name);
      this.#onProblem(`log file ${name}.log: ${error.message}; its lines are only shown from now on`);
    });
    stream.on('warning', (error) => this.#onProblem(`log file ${name}.log: ${error.message}`));
    this.#streams.set(name, stream);
    return stream;
  }
}
