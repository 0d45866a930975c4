import { SluiceError } from '@sluice/domain/errors';
import { openCsv } from '@sluice/tabular/csv-reader';
import { bytesInMemory, placeOf, type TableReader } from '@sluice/tabular/reader';
import type { Value } from '@sluice/tabular/schema';
import { usageError } from '../exit-codes.ts';

/** One value of an input as a file has it; a list where a column has all of an input's values. */
export type Cell = Value;

/** Nested lists of cells: a whole tensor. */
export type Nested = Value;

/** What a file holds: rows of columns, or whole tensors by name. */
export type FileInput =
  | {
      readonly kind: 'rows';
      /** Undefined when the file names none. */
      readonly columns: readonly string[] | undefined;
      readonly rows: readonly (readonly Cell[])[];
      /** What to call a row in messages: `line 3`, `rows[1]`. */
      readonly nameOf: (row: number) => string;
    }
  | { readonly kind: 'tensors'; readonly tensors: Readonly<Record<string, Nested>> };

export type FileFormat = 'csv' | 'json';

/** The format that a file's name says, csv where it says nothing. */
export function formatOf(file: string | undefined, asked: string | undefined): FileFormat {
  if (asked === 'csv' || asked === 'json') return asked;
  if (asked !== undefined) throw usageError(`--input-format: expected csv or json, got "${asked}"`);
  return file !== undefined && /\.jsonl?$/i.test(file) ? 'json' : 'csv';
}

/** Reads CSV: a heading unless `hasHeader` is false, quoted cells, `\n` or `\r\n`. */
export async function readCsv(text: string, hasHeader: boolean): Promise<FileInput> {
  const rows: (readonly Cell[])[] = [];
  const lines: number[] = [];
  let table: TableReader;
  try {
    table = await openCsv(bytesInMemory(Buffer.from(text)), { header: hasHeader });
    for await (const portion of table.rows()) {
      for (const row of portion) {
        if (!row.values) throw usageError(`the CSV cannot be read: ${placeOf(row)} ${row.problem}`);
        rows.push(row.values);
        lines.push(row.line);
      }
    }
  } catch (error) {
    throw error instanceof SluiceError ? usageError(error.message, 'Without a heading give --no-header.') : error;
  }
  if (rows.length === 0) throw usageError('the CSV has no rows');
  const columns = table.hasNames ? table.columns.map(({ name }) => name) : undefined;
  return { kind: 'rows', columns, rows, nameOf: (row) => `line ${lines[row]!}` };
}

/** Reads JSON: a list of objects, of lists, or of values; or an object of whole tensors; or one object a line. */
export function readJson(text: string): FileInput {
  const parsed = parseJson(text);
  if (!Array.isArray(parsed)) {
    if (typeof parsed !== 'object' || parsed === null) throw wrongShape();
    return { kind: 'tensors', tensors: parsed as Record<string, Nested> };
  }
  if (parsed.length === 0) throw usageError('the JSON list is empty');
  const nameOf = (row: number) => `rows[${row}]`;
  if (parsed.every(Array.isArray))
    return { kind: 'rows', columns: undefined, rows: (parsed as unknown[][]).map(checkPlain), nameOf };
  if (parsed.every((item) => typeof item === 'object' && item !== null && !Array.isArray(item))) {
    const objects = parsed as Record<string, Cell>[];
    const columns = Object.keys(objects[0]!);
    const rows = objects.map((object, row) => {
      const missing = columns.find((name) => !(name in object));
      if (missing !== undefined) throw usageError(`${nameOf(row)} has no "${missing}", which ${nameOf(0)} has`);
      return checkCells(
        columns.map((name) => object[name]!),
        row,
      );
    });
    return { kind: 'rows', columns, rows, nameOf };
  }
  if (parsed.some((item) => typeof item === 'object' && item !== null)) throw wrongShape();
  return { kind: 'rows', columns: undefined, rows: (parsed as Cell[]).map((cell) => [cell]), nameOf };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    const lines = text.split('\n').filter((line) => line.trim() !== '');
    if (lines.length > 1) {
      try {
        return lines.map((line) => JSON.parse(line) as unknown);
      } catch {
        // Not one object a line either: the first message says more.
      }
    }
    throw usageError(`the JSON cannot be read: ${(error as Error).message}`);
  }
}

/** Cells that lists may be: those that have a name. */
function checkCells(cells: readonly unknown[], row: number): readonly Cell[] {
  const wrong = cells.findIndex((cell) => !isCell(cell));
  if (wrong >= 0) throw usageError(`rows[${row}][${wrong}] is or has an object; expected values, or lists of them`);
  return cells as readonly Cell[];
}

const isCell = (cell: unknown): boolean =>
  typeof cell !== 'object' || cell === null || (Array.isArray(cell) && cell.every(isCell));

function checkPlain(cells: readonly unknown[], row: number): readonly Cell[] {
  const nested = cells.findIndex((cell) => typeof cell === 'object' && cell !== null);
  if (nested >= 0) {
    throw usageError(
      `rows[${row}][${nested}] is a list or object; expected a number, text, true, false or null`,
      'For tensors of more dimensions give one object: {"input name": nested lists, batch first}.',
    );
  }
  return cells as readonly Cell[];
}

const wrongShape = () =>
  usageError('the JSON is neither a list of rows nor an object of tensors', 'See sluice help infer.');
