import { zstdCompressSync } from 'node:zlib';
import { invalidArgument } from '@sluice/domain/errors';
import {
  type DecodedArray,
  parquetMetadata,
  parquetSchema,
  type RowGroup,
  type SchemaElement,
  type SchemaTree,
} from 'hyparquet';
import { ByteWriter, ParquetWriter as Encoder } from 'hyparquet-writer';
import { schemaOf } from './parquet-schema.ts';
import { checkNames, type Column, type Row, type Value } from './schema.ts';
import { fitRows } from './text-writers.ts';
import type { Resume, Sink, TableWriter, Written } from './writer.ts';

export interface ParquetWriterOptions {
  /** Rows of a row group at most; default 100,000. */
  readonly groupRows?: number;
  /** Bytes of a row group, roughly and before compression, from which on it is full; default 8 MiB, which take several times as much until then. */
  readonly groupBytes?: number;
}

/**
 * Writes Parquet: a row group at a time is held, and handed on compressed with Zstandard. What the end of the file has to say
 * of a row group is the note of its flush.
 */
export class ParquetTableWriter implements TableWriter {
  readonly #columns: readonly Column[];
  readonly #sink: Sink;
  readonly #groupRows: number;
  readonly #groupBytes: number;
  readonly #bytes = new ByteWriter();
  readonly #encoder: Encoder;
  #held: Row[] = [];
  #heldBytes = 0;

  constructor(columns: readonly Column[], sink: Sink, resume?: Resume, options: ParquetWriterOptions = {}) {
    checkNames(columns);
    if (columns.length === 0) throw invalidArgument('a Parquet file needs a column');
    this.#columns = columns;
    this.#sink = sink;
    this.#groupRows = options.groupRows ?? 100_000;
    this.#groupBytes = options.groupBytes ?? 8_388_608;
    this.#encoder = encoderOf(columns, this.#bytes);
    if (resume && resume.bytes > 0) this.#goOn(resume);
  }

  get isFull(): boolean {
    return this.#held.length >= this.#groupRows || this.#heldBytes >= this.#groupBytes;
  }

  async write(rows: readonly Row[]): Promise<void> {
    for (const row of fitRows(this.#columns, rows, Number(this.#encoder.num_rows) + this.#held.length)) {
      this.#held.push(row);
      this.#heldBytes += row.reduce<number>((sum, value) => sum + sizeOf(value), 0);
    }
  }

  async flush(): Promise<Written> {
    let note = '';
    if (this.#held.length > 0) {
      const rows = this.#held;
      this.#held = [];
      this.#heldBytes = 0;
      const columnData = this.#columns.map(({ name }, at) => ({
        name,
        data: rows.map((row) => row[at]) as DecodedArray,
        offsetIndex: false,
      }));
      await this.#encoder.write({ columnData, rowGroupSize: rows.length });
      // The indexes that it would write at the end; a file of small row groups needs none.
      this.#encoder.pendingIndexes = [];
      note = noteOf(this.#columns, this.#encoder.row_groups.at(-1)!);
      // As a later process would have it: the end of the file is the same then.
      this.#encoder.row_groups[this.#encoder.row_groups.length - 1] = groupOf(note);
    }
    await this.#handOn();
    return this.#written(note);
  }

  async finish(): Promise<Written> {
    const { note } = await this.flush();
    // The library writes a list without items as one of bytes, which strict readers refuse.
    if (this.#encoder.row_groups.length === 0) this.#encoder.row_groups.push(emptyGroup(this.#encoder.schema));
    await this.#encoder.finish();
    await this.#handOn();
    return this.#written(note);
  }

  #written = (note: string): Written => ({
    rows: Number(this.#encoder.num_rows),
    bytes: this.#bytes.offset,
    note,
  });

  #goOn({ rows, bytes, notes }: Resume): void {
    this.#encoder.row_groups = notes.filter((note) => note !== '').map(groupOf);
    this.#encoder.num_rows = this.#encoder.row_groups.reduce((sum, group) => sum + group.num_rows, 0n);
    if (this.#encoder.num_rows !== BigInt(rows))
      throw invalidArgument(`the row groups have ${this.#encoder.num_rows} rows, expected ${rows}`);
    // What it wrote when it was made is in the file already.
    this.#bytes.index = 0;
    this.#bytes.offset = bytes;
  }

  async #handOn(): Promise<void> {
    if (this.#bytes.index === 0) return;
    const bytes = this.#bytes.getBytes();
    this.#bytes.index = 0;
    await this.#sink(bytes);
  }
}

const encoderOf = (columns: readonly Column[], writer: ByteWriter): Encoder =>
  new Encoder({
    writer,
    schema: schemaOf(columns),
    codec: 'ZSTD',
    compressors: { ZSTD: (input) => zstdCompressSync(input) },
    createdBy: 'sluice',
  });

/** The footer of a file that has this row group alone: the library's own words for it. */
function noteOf(columns: readonly Column[], group: RowGroup): string {
  const bytes = new ByteWriter();
  const encoder = encoderOf(columns, bytes);
  encoder.row_groups = [group];
  encoder.num_rows = group.num_rows;
  void encoder.finish();
  return Buffer.from(bytes.getBytes()).toString('base64');
}

function groupOf(note: string): RowGroup {
  const { row_groups: groups } = parquetMetadata(new Uint8Array(Buffer.from(note, 'base64')), { geoparquet: false });
  if (groups.length !== 1) throw invalidArgument('a note of a row group cannot be read');
  return groups[0]!;
}

/** A row group of no rows, whose columns have no pages. */
function emptyGroup(schema: readonly SchemaElement[]): RowGroup {
  const columns: RowGroup['columns'] = [];
  const visit = (tree: SchemaTree): void => {
    tree.children.forEach(visit);
    if (tree.element.type === undefined) return;
    const meta = {
      type: tree.element.type,
      encodings: ['PLAIN' as const],
      path_in_schema: tree.path,
      codec: 'UNCOMPRESSED' as const,
      num_values: 0n,
      total_uncompressed_size: 0n,
      total_compressed_size: 0n,
      data_page_offset: 4n,
    };
    columns.push({ file_offset: 0n, meta_data: meta });
  };
  visit(parquetSchema({ schema: [...schema] }));
  return { columns, total_byte_size: 0n, num_rows: 0n };
}

/** Roughly what a value takes. */
function sizeOf(value: Value): number {
  if (typeof value === 'string') return value.length + 4;
  if (value === null || typeof value !== 'object' || value instanceof Date) return 8;
  return typeof value[0] === 'number' ? value.length * 8 : value.reduce<number>((sum, item) => sum + sizeOf(item), 8);
}
