import { invalidArgument, SluiceError } from '@sluice/domain/errors';
import { checkNames, type Column, fit, type Row, textOf, type Value } from './schema.ts';
import type { Resume, Sink, TableWriter, Written } from './writer.ts';

/** Writes CSV as RFC 4180 has it, with `\n`: a heading, then a line for each row. Null is an empty cell, a list is JSON in a cell. */
export function csvWriter(columns: readonly Column[], sink: Sink, resume?: Resume): TableWriter {
  const heading = `${columns.map((column) => csvCell(column.name)).join(',')}\n`;
  // An empty line is no row.
  const lineOf = (row: Row): string => `${row.map(csvText).join(',') || '""'}\n`;
  return new LineWriter(columns, sink, heading, lineOf, resume);
}

/** Writes JSON Lines: an object for each row. Numbers that JSON has not are text, instants ISO 8601. */
export function jsonLinesWriter(columns: readonly Column[], sink: Sink, resume?: Resume): TableWriter {
  const keys = columns.map((column) => JSON.stringify(column.name));
  const lineOf = (row: Row): string => `{${row.map((value, index) => `${keys[index]!}:${textOf(value)}`).join(',')}}\n`;
  return new LineWriter(columns, sink, '', lineOf, resume);
}

class LineWriter implements TableWriter {
  readonly isFull = false;
  readonly #columns: readonly Column[];
  readonly #sink: Sink;
  readonly #lineOf: (row: Row) => string;
  #heading: string;
  #rows: number;
  #bytes: number;

  constructor(
    columns: readonly Column[],
    sink: Sink,
    heading: string,
    lineOf: (row: Row) => string,
    resume: Resume | undefined,
  ) {
    checkNames(columns);
    this.#columns = columns;
    this.#sink = sink;
    this.#lineOf = lineOf;
    this.#rows = resume?.rows ?? 0;
    this.#bytes = resume?.bytes ?? 0;
    this.#heading = this.#bytes === 0 ? heading : '';
  }

  async write(rows: readonly Row[]): Promise<void> {
    const lines = fitRows(this.#columns, rows, this.#rows).map(this.#lineOf);
    this.#rows += rows.length;
    await this.#put(lines.join(''));
  }

  async flush(): Promise<Written> {
    await this.#put('');
    return { rows: this.#rows, bytes: this.#bytes, note: '' };
  }

  finish(): Promise<Written> {
    return this.flush();
  }

  async #put(text: string): Promise<void> {
    const whole = this.#heading + text;
    this.#heading = '';
    if (whole === '') return;
    const bytes = Buffer.from(whole);
    this.#bytes += bytes.length;
    await this.#sink(bytes);
  }
}

/** @throws SluiceError invalid-argument naming the row */
export function fitRows(columns: readonly Column[], rows: readonly Row[], before: number): readonly Row[] {
  return rows.map((row, index) => {
    if (row.length !== columns.length)
      throw invalidArgument(`row ${before + index}: has ${row.length} values, expected ${columns.length}`);
    try {
      return columns.map((column, at) => fit(column, row[at]!));
    } catch (error) {
      throw invalidArgument(`row ${before + index}: ${SluiceError.from(error).message}`);
    }
  });
}

function csvText(value: Value): string {
  if (value === null) return '';
  if (typeof value === 'string') return csvCell(value);
  if (value instanceof Date) return value.toISOString();
  if (typeof value === 'object') return csvCell(textOf(value));
  return String(value);
}

/** Quotes where the format needs it. */
function csvCell(text: string): string {
  return /[",\r\n]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
