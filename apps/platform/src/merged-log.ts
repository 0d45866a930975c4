import type { LogFiles } from './log-files.ts';
import { formatRecord, parseLogLine } from './log-line.ts';
import type { LogRecord } from './log-line.ts';

export interface MergedLogOptions {
  readonly files: LogFiles;
  readonly print: (text: string) => void;
  readonly colour: boolean;
  readonly now: () => string;
}

const shown = new Set(['fatal', 'error', 'warn', 'info']);

/** The lines of all processes: raw into a file each, readable and merged onto the terminal. */
export class MergedLog {
  readonly #options: MergedLogOptions;
  readonly #sources: string[] = [];

  constructor(options: MergedLogOptions) {
    this.#options = options;
  }

  /** Takes a line as a process printed it. `severity` is for lines that do not say theirs. */
  line(source: string, line: string, severity = 'info'): void {
    if (line.trim() !== '') this.record(source, parseLogLine(line, source, severity, this.#options.now), line);
  }

  /** Says something on behalf of `source`. */
  say(source: string, severity: string, msg: string): void {
    this.record(source, { time: this.#options.now(), severity, service: source, instance: source, msg });
  }

  record(source: string, record: LogRecord, raw?: string): void {
    this.#options.files.write(source, raw?.startsWith('{') === true ? raw : JSON.stringify(record));
    if (!shown.has(record.severity)) return;
    let index = this.#sources.indexOf(source);
    if (index < 0) index = this.#sources.push(source) - 1;
    this.#options.print(`${formatRecord(record, source, index, this.#options.colour)}\n`);
  }
}
