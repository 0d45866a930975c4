import { invalidArgument } from '@sluice/domain/errors';

/** What a value is. `float` is single precision, `timestamp` an instant with milliseconds. */
export type ScalarType = 'string' | 'double' | 'float' | 'int64' | 'bool' | 'timestamp';

/** A column of a table. */
export interface Column {
  readonly name: string;
  readonly type: ScalarType;
  /** 0 for a single value, 1 for a list of values, 2 for a list of lists, and so on. */
  readonly depth: number;
}

export type Scalar = string | number | bigint | boolean | Date;

/** A value of a row: null where there is none; nested lists for tensors. */
export type Value = Scalar | null | readonly Value[];

/** One value for each column. */
export type Row = readonly Value[];

/** `list<list<float>>`, `int64`. */
export const typeName = ({ type, depth }: Pick<Column, 'type' | 'depth'>): string =>
  `${'list<'.repeat(depth)}${type}${'>'.repeat(depth)}`;

/** A table's schema in the words of data sets: `[{"name":"pixels","type":"list<float>"}]`. */
export const describeSchema = (
  columns: readonly Column[],
): readonly { readonly name: string; readonly type: string }[] =>
  columns.map((column) => ({ name: column.name, type: typeName(column) }));

/** More is no table, but a file that was made to take memory, or one of another format. */
export const mostColumns = 1_048_576;

/** @throws SluiceError invalid-argument when a table has more columns than anybody's */
export function checkWidth(columns: number): void {
  if (columns > mostColumns) throw invalidArgument(`there are ${columns} columns; at most ${mostColumns}`);
}

/** @throws SluiceError invalid-argument when two columns have one name, or one has none, or there are too many */
export function checkNames(columns: readonly { readonly name: string }[]): void {
  checkWidth(columns.length);
  const seen = new Set<string>();
  for (const { name } of columns) {
    if (name === '') throw invalidArgument('a column has no name');
    if (seen.has(name)) throw invalidArgument(`there are two columns "${name}"`);
    seen.add(name);
  }
}

/**
 * Holds a value to its column: whole numbers become bigint in `int64`, numbers that are whole are numbers everywhere else.
 *
 * @throws SluiceError invalid-argument, saying what was expected and what came
 */
export function fit(column: Column, value: Value): Value {
  return fitAt(column, value, column.depth);
}

function fitAt(column: Column, value: Value, depth: number): Value {
  if (value === null) return null;
  if (depth > 0) {
    if (!Array.isArray(value)) throw misfit(column, value, depth);
    return (value as readonly Value[]).map((item) => fitAt(column, item, depth - 1));
  }
  const fitted = fitScalar(column.type, value);
  if (fitted === undefined) throw misfit(column, value, depth);
  return fitted;
}

function fitScalar(type: ScalarType, value: Value): Scalar | undefined {
  switch (type) {
    case 'string':
      return typeof value === 'string' ? value : undefined;
    case 'bool':
      return typeof value === 'boolean' ? value : undefined;
    case 'timestamp':
      return value instanceof Date && !Number.isNaN(value.getTime()) ? value : undefined;
    case 'int64':
      if (typeof value === 'bigint') return value === BigInt.asIntN(64, value) ? value : undefined;
      return typeof value === 'number' && Number.isSafeInteger(value) ? BigInt(value) : undefined;
    case 'double':
    case 'float':
      if (typeof value === 'bigint') return Number(value);
      return typeof value === 'number' ? value : undefined;
  }
}

const misfit = (column: Column, value: Value, depth: number) =>
  invalidArgument(`column "${column.name}": expected ${typeName({ type: column.type, depth })}, got ${shown(value)}`);

/** A value in a message: short, and as JSON would have it. */
export function shown(value: Value): string {
  const text = textOf(value);
  return text.length > 40 ? `${text.slice(0, 40)}…` : text;
}

/**
 * A value as JSON text. Numbers that JSON does not have are the texts "NaN", "Infinity" and "-Infinity", instants are ISO 8601.
 */
export function textOf(value: Value): string {
  if (value === null) return 'null';
  if (typeof value === 'number') return Number.isFinite(value) ? String(value) : `"${value}"`;
  if (typeof value === 'bigint') return value.toString();
  if (typeof value === 'object' && !(value instanceof Date)) return `[${value.map(textOf).join(',')}]`;
  return JSON.stringify(value);
}
