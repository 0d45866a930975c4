import type { Row } from './schema.ts';

/** Takes the bytes of a table in their order; may ask to wait. It must have copied them when it says so. */
export type Sink = (bytes: Uint8Array) => void | Promise<void>;

/** How far a table has been written. */
export interface Written {
  /** Rows that it has. */
  readonly rows: number;
  /** Bytes that the sink has had. */
  readonly bytes: number;
  /** What the end of the file needs to know of what was written since the flush before, as text; '' where it needs nothing. */
  readonly note: string;
}

/** Where writing goes on, after a process that ended: what all flushes before have said. */
export interface Resume {
  readonly rows: number;
  readonly bytes: number;
  readonly notes: readonly string[];
}

/** Writes a table in some format. Its bytes are the same however often it was flushed and resumed at the same rows. */
export interface TableWriter {
  /**
   * Takes rows. Text formats hand their bytes on at once; Parquet keeps them until a row group is full.
   *
   * @throws SluiceError invalid-argument naming the row and column of a value that the column cannot have; no row of these is written
   */
  write(rows: readonly Row[]): Promise<void>;
  /** Hands on everything that it holds: Parquet ends the row group. A file of what was written so far can be gone on with. */
  flush(): Promise<Written>;
  /** Whether a flush is due: what is held is as much as it should be. Always false where nothing is held. */
  readonly isFull: boolean;
  /** Writes the end. */
  finish(): Promise<Written>;
}
