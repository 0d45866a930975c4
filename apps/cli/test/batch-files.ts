import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { env as environment } from 'node:process';
import { FileSource } from '@sluice/tabular/file-source';
import { type Format, formatOfName, openTable, tableWriter } from '@sluice/tabular/formats';
import type { Column, Row } from '@sluice/tabular/schema';
import { onTestFinished } from 'vitest';
import { examples } from './platform.ts';

/** How often a run is killed, and how much large files have: small by default, large in `npm run soak`. */
export const kills = Number(environment['SLUICE_PROPERTY_RUNS'] ?? 2);

export const holdout = path.join(examples, 'digits', 'holdout.csv');

export async function folder(): Promise<string> {
  const made = await mkdtemp(path.join(tmpdir(), 'sluice-batch-'));
  onTestFinished(() => rm(made, { recursive: true, force: true }));
  return made;
}

/** The rows of a file, as objects. */
export async function rowsOf(file: string): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const source = await FileSource.open(file);
  try {
    const table = await openTable(formatOfName(file)!, source);
    const rows: Record<string, unknown>[] = [];
    for await (const portion of table.rows())
      for (const { values } of portion)
        rows.push(Object.fromEntries(table.columns.map(({ name }, at) => [name, values![at]])));
    return rows;
  } finally {
    await source.close();
  }
}

/** Writes a table, a portion at a time: in Parquet each is a row group. */
export async function writeTable(
  format: Format,
  file: string,
  columns: readonly Column[],
  portions: Iterable<readonly Row[]>,
): Promise<void> {
  const handle = await open(file, 'w');
  const writer = tableWriter(format, columns, async (bytes) => {
    await handle.write(bytes);
  });
  for (const portion of portions) {
    await writer.write(portion);
    await writer.flush();
  }
  await writer.finish();
  await handle.close();
}

/** The holdout digits as columns and rows of a format: the pixels as one list, but in CSV a column for each. */
export async function holdoutDigits(format: Format): Promise<{ columns: readonly Column[]; rows: readonly Row[] }> {
  const found = await rowsOf(holdout);
  const label = { name: 'label', type: 'int64', depth: 0 } as const;
  const rows = found.map(({ label: truth, ...pixels }) => ({
    pixels: Object.values(pixels).map(Number),
    truth: BigInt(truth as string),
  }));
  if (format === 'csv') {
    const pixels = rows[0]!.pixels.map((_, index) => ({ name: `p${index}`, type: 'double', depth: 0 }) as const);
    return { columns: [...pixels, label], rows: rows.map((row) => [...row.pixels, row.truth]) };
  }
  const columns = [{ name: 'pixels', type: 'float', depth: 1 } as const, label];
  return { columns, rows: rows.map((row) => [row.pixels, row.truth]) };
}

/** The holdout digits in another format, so many times over. */
export async function digitsAs(format: Format, file: string, times = 1): Promise<void> {
  const { columns, rows } = await holdoutDigits(format);
  await writeTable(
    format,
    file,
    columns,
    Array.from({ length: times }, () => rows),
  );
}
