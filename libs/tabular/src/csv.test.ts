import { fc, it as property } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { csvRecords, openCsv } from './csv-reader.ts';
import { bytesInMemory, type ByteSource, type ReadRow, type TableReader } from './reader.ts';
import type { Column, Row } from './schema.ts';
import { csvWriter } from './text-writers.ts';

const open = (text: string | Uint8Array, options = {}): Promise<TableReader> =>
  openCsv(bytesInMemory(typeof text === 'string' ? Buffer.from(text) : text), options);

async function all(reader: TableReader, from?: ReadRow['after']): Promise<readonly ReadRow[]> {
  const rows: ReadRow[] = [];
  for await (const portion of reader.rows(from)) rows.push(...portion);
  return rows;
}

const read = async (text: string | Uint8Array, options = {}) => all(await open(text, options));
const text = (name: string): Column => ({ name, type: 'string', depth: 0 });

async function written(columns: readonly Column[], rows: readonly Row[]): Promise<string> {
  const pieces: Uint8Array[] = [];
  const writer = csvWriter(columns, (bytes) => void pieces.push(bytes));
  await writer.write(rows);
  await writer.finish();
  return Buffer.concat(pieces).toString();
}

/** A source that gives its bytes in pieces of one size. */
const inPieces = (bytes: Uint8Array, size: number): ByteSource => ({
  size: bytes.length,
  async *stream(offset) {
    for (let at = offset; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
  },
});

describe('reading CSV', () => {
  it('takes a heading, quotes, both line ends and a byte order mark, and says where rows are', async () => {
    const reader = await open(
      '\ufeffa,"b ""x"""\r\n1,"two, three"\r\n\r\n2,"over\ntwo lines"\n3,"and\r\nthree\r\n"\r\n\n4,x',
    );
    expect(reader).toMatchObject({ columns: [text('a'), text('b "x"')], hasNames: true, totalRows: undefined });
    const rows = await all(reader);
    expect(rows.map((row) => row.values)).toEqual([
      ['1', 'two, three'],
      ['2', 'over\ntwo lines'],
      ['3', 'and\r\nthree\r\n'],
      ['4', 'x'],
    ]);
    expect(rows.map((row) => [row.index, row.line])).toEqual([
      [0, 2],
      [1, 4],
      [2, 6],
      [3, 10],
    ]);
  });

  it('goes on after any row', async () => {
    const reader = await open('\ufeffä,b\r\n1,"ü\n"\r\n\r\n2,x\n3,y\n');
    const rows = await all(reader);
    for (const [at, { after }] of rows.entries()) expect(await all(reader, after)).toEqual(rows.slice(at + 1));
  });

  it('numbers the columns of a file without a heading', async () => {
    const reader = await open('\ufeff1,2\n3,4', { header: false });
    expect([reader.columns.map(({ name }) => name), reader.hasNames]).toEqual([['1', '2'], false]);
    expect((await all(reader)).map((row) => [row.line, row.values])).toEqual([
      [1, ['1', '2']],
      [2, ['3', '4']],
    ]);
  });

  it('gives a row of another width with its problem, and goes on', async () => {
    const rows = await read('a,b\n1\n1,2\n1,2,3\n');
    expect(rows.map(({ values, problem, line }) => [values, problem, line])).toEqual([
      [undefined, 'has 1 cells where 2 are expected', 2],
      [['1', '2'], '', 3],
      [undefined, 'has 3 cells where 2 are expected', 4],
    ]);
  });

  it.each([
    ['', /^the CSV has no rows/],
    ['a,a\n1,2', /^line 1: there are two columns "a" in the heading/],
    ['\na,\n1,2', /^line 2: a column has no name in the heading/],
    ['a\n1\n"x', /^line 3: .* a quote is never closed/],
    ['a\n1\n2\n"x"y\n', /^line 4: .* something follows a closing quote/],
    ['a\n1\n2"x\n', /^line 3: .* a quote inside a cell/],
  ])('ends at %j', async (csv, message) => {
    await expect(read(csv)).rejects.toThrow(message);
  });

  it('names lines as they are in the file after going on', async () => {
    const reader = await open('a\n1\n2\n"x"y\n');
    const [first] = await (reader.rows() as AsyncGenerator<readonly ReadRow[]>).next().then(
      ({ value }) => value as readonly ReadRow[],
      () => [],
    );
    const after = first?.after ?? { rows: 1, offset: 4, lines: 2 };
    await expect(all(reader, after)).rejects.toThrow(/^line 4: /);
  });

  it('gives the records of a stream, whatever their width, with the lines on which they begin', async () => {
    const found: unknown[] = [];
    const bytes = inPieces(Buffer.from('\ufeffa,b\n\n"x\ny"\n1,2,3\n'), 3).stream(0);
    for await (const { cells, line } of csvRecords(bytes, 100)) found.push([line, ...cells]);
    expect(found).toEqual([
      [1, 'a', 'b'],
      [3, 'x\ny'],
      [5, '1', '2', '3'],
    ]);
    const long = csvRecords(inPieces(Buffer.from(`a\n"${'x'.repeat(200)}`), 50).stream(0), 100);
    const reading = (async () => {
      for await (const record of long) found.push(record.cells.length);
    })();
    await expect(reading).rejects.toThrow('line 2: the CSV cannot be read: the record is too long');
  });

  it('bounds the columns', async () => {
    await expect(read(`${','.repeat(1_048_576)}\n`, { header: false })).rejects.toThrow(
      'there are 1048577 columns; at most 1048576',
    );
  });

  it('bounds a record, and names the line that is not UTF-8', async () => {
    await expect(read(`a\n"${'x\n'.repeat(5_000)}`, { maxRecordBytes: 1_000 })).rejects.toThrow(
      /too long.*never closed/,
    );
    for (const size of [1, 2, 3, 1_000]) {
      const bytes = Buffer.concat([Buffer.from('ä\nüß\n'), Buffer.from([0x66, 0xe4, 0x66, 10]), Buffer.from('€\n')]);
      const reading = openCsv(inPieces(bytes, size)).then(all);
      await expect(reading, String(size)).rejects.toThrow('line 3: is not UTF-8');
    }
    await expect(read(Buffer.from([0x61, 10, 0xe2, 0x82]))).rejects.toThrow('line 2: is not UTF-8');
  });
});

describe('writing CSV', () => {
  it('quotes what needs it, and has a word for every type', async () => {
    const columns: Column[] = [
      text('a,b'),
      { name: 'n', type: 'double', depth: 0 },
      { name: 'i', type: 'int64', depth: 0 },
      { name: 'ok', type: 'bool', depth: 0 },
      { name: 'at', type: 'timestamp', depth: 0 },
      { name: 'v', type: 'float', depth: 1 },
    ];
    const at = new Date('2026-01-02T03:04:05.678Z');
    expect(
      await written(columns, [
        ['x"y', Number.NaN, 2n ** 62n, true, at, [0.5, Infinity]],
        ['', null, 7, false, null, []],
      ]),
    ).toBe(
      '"a,b",n,i,ok,at,v\n"x""y",NaN,4611686018427387904,true,2026-01-02T03:04:05.678Z,"[0.5,""Infinity""]"\n,,7,false,,[]\n',
    );
  });

  it('writes a row of one empty cell so that it is a row', async () => {
    const csv = await written([text('a')], [[''], ['x']]);
    expect((await read(csv)).map((row) => row.values)).toEqual([[''], ['x']]);
  });

  property.prop([
    fc.array(fc.tuple(fc.string({ unit: 'binary' }), fc.string()), { minLength: 1 }),
    fc.integer({ min: 1, max: 9 }),
  ])('is read as it was written, whatever the pieces, and gone on with after any row', async (rows, size) => {
    const csv = Buffer.from(await written([text('a'), text('b')], rows));
    const reader = await openCsv(inPieces(csv, size));
    // What has no UTF-8 has become the replacement character.
    const wanted = rows.map((row) => row.map((cell) => cell.toWellFormed()));
    const found = await all(reader);
    expect(found.map((row) => row.values)).toEqual(wanted);
    const middle = Math.floor(found.length / 2);
    expect(await all(reader, found[middle]!.after)).toEqual(found.slice(middle + 1));
  });
});
