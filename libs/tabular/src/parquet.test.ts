import { zstdCompressSync } from 'node:zlib';
import {
  Bool,
  Dictionary,
  Field,
  Float32,
  Int32,
  Int64,
  List,
  Struct,
  Table,
  TimestampMicrosecond,
  Utf8,
  vectorFromArray,
} from 'apache-arrow';
import { describe, expect, it } from 'vitest';
import { Compression, readForeign, writeForeign } from '../test/foreign-parquet.ts';
import { ByteWriter, ParquetWriter } from 'hyparquet-writer';
import { openParquet, type ParquetOptions } from './parquet-reader.ts';
import { schemaOf } from './parquet-schema.ts';
import { ParquetTableWriter } from './parquet-writer.ts';
import { bytesInMemory, type ReadRow, type TableReader } from './reader.ts';
import { type Column, describeSchema, type Row } from './schema.ts';

const columns: readonly Column[] = [
  { name: 'text', type: 'string', depth: 0 },
  { name: 'double', type: 'double', depth: 0 },
  { name: 'int', type: 'int64', depth: 0 },
  { name: 'ok', type: 'bool', depth: 0 },
  { name: 'at', type: 'timestamp', depth: 0 },
  { name: 'vector', type: 'float', depth: 1 },
  { name: 'matrix', type: 'double', depth: 2 },
];

const rows: readonly Row[] = Array.from({ length: 250 }, (_, index) =>
  index % 7 === 3
    ? [null, null, null, null, null, null, null]
    : [
        `text ${index}`,
        index / 3,
        2n ** 60n + BigInt(index),
        index % 2 === 0,
        new Date(1_700_000_000_000 + index),
        [index, 0.5, -1.25],
        index % 5 === 0 ? [] : [[index], [], [1.5, 2.5]],
      ],
);

/** Writes rows with a flush after each portion. */
async function written(portions: readonly (readonly Row[])[], of = columns): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  const writer = new ParquetTableWriter(of, (bytes) => void pieces.push(Buffer.from(bytes)));
  for (const portion of portions) {
    await writer.write(portion);
    await writer.flush();
  }
  const { bytes } = await writer.finish();
  const file = Buffer.concat(pieces);
  expect(bytes).toBe(file.length);
  return file;
}

const open = (bytes: Uint8Array, options: ParquetOptions = {}): Promise<TableReader> =>
  openParquet(bytesInMemory(bytes), options);

async function all(reader: TableReader, from?: ReadRow['after']): Promise<readonly ReadRow[]> {
  const found: ReadRow[] = [];
  for await (const portion of reader.rows(from)) found.push(...portion);
  return found;
}
const valuesOf = async (reader: TableReader) => (await all(reader)).map((row) => row.values);

describe('writing Parquet', () => {
  it('is read as it was written by another implementation', async () => {
    const table = readForeign(await written([rows.slice(0, 100), rows.slice(100)]));
    expect(table.schema.fields.map((field) => `${field.name} ${String(field.type)}`)).toEqual([
      'text Utf8',
      'double Float64',
      'int Int64',
      'ok Bool',
      'at Timestamp<MILLISECOND, UTC>',
      'vector List<Float32>',
      'matrix List<List<Float64>>',
    ]);
    const plain = (value: unknown): unknown => {
      if (typeof value !== 'object' || value === null) return value;
      return Array.from(value as Iterable<unknown>, plain);
    };
    const found = table
      .toArray()
      .map((row) => columns.map(({ name }) => plain((row as Record<string, unknown>)[name])));
    expect(found).toEqual(rows.map((row) => row.map((value) => (value instanceof Date ? value.getTime() : value))));
  });

  it('writes a table of no rows', async () => {
    const file = await written([[]]);
    expect(readForeign(file).numRows).toBe(0);
    expect(await all(await open(file))).toEqual([]);
  });

  it('goes on after any flush, in another process, with the same bytes', async () => {
    const portions = [rows.slice(0, 90), rows.slice(90, 91), rows.slice(91, 200), rows.slice(200)];
    const whole = await written(portions);
    const pieces: Uint8Array[] = [];
    const notes: string[] = [];
    let done = { rows: 0, bytes: 0 };
    for (const portion of portions) {
      const writer = new ParquetTableWriter(columns, (bytes) => void pieces.push(Buffer.from(bytes)), {
        ...done,
        notes,
      });
      await writer.write(portion);
      const { note, ...rest } = await writer.flush();
      notes.push(note);
      done = rest;
    }
    const last = new ParquetTableWriter(columns, (bytes) => void pieces.push(Buffer.from(bytes)), { ...done, notes });
    expect(await last.finish()).toEqual({ rows: 250, bytes: whole.length, note: '' });
    expect(Buffer.concat(pieces).equals(whole)).toBe(true);
  });

  it('refuses to go on when row groups are missing', async () => {
    const writer = new ParquetTableWriter(columns, () => undefined);
    await writer.write(rows);
    const { note } = await writer.flush();
    const resume = (count: number, notes: string[]) =>
      new ParquetTableWriter(columns, () => undefined, { rows: count, bytes: 1_000, notes });
    expect(() => resume(250, [note])).not.toThrow();
    expect(() => resume(500, [note])).toThrow(/have 250 rows, expected 500/);
    expect(() => resume(250, ['AAAA'])).toThrow();
  });

  it('is full at the rows or bytes of a row group, and not before', async () => {
    const row: Row = ['12345678'];
    const of: Column[] = [{ name: 'a', type: 'string', depth: 0 }];
    const byRows = new ParquetTableWriter(of, () => undefined, undefined, { groupRows: 3 });
    await byRows.write([row, row]);
    expect(byRows.isFull).toBe(false);
    await byRows.write([row]);
    expect(byRows.isFull).toBe(true);
    await byRows.flush();
    expect(byRows.isFull).toBe(false);
    const byBytes = new ParquetTableWriter(of, () => undefined, undefined, { groupBytes: 24 });
    await byBytes.write([row]);
    expect(byBytes.isFull).toBe(false);
    await byBytes.write([row]);
    expect(byBytes.isFull).toBe(true);
  });

  it('names the row and column of a value that does not fit', async () => {
    const writer = new ParquetTableWriter(columns.slice(0, 2), () => undefined);
    await writer.write([['x', 1]]);
    await expect(
      writer.write([
        ['y', 2],
        ['z', 'three'],
      ]),
    ).rejects.toThrow('row 2: column "double": expected double, got "three"');
    expect(await writer.finish()).toMatchObject({ rows: 1 });
    expect(() => new ParquetTableWriter([], () => undefined)).toThrow('needs a column');
  });
});

describe('reading Parquet', () => {
  it('reads what it wrote, whole or in parts, from any row on', async () => {
    const file = await written([rows.slice(0, 100), rows.slice(100)]);
    const reader = await open(file);
    expect([reader.columns, reader.totalRows]).toEqual([columns, 250]);
    expect(await valuesOf(reader)).toEqual(rows);
    const inParts = await open(file, { portionBytes: 2_000 });
    const sizes: number[] = [];
    for await (const portion of inParts.rows()) sizes.push(portion.length);
    expect(Math.max(...sizes)).toBeLessThan(50);
    const found = await all(inParts);
    expect(found.map((row) => row.values)).toEqual(rows);
    for (const at of [0, 49, 99, 100, 248, 249])
      expect(await all(inParts, found[at]!.after)).toEqual(found.slice(at + 1));
  });

  const count = 5_000;
  const foreign = new Table({
    id: vectorFromArray(
      Array.from({ length: count }, (_, index) => BigInt(index)),
      new Int64(),
    ),
    small: vectorFromArray(
      Array.from({ length: count }, (_, index) => (index % 3 === 0 ? null : index)),
      new Int32(),
    ),
    word: vectorFromArray(
      Array.from({ length: count }, (_, index) => `word ${index % 10}`),
      new Dictionary(new Utf8(), new Int32()),
    ),
    ok: vectorFromArray(
      Array.from({ length: count }, (_, index) => index % 2 === 0),
      new Bool(),
    ),
    at: vectorFromArray(
      Array.from({ length: count }, (_, index) => index),
      new TimestampMicrosecond(),
    ),
    vector: vectorFromArray(
      Array.from({ length: count }, (_, index) => (index % 11 === 0 ? null : [index, index / 2])),
      new List(new Field('item', new Float32())),
    ),
  });
  const expected = (index: number) => [
    BigInt(index),
    index % 3 === 0 ? null : index,
    `word ${index % 10}`,
    index % 2 === 0,
    new Date(index),
    index % 11 === 0 ? null : [index, index / 2],
  ];

  it.each([
    ['UNCOMPRESSED', Compression.UNCOMPRESSED],
    ['SNAPPY', Compression.SNAPPY],
    ['GZIP', Compression.GZIP],
    ['BROTLI', Compression.BROTLI],
    ['ZSTD', Compression.ZSTD],
  ])('reads what another implementation wrote, %s', async (_, compression) => {
    const file = writeForeign(foreign, (builder) =>
      builder.setCompression(compression).setMaxRowGroupSize(2_000).setDataPageSizeLimit(4_096),
    );
    for (const portionBytes of [20_000, 16_777_216]) {
      const reader = await open(file, { portionBytes });
      expect(describeSchema(reader.columns).map(({ type }) => type)).toEqual([
        'int64',
        'int64',
        'string',
        'bool',
        'timestamp',
        'list<float>',
      ]);
      const found = await all(reader);
      expect(found.map((row) => row.values)).toEqual(Array.from({ length: count }, (__, index) => expected(index)));
      expect(await all(reader, found[2_500]!.after)).toEqual(found.slice(2_501));
    }
  });

  it('refuses what it cannot decompress, and a column that is too large to be read whole', async () => {
    const file = writeForeign(foreign, (builder) => builder.setCompression(Compression.LZ4_RAW));
    await expect(all(await open(file))).rejects.toThrow(/^row group 0, column "id": .*LZ4_RAW/);
    const own = await written([rows]);
    await expect(all(await open(own, { maxColumnBytes: 100 }))).rejects.toThrow(
      /^row group 0, column "text": has \d+ bytes and no page index.* smaller row groups/,
    );
  });

  it('reads the columns that are wanted, beside those that it cannot read', async () => {
    const struct = new Struct([new Field('x', new Int32())]);
    const file = writeForeign(
      new Table({ a: vectorFromArray([1, 2], new Int32()), s: vectorFromArray([{ x: 1 }, { x: 2 }], struct) }),
    );
    expect(await valuesOf(await open(file))).toEqual([[1], [2]]);
    expect(await valuesOf(await open(file, { columns: ['a'] }))).toEqual([[1], [2]]);
    await expect(open(file, { columns: ['s'] })).rejects.toThrow(/^column "s" cannot be read: it is a struct/);
    await expect(open(file, { columns: ['b'] })).rejects.toThrow('the file has no column "b"');
  });

  it('says what is damaged', async () => {
    const file = await written([rows.slice(0, 100), rows.slice(100)]);
    const broken = (change: (bytes: Buffer) => Uint8Array) => open(change(Buffer.from(file)));
    await expect(open(Buffer.from('PAR1'))).rejects.toThrow('too short');
    await expect(open(Buffer.from('id,name\n1,somebody\n'))).rejects.toThrow('does not begin with PAR1');
    await expect(broken((bytes) => bytes.subarray(0, -9))).rejects.toThrow('cut off, or is still being written');
    await expect(
      broken((bytes) => {
        bytes.writeUInt32LE(0x7fffffff, bytes.length - 8);
        return bytes;
      }),
    ).rejects.toThrow('its footer would have 2147483647 bytes');
    await expect(
      broken((bytes) => {
        bytes.fill(0xff, bytes.length - bytes.readUInt32LE(bytes.length - 8) - 8, bytes.length - 8);
        return bytes;
      }),
    ).rejects.toThrow('its footer cannot be read');
    // In the middle of the second row group.
    const reader = await broken((bytes) =>
      bytes.fill(0xff, Math.floor(bytes.length * 0.6), Math.floor(bytes.length * 0.65)),
    );
    await expect(all(reader)).rejects.toThrow(/^row group 1, column "[a-z]+": the Parquet file is damaged/);
  });

  it('takes no file that has fewer values than it says', async () => {
    const bytes = new ByteWriter();
    const writer = new ParquetWriter({ writer: bytes, schema: schemaOf([{ name: 'a', type: 'double', depth: 0 }]) });
    await writer.write({ columnData: [{ name: 'a', data: [1, 2, 3] }] });
    writer.row_groups[0]!.num_rows = 4n;
    writer.num_rows = 4n;
    await writer.finish();
    const reader = await open(bytes.getBytes());
    await expect(all(reader)).rejects.toThrow(
      'row group 0, column "a": the Parquet file is damaged: 3 values for 4 rows',
    );
  });

  it('holds no more rows at a time because they are small in the file', async () => {
    const same = new Table({ a: vectorFromArray(new Array<number>(150_000).fill(7), new Int32()) });
    const file = writeForeign(same, (builder) => builder.setCompression(Compression.ZSTD));
    expect(file.length).toBeLessThan(10_000);
    const sizes: number[] = [];
    for await (const portion of (await open(file)).rows()) sizes.push(portion.length);
    expect(Math.max(...sizes)).toBeLessThan(130_000);
    expect(sizes.reduce((sum, size) => sum + size)).toBe(150_000);
    const lists = new Table({
      a: vectorFromArray(
        Array.from({ length: 2_000 }, () => new Array<number>(40).fill(0)),
        new List(new Field('item', new Float32())),
      ),
    });
    const small = await open(writeForeign(lists), { portionBytes: 200_000 });
    const portions: number[] = [];
    for await (const portion of small.rows()) portions.push(portion.length);
    expect(Math.max(...portions)).toBeLessThan(1_000);
  });

  it.each([
    ['ZSTD', (bytes: Uint8Array) => zstdCompressSync(bytes)],
    ['SNAPPY', undefined],
  ] as const)('takes no page that is larger than its column, %s', async (codec, compress) => {
    const bytes = new ByteWriter();
    const writer = new ParquetWriter({
      ...{ writer: bytes, schema: schemaOf([{ name: 'a', type: 'string', depth: 0 }]), codec },
      ...(compress && { compressors: { [codec]: compress } }),
    });
    await writer.write({ columnData: [{ name: 'a', data: ['a'.repeat(67_108_864)] }] });
    writer.row_groups[0]!.columns[0]!.meta_data!.total_uncompressed_size = 100n;
    await writer.finish();
    await expect(all(await open(bytes.getBytes()))).rejects.toThrow(/^row group 0, .*a page would have 6710\d+ bytes/);
  });

  it('takes no text that is none', async () => {
    const file = await written([[['aaaaaaaa']]], [{ name: 'a', type: 'string', depth: 0 }]);
    const at = Buffer.from(file).indexOf('aaaaaaaa');
    file[at] = 0xff;
    await expect(all(await open(file))).rejects.toThrow(/^row group 0, column "a": .*a text is not UTF-8/);
  });
});
