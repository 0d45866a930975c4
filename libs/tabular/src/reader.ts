import type { Column, Row } from './schema.ts';

/** Bytes that are read from front to back, from any place on. */
export interface ByteSource {
  /** How many there are. */
  readonly size: number;
  /** Those from `offset` on, in pieces of bounded size. */
  stream(offset: number): AsyncIterable<Uint8Array>;
}

/** Bytes that are read anywhere. */
export interface RandomAccess {
  readonly size: number;
  /** Exactly `length` bytes from `offset` on; fails when there are fewer. */
  read(offset: number, length: number): Promise<ArrayBuffer>;
}

/** Where reading goes on: after the rows that have been read. */
export interface Position {
  /** Rows before it, those that could not be read too. */
  readonly rows: number;
  /** Bytes before it; 0 in formats that are not read from front to back. */
  readonly offset: number;
  /** Lines before it; 0 in formats that have none. */
  readonly lines: number;
}

/** A row of a file, or what is wrong with it. */
export interface ReadRow {
  /** Of the whole table, from 0. */
  readonly index: number;
  /** Undefined when the row cannot be read, and others after it can. */
  readonly values: Row | undefined;
  /** Why it cannot be read; '' when it can. */
  readonly problem: string;
  /** The line that it begins on, from 1; 0 in formats that have none. */
  readonly line: number;
  /** Where reading goes on after this row. */
  readonly after: Position;
}

/** A table in a file, whatever the format. */
export interface TableReader {
  readonly columns: readonly Column[];
  /** False when the file names none: they are then `1`, `2`, …. */
  readonly hasNames: boolean;
  /** Known before they are read in some formats. */
  readonly totalRows: number | undefined;
  /**
   * The rows, in order and in portions whose size does not grow with the table. A row that cannot be read is given with its
   * problem; what makes all that follows unreadable ends it.
   *
   * @throws SluiceError invalid-argument naming the line, or row group and column, that is damaged
   */
  rows(from?: Position): AsyncIterable<readonly ReadRow[]>;
}

/** A row in a message: `line 7`, `row 6`. */
export const placeOf = (row: Pick<ReadRow, 'index' | 'line'>): string =>
  row.line > 0 ? `line ${row.line}` : `row ${row.index}`;

/** Bytes in memory as a source. */
export const bytesInMemory = (bytes: Uint8Array): ByteSource & RandomAccess => ({
  size: bytes.byteLength,
  async *stream(offset) {
    const step = 65_536;
    for (let at = offset; at < bytes.byteLength; at += step) yield bytes.subarray(at, at + step);
  },
  async read(offset, length) {
    return new Uint8Array(bytes.subarray(offset, offset + length)).buffer;
  },
});
