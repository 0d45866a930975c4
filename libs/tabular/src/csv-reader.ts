import { invalidArgument, SluiceError } from '@sluice/domain/errors';
import { CsvError, type InfoRecord, Parser } from 'csv-parse';
import type { ByteSource, Position, ReadRow, TableReader } from './reader.ts';
import { checkNames, checkWidth, type Column } from './schema.ts';
import { Utf8Check } from './utf8-check.ts';

export interface CsvOptions {
  /** Whether the first record names the columns; default true. */
  readonly header?: boolean;
  /** The longest record, in bytes; default 64 MiB. A quote that is never closed is found there. */
  readonly maxRecordBytes?: number;
}

/** A record, whatever its width. */
export interface CsvRecord {
  readonly cells: readonly string[];
  /** The one on which it begins. */
  readonly line: number;
}

interface Record extends CsvRecord {
  /** Bytes and lines before the next one. */
  readonly offset: number;
  readonly lines: number;
}

const start: Position = { rows: 0, offset: 0, lines: 0 };

/**
 * Opens CSV as RFC 4180 has it: commas, quotes, `\n` or `\r\n`, UTF-8 with or without a byte order mark; empty lines are passed
 * over. All columns are text. A record with more or fewer cells than the first is a row that cannot be read; after a quote in the
 * wrong place nobody knows where the next record begins, which ends the reading.
 *
 * @throws SluiceError invalid-argument naming the line
 */
export async function openCsv(source: ByteSource, options: CsvOptions = {}): Promise<TableReader> {
  const hasNames = options.header ?? true;
  const maxRecordBytes = options.maxRecordBytes ?? 67_108_864;
  const first = await firstRecord(source, maxRecordBytes);
  if (!first) throw invalidArgument('the CSV has no rows');
  checkWidth(first.cells.length);
  const columns: readonly Column[] = first.cells.map((cell, index) => ({
    name: hasNames ? cell.trim() : String(index + 1),
    type: 'string',
    depth: 0,
  }));
  if (hasNames) checkHeading(columns, first.line);
  const begin = hasNames ? { rows: 0, offset: first.offset, lines: first.lines } : start;
  return {
    columns,
    hasNames,
    totalRows: undefined,
    rows: (from = begin) => readRows(records(source, from, maxRecordBytes), columns.length, from.rows),
  };
}

function checkHeading(columns: readonly Column[], line: number): void {
  try {
    checkNames(columns);
  } catch (error) {
    throw invalidArgument(`line ${line}: ${SluiceError.from(error).message} in the heading`);
  }
}

async function firstRecord(source: ByteSource, maxRecordBytes: number): Promise<Record | undefined> {
  for await (const found of records(source, start, maxRecordBytes)) {
    if (found[0]) return found[0];
  }
  return undefined;
}

async function* readRows(
  portions: AsyncIterable<readonly Record[]>,
  width: number,
  before: number,
): AsyncIterable<readonly ReadRow[]> {
  let index = before;
  for await (const portion of portions) {
    if (portion.length === 0) continue;
    yield portion.map(({ cells, line, offset, lines }) => {
      const isWhole = cells.length === width;
      return {
        index: index++,
        values: isWhole ? cells : undefined,
        problem: isWhole ? '' : `has ${cells.length} cells where ${width} are expected`,
        line,
        after: { rows: index, offset, lines },
      };
    });
  }
}

/**
 * The records of CSV that comes as a stream, the heading first, without any idea of a table: see `openCsv` for the format.
 *
 * @param maxRecordBytes the longest record
 * @throws SluiceError invalid-argument naming the line
 */
export async function* csvRecords(bytes: AsyncIterable<Uint8Array>, maxRecordBytes: number): AsyncIterable<CsvRecord> {
  for await (const found of records({ stream: () => bytes }, start, maxRecordBytes)) yield* found;
}

/** The records of each piece of the file, with their places. */
async function* records(
  source: Pick<ByteSource, 'stream'>,
  from: Position,
  maxRecordBytes: number,
): AsyncIterable<readonly Record[]> {
  let found: Record[] = [];
  const places = new Places(from);
  const parser = new Parser({
    bom: from.offset === 0,
    // Not found out from the first line: the parser would take no other after it.
    record_delimiter: ['\r\n', '\n', '\r'],
    skip_empty_lines: true,
    relax_column_count: true,
    max_record_size: maxRecordBytes,
    on_record: (cells: readonly string[], info: InfoRecord) => {
      found.push(places.record(cells, info));
      // Nothing is queued in the parser: what it has found is taken after every piece.
      return null;
    },
  });
  // What it throws comes to the callbacks below; without a listener it would end the process too.
  parser.on('error', () => undefined);
  const settled = (step: (done: (error?: Error | null) => void) => void): Promise<void> =>
    new Promise((resolve, reject) => step((error) => (error ? reject(toFailure(error, places)) : resolve())));
  const take = (): Record[] => {
    const taken = found;
    found = [];
    return taken;
  };
  const utf8 = new Utf8Check(from.lines);
  try {
    for await (const piece of source.stream(from.offset)) {
      utf8.add(piece);
      await settled((done) => void parser.write(piece, done));
      yield take();
    }
    utf8.end();
    await settled((done) => void parser.end(done));
    yield take();
  } finally {
    parser.destroy();
  }
}

/** Counts lines: the parser takes the two characters of a line end inside quotes for two. */
class Places {
  readonly #offset: number;
  #lines: number;
  #emptyLines = 0;

  constructor(from: Position) {
    this.#offset = from.offset;
    this.#lines = from.lines;
  }

  record(cells: readonly string[], info: InfoRecord): Record {
    const line = this.nextLine(info.empty_lines);
    this.#lines = line;
    this.#emptyLines = info.empty_lines;
    for (const cell of cells) {
      for (let at = cell.indexOf('\n'); at >= 0; at = cell.indexOf('\n', at + 1)) this.#lines += 1;
    }
    return { cells, line, offset: this.#offset + info.bytes, lines: this.#lines };
  }

  /** Where the record begins that comes after so many empty lines. */
  nextLine(emptyLines: number): number {
    return this.#lines + (emptyLines - this.#emptyLines) + 1;
  }
}

function toFailure(error: unknown, places: Places): SluiceError {
  if (!(error instanceof CsvError)) return SluiceError.from(error);
  const line = places.nextLine((error as { empty_lines?: number }).empty_lines ?? 0);
  const reasons: Readonly<Partial<globalThis.Record<string, string>>> = {
    CSV_QUOTE_NOT_CLOSED: 'a quote is never closed',
    CSV_MAX_RECORD_SIZE: 'the record is too long: is a quote never closed?',
    CSV_INVALID_CLOSING_QUOTE: 'something follows a closing quote (a quote inside a cell is written twice)',
    INVALID_OPENING_QUOTE: 'a quote inside a cell that does not begin with one',
  };
  return invalidArgument(`line ${line}: the CSV cannot be read: ${reasons[error.code] ?? error.message}`);
}
