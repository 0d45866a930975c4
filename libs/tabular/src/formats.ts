import { invalidArgument } from '@sluice/domain/errors';
import { type CsvOptions, openCsv } from './csv-reader.ts';
import { type JsonLinesOptions, openJsonLines } from './json-lines-reader.ts';
import { openParquet, type ParquetOptions } from './parquet-reader.ts';
import { ParquetTableWriter, type ParquetWriterOptions } from './parquet-writer.ts';
import type { ByteSource, RandomAccess, TableReader } from './reader.ts';
import type { Column } from './schema.ts';
import { csvWriter, jsonLinesWriter } from './text-writers.ts';
import type { Resume, Sink, TableWriter } from './writer.ts';

export const formats = ['csv', 'jsonl', 'parquet'] as const;
export type Format = (typeof formats)[number];

/** The format that a file's name says: `.csv`, `.jsonl` or `.ndjson`, `.parquet`; undefined where it says none. */
export function formatOfName(name: string): Format | undefined {
  if (/\.csv$/i.test(name)) return 'csv';
  if (/\.(jsonl|ndjson)$/i.test(name)) return 'jsonl';
  return /\.parquet$/i.test(name) ? 'parquet' : undefined;
}

/** @throws SluiceError invalid-argument unless it is one of the formats */
export function parseFormat(text: string, what: string): Format {
  const format = formats.find((one) => one === text);
  if (format === undefined) throw invalidArgument(`${what}: expected ${formats.join(', ')}, got "${text}"`);
  return format;
}

/** Opens a table of any of the formats. */
export function openTable(
  format: Format,
  source: ByteSource & RandomAccess,
  options: CsvOptions & JsonLinesOptions & ParquetOptions = {},
): Promise<TableReader> {
  switch (format) {
    case 'csv':
      return openCsv(source, options);
    case 'jsonl':
      return openJsonLines(source, options);
    case 'parquet':
      return openParquet(source, options);
  }
}

/** A writer of any of the formats. */
export function tableWriter(
  format: Format,
  columns: readonly Column[],
  sink: Sink,
  resume?: Resume,
  options: ParquetWriterOptions = {},
): TableWriter {
  switch (format) {
    case 'csv':
      return csvWriter(columns, sink, resume);
    case 'jsonl':
      return jsonLinesWriter(columns, sink, resume);
    case 'parquet':
      return new ParquetTableWriter(columns, sink, resume, options);
  }
}
