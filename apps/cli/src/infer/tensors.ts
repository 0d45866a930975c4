import type { Datatype } from '@sluice/domain/datatype';
import { encodeTensor, type PlainValue } from '@sluice/inference/tensor-data';
import { shown } from '@sluice/tabular/schema';
import { usageError } from '../exit-codes.ts';
import { type InputColumns, type InputSpec, type ModelSpec, tensorsHint } from './columns.ts';
import type { Cell, Nested } from './table.ts';

/** An input of one request. */
export interface RequestTensor {
  readonly name: string;
  readonly datatype: Datatype;
  readonly shape: readonly number[];
  readonly raw: Uint8Array;
}

const bounds: Readonly<Partial<Record<Datatype, readonly [bigint, bigint]>>> = {
  INT8: [-(2n ** 7n), 2n ** 7n - 1n],
  INT16: [-(2n ** 15n), 2n ** 15n - 1n],
  INT32: [-(2n ** 31n), 2n ** 31n - 1n],
  INT64: [-(2n ** 63n), 2n ** 63n - 1n],
  UINT8: [0n, 2n ** 8n - 1n],
  UINT16: [0n, 2n ** 16n - 1n],
  UINT32: [0n, 2n ** 32n - 1n],
  UINT64: [0n, 2n ** 64n - 1n],
};

/** A cell as a value of the datatype. Throws a usage error that begins with `where`. */
export function toValue(datatype: Datatype, cell: Cell, nullable: boolean, where: string): PlainValue {
  const isFloating = datatype === 'FP32' || datatype === 'FP64' || datatype === 'FP16';
  // Most values of a file with types.
  if (isFloating && typeof cell === 'number') return cell;
  if (Array.isArray(cell)) throw usageError(`${where}: a list where a value was expected`);
  if (cell instanceof Date) return toValue(datatype, cell.toISOString(), nullable, where);
  return toPlain(datatype, cell as Exclude<Cell, readonly Cell[] | Date>, nullable, where);
}

function toPlain(
  datatype: Datatype,
  cell: string | number | bigint | boolean | null,
  nullable: boolean,
  where: string,
): PlainValue {
  const isMissing = cell === null || (cell === '' && datatype !== 'BYTES');
  if (isMissing) {
    const isFloat = datatype === 'FP16' || datatype === 'FP32' || datatype === 'FP64';
    if (nullable && isFloat) return Number.NaN;
    throw usageError(`${where}: the value is missing${isFloat ? ' and the feature is not nullable' : ''}`);
  }
  if (datatype === 'BYTES') return String(cell);
  if (datatype === 'BOOL') {
    const text = String(cell).toLowerCase();
    if (text === 'true' || text === '1') return true;
    if (text === 'false' || text === '0') return false;
    throw usageError(`${where}: ${shown(cell)} is not true, false, 1 or 0 (BOOL)`);
  }
  const limits = bounds[datatype];
  if (limits) {
    const text = String(cell).trim().replace(/\.0*$/, '');
    const whole = /^[+-]?\d+$/.test(text) ? BigInt(text.replace(/^\+/, '')) : undefined;
    if (whole === undefined || whole < limits[0] || whole > limits[1]) {
      throw usageError(
        `${where}: ${shown(cell)} is not a whole number from ${limits[0]} to ${limits[1]} (${datatype})`,
      );
    }
    return datatype === 'INT64' || datatype === 'UINT64' ? whole : Number(whole);
  }
  const number = typeof cell === 'boolean' ? Number.NaN : parseFloating(String(cell).trim());
  if (number === undefined || typeof cell === 'boolean')
    throw usageError(`${where}: ${shown(cell)} is not a number (${datatype})`);
  return number;
}

function parseFloating(text: string): number | undefined {
  if (/^nan$/i.test(text)) return Number.NaN;
  const infinite = /^([+-]?)inf(inity)?$/i.exec(text);
  if (infinite) return infinite[1] === '-' ? -Infinity : Infinity;
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : undefined;
}

/** What a row of a file has for one input. */
export interface RowTensor {
  /** Without the batch dimension. */
  readonly shape: readonly number[];
  readonly values: readonly PlainValue[];
}

/**
 * A row of a file as rows of the inputs, one for each.
 *
 * @param where the row in messages
 * @throws CliError usage, naming the column
 */
export function tensorsOfRow(
  inputs: readonly InputColumns[],
  row: readonly Cell[],
  where: string,
  columnName: (column: number) => string,
): readonly RowTensor[] {
  return inputs.map(({ spec, rowShape, columns, isList }) => {
    if (isList) return tensorOfList(spec, rowShape, row[columns[0]!] ?? null, `${where}, ${columnName(columns[0]!)}`);
    const hasFeatures = spec.features.length === columns.length;
    const values = columns.map((column, at) =>
      toValue(
        spec.datatype,
        row[column] ?? null,
        hasFeatures && spec.features[at]!.nullable,
        `${where}, ${columnName(column)}`,
      ),
    );
    return { shape: rowShape, values };
  });
}

/** A list, or JSON that says one: flat where the shape is known, else nested as the shape is. */
function tensorOfList(spec: InputSpec, rowShape: readonly number[], cell: Cell, where: string): RowTensor {
  const list = typeof cell === 'string' ? parseList(cell, where) : cell;
  if (!Array.isArray(list)) throw usageError(`${where}: expected a list of values, got ${shown(cell)}`);
  const { shape, cells } = flatten(list as readonly Cell[], where);
  const expected = `[${rowShape.join(', ')}]`;
  const isFlat = shape.length === 1 && !rowShape.includes(-1);
  const count = rowShape.reduce((product, size) => product * size, 1);
  const fits = isFlat
    ? shape[0] === count
    : shape.length === rowShape.length && rowShape.every((size, axis) => size === -1 || size === shape[axis]);
  if (!fits)
    throw usageError(`${where}: a list of the shape [${shape.join(', ')}]; ${spec.name} takes ${expected} a row`);
  const features = spec.features.length === cells.length ? spec.features : undefined;
  const values = cells.map((one, at) =>
    toValue(spec.datatype, one, features?.[at]!.nullable ?? false, `${where}[${at}]`),
  );
  return { shape: isFlat ? rowShape : shape, values };
}

function parseList(text: string, where: string): Cell {
  try {
    return JSON.parse(text) as Cell;
  } catch {
    throw usageError(`${where}: expected a list of values in JSON, such as [0, 1.5]`);
  }
}

/**
 * Rows of a file as the inputs of one request.
 *
 * @throws CliError usage when rows differ in shape, so that they cannot be in one request
 */
export function joinRows(
  inputs: readonly InputColumns[],
  rows: readonly (readonly RowTensor[])[],
  batched: boolean,
): readonly RequestTensor[] {
  return inputs.map(({ spec }, input) => {
    const shape = rows[0]?.[input]!.shape ?? [];
    const other = rows.findIndex((row) => !isSameShape(row[input]!.shape, shape));
    if (other >= 0)
      throw usageError(
        `${spec.name}: rows of the shapes [${shape.join(', ')}] and [${rows[other]![input]!.shape.join(', ')}] cannot go in one request; give --rows 1`,
      );
    const values = rows.length === 1 ? rows[0]![input]!.values : rows.flatMap((row) => row[input]!.values);
    const whole = batched ? [rows.length, ...shape] : shape;
    return { name: spec.name, datatype: spec.datatype, shape: whole, raw: encodeTensor(spec.datatype, values) };
  });
}

const isSameShape = (one: readonly number[], other: readonly number[]): boolean =>
  one === other || (one.length === other.length && one.every((size, axis) => size === other[axis]));

/** Rows of a file as the inputs of one request, from the cells. */
export function tensorsOfRows(
  inputs: readonly InputColumns[],
  rows: readonly (readonly Cell[])[],
  batched: boolean,
  nameOf: (row: number) => string,
  columnName: (column: number) => string,
): readonly RequestTensor[] {
  const tensors = rows.map((row, index) => tensorsOfRow(inputs, row, nameOf(index), columnName));
  return joinRows(inputs, tensors, batched);
}

/** Whole tensors of a JSON file as the inputs of one request. */
export function tensorsOfJson(model: ModelSpec, tensors: Readonly<Record<string, Nested>>): readonly RequestTensor[] {
  const names = model.inputs.map((spec) => spec.name);
  const unknown = Object.keys(tensors).find((name) => !names.includes(name));
  if (unknown !== undefined)
    throw usageError(`the model has no input "${unknown}"; it has ${names.join(', ')}`, tensorsHint);
  return model.inputs.map((spec) => {
    const nested = tensors[spec.name];
    if (nested === undefined) throw usageError(`the input "${spec.name}" is missing`, tensorsHint);
    const { shape, cells } = flatten(nested, spec.name);
    const values = cells.map((cell, index) => toValue(spec.datatype, cell, true, `${spec.name}[${index}]`));
    return { name: spec.name, datatype: spec.datatype, shape, raw: encodeTensor(spec.datatype, values) };
  });
}

function flatten(nested: Nested, name: string): { shape: readonly number[]; cells: readonly Cell[] } {
  const shape: number[] = [];
  for (let at = nested; Array.isArray(at) && shape.length < 64; at = (at as readonly Nested[])[0]!)
    shape.push(at.length);
  const cells: Cell[] = [];
  const visit = (at: Nested, depth: number): void => {
    if (!Array.isArray(at)) {
      if (depth !== shape.length) throw usageError(`${name}: the lists have different depths`);
      if (typeof at === 'object' && at !== null && !(at instanceof Date))
        throw usageError(`${name}: an object where a value was expected`);
      cells.push(at);
      return;
    }
    const items = at as readonly Nested[];
    if (depth >= shape.length) throw usageError(`${name}: the lists have different depths`);
    if (items.length !== shape[depth]) throw usageError(`${name}: the lists have different lengths`);
    for (const item of items) visit(item, depth + 1);
  };
  visit(nested, 0);
  return { shape, cells };
}
