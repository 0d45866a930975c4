import { parse } from 'csv-parse/sync';
import { usageError } from '../exit-codes.ts';

/** One value of an input as a file has it. */
export type Cell = string | number | boolean | null;

/** Nested lists of cells: a whole tensor. */
export type Nested = Cell | readonly Nested[];

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
export function readCsv(text: string, hasHeader: boolean): FileInput {
  let records: string[][];
  try {
    records = parse(text, { bom: true, skip_empty_lines: true, relax_column_count: false });
  } catch (error) {
    throw usageError(`the CSV cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
  const columns = hasHeader ? records.shift()?.map((name) => name.trim()) : undefined;
  if (records.length === 0) throw usageError('the CSV has no rows');
  const twice = columns?.find((name, index) => columns.indexOf(name) !== index);
  if (twice !== undefined) throw usageError(`the CSV has two columns "${twice}"`, 'Rename one, or give --no-header.');
  return { kind: 'rows', columns, rows: records, nameOf: (row) => `line ${row + (hasHeader ? 2 : 1)}` };
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
    return { kind: 'rows', columns: undefined, rows: (parsed as unknown[][]).map(checkCells), nameOf };
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

function checkCells(cells: readonly unknown[], row: number): readonly Cell[] {
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
