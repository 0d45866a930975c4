import { describe, expect, it } from 'vitest';
import { openJsonLines } from './json-lines-reader.ts';
import { bytesInMemory, placeOf, type ReadRow, type TableReader } from './reader.ts';
import { type Column, describeSchema, type Row } from './schema.ts';
import { jsonLinesWriter } from './text-writers.ts';

const open = (text: string | Uint8Array, options = {}): Promise<TableReader> =>
  openJsonLines(bytesInMemory(Buffer.from(text as string)), options);

async function all(reader: TableReader, from?: ReadRow['after']): Promise<readonly ReadRow[]> {
  const rows: ReadRow[] = [];
  for await (const portion of reader.rows(from)) rows.push(...portion);
  return rows;
}

describe('reading JSON Lines', () => {
  it('takes the columns of the first row, in any order, and leaves out what is not there', async () => {
    const reader = await open('\ufeff{"a":1,"b":[0.5]}\r\n\n  \n{"b":[],"a":2,"more":{}}\n{"a":3}');
    expect(describeSchema(reader.columns)).toEqual([
      { name: 'a', type: 'int64' },
      { name: 'b', type: 'list<double>' },
    ]);
    const rows = await all(reader);
    expect(rows.map(({ values, line }) => [values, line])).toEqual([
      [[1, [0.5]], 1],
      [[2, []], 4],
      [[3, null], 5],
    ]);
    // The last one has no line feed.
    expect(rows.at(-1)!.after).toEqual({ rows: 3, offset: 58, lines: 5 });
    for (const [at, { after }] of rows.entries()) expect(await all(reader, after)).toEqual(rows.slice(at + 1));
  });

  it('takes lists, whose columns have numbers for names', async () => {
    const reader = await open('[1,"x"]\n[2,"y"]\n');
    expect([reader.hasNames, reader.columns.map(({ name }) => name)]).toEqual([false, ['1', '2']]);
    expect((await all(reader)).map((row) => row.values)).toEqual([
      [1, 'x'],
      [2, 'y'],
    ]);
  });

  it('knows the type that all values at the beginning have', async () => {
    const { columns } = await open(
      '{"n":1,"i":9007199254740993,"s":"x","ok":true,"v":[[1,2],[3]],"mixed":1,"none":null,"deep":[1]}\n{"n":1.5,"mixed":"x","deep":1}\n',
    );
    expect(Object.fromEntries(describeSchema(columns).map(({ name, type }) => [name, type]))).toEqual({
      n: 'double',
      i: 'int64',
      s: 'string',
      ok: 'bool',
      v: 'list<list<int64>>',
      mixed: 'string',
      none: 'string',
      deep: 'int64',
    });
  });

  it('keeps whole numbers that a double cannot have', async () => {
    const [row] = await all(
      await open('{"id":9007199254740993,"near":0.1234567890123456789,"list":[-12345678901234567890]}'),
    );
    expect(row!.values).toEqual([9007199254740993n, 0.1234567890123456789, [-12345678901234567890n]]);
  });

  it('gives lines that are none with their problem, and goes on', async () => {
    const rows = await all(await open(Buffer.from('{"a":1}\n{"a":\n[1]\n5\n{"a":{"b":1}}\n\xff\n{"a":2}', 'latin1')));
    expect(rows.map((row) => [placeOf(row), row.problem.replace(/JSON: .*/, 'JSON')])).toEqual([
      ['line 1', ''],
      ['line 2', 'is not JSON'],
      ['line 3', 'is no object, as the first row is'],
      ['line 4', 'is no object, as the first row is'],
      ['line 5', 'has an object where a value or a list was expected'],
      ['line 6', 'is not UTF-8'],
      ['line 7', ''],
    ]);
    const lists = await all(await open('[1,2]\n[1]\n{}\n'));
    expect(lists.map((row) => row.problem)).toEqual([
      '',
      'has 1 values where 2 are expected',
      'is no list, as the first row is',
    ]);
  });

  it.each([
    ['', 'the file has no rows'],
    ['\n\n', 'the file has no rows'],
    ['\n{"a":', /^line 2: is not JSON/],
    ['5', /^line 1: expected an object or a list a line, got 5/],
    [`"${'x'.repeat(1_000)}"`, /^line 1: expected an object or a list a line, got "x{39}…$/],
  ])('refuses %j', async (text, message) => {
    await expect(open(text)).rejects.toThrow(message);
  });

  it('bounds lists in lists', async () => {
    const deep = (depth: number) => `{"a":${'['.repeat(depth)}${']'.repeat(depth)}}\n`;
    const rows = await all(await open(`{"a":1}\n${deep(64)}${deep(65)}${deep(500_000)}{"a":2}`));
    const problem = 'has lists in lists, more than 64 deep';
    expect(rows.map((row) => row.problem)).toEqual(['', '', problem, problem, '']);
    expect((await open(deep(500_000))).columns).toEqual([{ name: 'a', type: 'string', depth: 0 }]);
  });

  it('bounds a line', async () => {
    const reader = await open(`{"a":1}\n{"a":"${'x'.repeat(200_000)}"}\n`, { maxLineBytes: 100_000 });
    await expect(all(reader)).rejects.toThrow('line 2: is longer than 100000 bytes');
  });
});

describe('writing JSON Lines', () => {
  it('has a word for every type, and goes on where it was', async () => {
    const columns: Column[] = [
      { name: 'a"b', type: 'string', depth: 0 },
      { name: 'i', type: 'int64', depth: 0 },
      { name: 'v', type: 'double', depth: 2 },
      { name: 'at', type: 'timestamp', depth: 0 },
    ];
    const rows: Row[] = [
      ['x\n"', 2n ** 62n, [[1, Number.NaN], []], new Date(0)],
      [null, 7, null, null],
    ];
    const pieces: Uint8Array[] = [];
    const first = jsonLinesWriter(columns, (bytes) => void pieces.push(bytes));
    await first.write(rows.slice(0, 1));
    const { rows: done, bytes, note } = await first.flush();
    const second = jsonLinesWriter(columns, (more) => void pieces.push(more), { rows: done, bytes, notes: [note] });
    await second.write(rows.slice(1));
    const ended = await second.finish();
    const text = Buffer.concat(pieces).toString();
    expect(text).toBe(
      '{"a\\"b":"x\\n\\"","i":4611686018427387904,"v":[[1,"NaN"],[]],"at":"1970-01-01T00:00:00.000Z"}\n{"a\\"b":null,"i":7,"v":null,"at":null}\n',
    );
    expect(ended).toEqual({ rows: 2, bytes: text.length, note: '' });
  });

  it.each<[Row, RegExp]>([
    [['x', 1], /^row 0: has 2 values, expected 1/],
    [[1.5], /^row 0: column "i": expected int64, got 1.5/],
    [[2n ** 63n], /expected int64, got 9223372036854775808/],
    [['7'], /expected int64, got "7"/],
    [[[1]], /expected int64, got \[1\]/],
  ])('refuses what does not fit, %#', async (row, message) => {
    const writer = jsonLinesWriter([{ name: 'i', type: 'int64', depth: 0 }], () => undefined);
    await expect(writer.write([row])).rejects.toThrow(message);
  });
});
