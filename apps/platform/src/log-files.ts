import { mkdirSync } from 'node:fs';
import type { Clock } from '@sluice/domain/clock';
import { SluiceError } from '@sluice/domain/errors';
import { LogFile } from './log-file.ts';

export interface LogFileOptions {
  readonly folder: string;
  /** A file is rotated at this size, and at the first line of a day (UTC). */
  readonly megabytes: number;
  /** Rotated files kept per name. */
  readonly keep: number;
  readonly clock: Clock;
}

/** Raw log lines, a file per service, rotated by size and age. A full disk loses log lines, never a service. */
export class LogFiles {
  readonly #options: LogFileOptions;
  readonly #onProblem: (problem: string) => void;
  readonly #files = new Map<string, LogFile>();
  readonly #failed = new Set<string>();

  constructor(options: LogFileOptions, onProblem: (problem: string) => void) {
    mkdirSync(options.folder, { recursive: true });
    this.#options = options;
    this.#onProblem = onProblem;
  }

  write(name: string, line: string): void {
    if (this.#failed.has(name)) return;
    try {
      this.#file(name).write(`${line}\n`);
    } catch (error) {
      this.#fail(name, error);
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.#files.values()].map(async (file) => file.close()));
  }

  #file(name: string): LogFile {
    const open = this.#files.get(name);
    if (open !== undefined) return open;
    const { folder, megabytes, keep, clock } = this.#options;
    const bytes = megabytes * 1024 * 1024;
    const file = new LogFile({ folder, name, bytes, keep, clock }, (error) => this.#fail(name, error));
    this.#files.set(name, file);
    return file;
  }

  #fail(name: string, error: unknown): void {
    if (this.#failed.has(name)) return;
    this.#failed.add(name);
    const { message } = error instanceof Error ? error : SluiceError.from(error);
    this.#onProblem(`log file ${name}.log: ${message}; its lines are only shown from now on`);
  }
}
