import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from 'node:zlib';
import { invalidArgument } from '@sluice/domain/errors';
import {
  type Compressors,
  type DecodedArray,
  type FileMetaData,
  parquetMetadataAsync,
  parquetScan,
  parquetSchema,
  type ParquetScan,
  type RowGroup,
  snappyUncompress,
} from 'hyparquet';
import { columnOf, type ParquetColumn } from './parquet-schema.ts';
import type { RandomAccess, ReadRow, TableReader } from './reader.ts';
import { checkNames, type Column, type Value } from './schema.ts';

export interface ParquetOptions {
  /** Columns that are read; default: all. Others cost nothing, and may be of any type. */
  readonly columns?: readonly string[];
  /** Bytes of rows that are held at a time, roughly, where the file lets itself be read in parts; default 16 MiB. */
  readonly portionBytes?: number;
  /** The largest column of a row group that has no page index, and so has to be read whole: before compression; default 512 MiB. */
  readonly maxColumnBytes?: number;
}

interface Opened {
  readonly metadata: FileMetaData;
  readonly columns: readonly Column[];
  readonly access: RandomAccess;
  readonly portionBytes: number;
  readonly maxColumnBytes: number;
}

/** A footer beyond this is no footer of a table that a person made. */
const maxFooterBytes = 67_108_864;
/** What a row takes beside its values. */
const rowBytes = 128;
/** What a value takes at least, however small it lies in the file: a column of one value may be a few bytes long. */
const valueBytes = 8;
/** Pages up to this size are taken whatever the file says of its columns, before compression. */
const smallPageBytes = 67_108_864;

/**
 * Opens a Parquet file. Row groups are read one after the other, in parts where the file has a page index or plain columns. Pages may be
 * compressed with Snappy, gzip, Brotli or Zstandard. Instants are cut to milliseconds, decimals become doubles.
 *
 * @throws SluiceError invalid-argument for what is no such file, or has no such column
 */
export async function openParquet(access: RandomAccess, options: ParquetOptions = {}): Promise<TableReader> {
  const metadata = await readMetadata(access);
  const fields = parquetSchema(metadata).children.map(columnOf);
  checkNames(fields);
  const columns = chosen(fields, options.columns);
  const { portionBytes = 16_777_216, maxColumnBytes = 536_870_912 } = options;
  const opened = { metadata, columns, access, portionBytes, maxColumnBytes };
  return {
    columns,
    hasNames: true,
    totalRows: Number(metadata.num_rows),
    rows: (from) => readRows(opened, from?.rows ?? 0),
  };
}

async function readMetadata(access: RandomAccess): Promise<FileMetaData> {
  if (access.size < 12) throw invalidArgument('the file is no Parquet file: it is too short');
  const [head, tail] = [new DataView(await access.read(0, 4)), new DataView(await access.read(access.size - 8, 8))];
  const magic = 0x31524150;
  if (head.getUint32(0, true) !== magic)
    throw invalidArgument('the file is no Parquet file: it does not begin with PAR1');
  if (tail.getUint32(4, true) !== magic)
    throw invalidArgument('the Parquet file has no end: it was cut off, or is still being written');
  const length = tail.getUint32(0, true);
  if (length > Math.min(access.size - 12, maxFooterBytes))
    throw invalidArgument(`the Parquet file is damaged: its footer would have ${length} bytes`);
  try {
    const metadata = await parquetMetadataAsync(fileOf(access), { geoparquet: false });
    const rows = metadata.row_groups.reduce((sum, group) => sum + group.num_rows, 0n);
    if (rows !== metadata.num_rows || rows > BigInt(Number.MAX_SAFE_INTEGER)) throw new Error('its rows do not add up');
    return metadata;
  } catch (error) {
    throw invalidArgument(`the Parquet file is damaged: its footer cannot be read: ${messageOf(error)}`);
  }
}

const fileOf = (access: RandomAccess) => ({
  byteLength: access.size,
  slice: (start: number, end?: number) => {
    const last = end ?? access.size;
    if (start < 0 || start > last || last > access.size)
      throw new Error(`bytes ${start} to ${last} are not in the file`);
    return access.read(start, last - start);
  },
});

function chosen(fields: readonly ParquetColumn[], names: readonly string[] | undefined): readonly Column[] {
  // All that can be read, unless told: a column of another kind beside them does no harm until somebody wants it.
  if (names === undefined) return fields.filter((field): field is Column => !('unsupported' in field));
  return names.map((name) => {
    const field = fields.find((one) => one.name === name);
    if (!field) throw invalidArgument(`the file has no column "${name}"`);
    if ('unsupported' in field)
      throw invalidArgument(
        `column "${name}" cannot be read: it is ${field.unsupported}; expected text, numbers, true or false, instants, or lists of them`,
      );
    return field;
  });
}

async function* readRows(opened: Opened, first: number): AsyncIterable<readonly ReadRow[]> {
  let groupStart = 0;
  for (const [number, group] of opened.metadata.row_groups.entries()) {
    const groupEnd = groupStart + Number(group.num_rows);
    if (first < groupEnd) yield* readGroup(opened, number, group, groupStart, Math.max(first, groupStart));
    groupStart = groupEnd;
  }
}

async function* readGroup(
  opened: Opened,
  number: number,
  group: RowGroup,
  groupStart: number,
  from: number,
): AsyncIterable<readonly ReadRow[]> {
  const groupEnd = groupStart + Number(group.num_rows);
  const chunks = opened.columns.map((column) => chunkOf(opened, number, group, column));
  const bytesPerRow = rowBytes + chunks.reduce((sum, { bytes }) => sum + bytes, 0) / Number(group.num_rows);
  const largest = chunks.reduce((most, { bytes }) => Math.max(most, bytes), smallPageBytes);
  const step = Math.max(1, Math.floor(opened.portionBytes / bytesPerRow));
  // One for each row group: it keeps the range of each column that was read last.
  const scan = await parquetScan({
    file: fileOf(opened.access),
    metadata: { ...opened.metadata },
    columns: opened.columns.map((column) => column.name),
    compressors: compressorsFor(Math.min(largest, Math.max(opened.maxColumnBytes, smallPageBytes))),
    parsers,
    geoparquet: false,
  });
  for (let start = from; start < groupEnd; start += step) {
    const end = Math.min(start + step, groupEnd);
    const data: DecodedArray[] = [];
    for (const { column, mustBeWhole } of chunks) {
      const where = `row group ${number}, column "${column.name}"`;
      // A list without a page index is decoded whole, once, and lent in parts.
      if (mustBeWhole) await readColumn(scan, column.name, where, from, groupEnd);
      data.push(await readColumn(scan, column.name, where, start, end));
    }
    yield toRows(data, opened.columns, start, end);
  }
}

interface Chunk {
  readonly column: Column;
  /** In memory, at least: before compression, or of its values. */
  readonly bytes: number;
  readonly mustBeWhole: boolean;
}

function chunkOf({ maxColumnBytes }: Opened, number: number, group: RowGroup, column: Column): Chunk {
  const chunks = group.columns.filter(({ meta_data: data }) => data?.path_in_schema[0] === column.name);
  const where = `row group ${number}, column "${column.name}"`;
  if (chunks.length !== 1) throw invalidArgument(`${where}: the file has ${chunks.length} columns of values`);
  const { total_uncompressed_size: size, num_values: values } = chunks[0]!.meta_data!;
  const bytes = Math.max(Number(size), Number(values) * valueBytes);
  const hasIndex = chunks[0]!.offset_index_offset !== undefined;
  // Of a list all values are decoded at once, of others a portion.
  const wholeBytes = column.depth > 0 ? bytes : Number(size);
  if (!hasIndex && wholeBytes > maxColumnBytes) {
    throw invalidArgument(
      `${where}: has ${wholeBytes} bytes and no page index, so that it would have to be read whole; at most ${maxColumnBytes}: write the file with smaller row groups or with a page index`,
    );
  }
  return { column, bytes, mustBeWhole: !hasIndex && column.depth > 0 };
}

async function readColumn(
  scan: ParquetScan,
  column: string,
  where: string,
  rowStart: number,
  rowEnd: number,
): Promise<DecodedArray> {
  let data: DecodedArray;
  try {
    data = await scan.readColumn({ column, rowStart, rowEnd });
  } catch (error) {
    throw invalidArgument(`${where}: the Parquet file is damaged or cannot be read: ${messageOf(error)}`);
  }
  if (data.length === rowEnd - rowStart) return data;
  throw invalidArgument(`${where}: the Parquet file is damaged: ${data.length} values for ${rowEnd - rowStart} rows`);
}

function toRows(
  data: readonly DecodedArray[],
  columns: readonly Column[],
  start: number,
  end: number,
): readonly ReadRow[] {
  const booleans = columns.map((column) => column.type === 'bool');
  return Array.from({ length: end - start }, (_, at) => ({
    index: start + at,
    values: data.map((values, column) => {
      const value = (values[at] ?? null) as Value;
      return booleans[column] && typeof value === 'number' ? value !== 0 : value;
    }),
    problem: '',
    line: 0,
    after: { rows: start + at + 1, offset: 0, lines: 0 },
  }));
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Text that is none is damage, not a replacement character. */
const parsers = {
  stringFromBytes: (bytes: Uint8Array | undefined): string | undefined => {
    if (bytes === undefined) return undefined;
    try {
      return utf8.decode(bytes);
    } catch {
      throw new Error('a text is not UTF-8');
    }
  },
};

/**
 * What Node has, and Snappy. A page that says it has fewer bytes than it has is cut off there by an error.
 *
 * @param mostBytes of a page: more than its column says that it has is refused before there is memory for it
 */
function compressorsFor(mostBytes: number): Compressors {
  const checked = (length: number): number => {
    if (length >= 0 && length <= mostBytes) return Math.max(1, length);
    throw new Error(`a page would have ${length} bytes, more than its column`);
  };
  return {
    GZIP: (input, length) => gunzipSync(input, { maxOutputLength: checked(length) }),
    BROTLI: (input, length) => brotliDecompressSync(input, { maxOutputLength: checked(length) }),
    ZSTD: (input, length) => zstdDecompressSync(input, { maxOutputLength: checked(length) }),
    SNAPPY: (input, length) => {
      checked(length);
      const page = new Uint8Array(length);
      snappyUncompress(input, page);
      return page;
    },
  };
}
