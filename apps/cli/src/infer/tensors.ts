import type { Datatype } from '@sluice/domain/datatype';
import { encodeTensor, type PlainValue } from '@sluice/inference/tensor-data';
import { usageError } from '../exit-codes.ts';
import type { InputColumns, ModelSpec } from './columns.ts';
import { tensorsHint } from './columns.ts';
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
  const shown = JSON.stringify(cell);
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
    throw usageError(`${where}: ${shown} is not true, false, 1 or 0 (BOOL)`);
  }
  const limits = bounds[datatype];
  if (limits) {
    const text = String(cell).trim().replace(/\.0*$/, '');
    const whole = /^[+-]?\d+$/.test(text) ? BigInt(text.replace(/^\+/, '')) : undefined;
    if (whole === undefined || whole < limits[0] || whole > limits[1]) {
      throw usageError(`${where}: ${shown} is not a whole number from ${limits[0]} to ${limits[1]} (${datatype})`);
    }
    return datatype === 'INT64' || datatype === 'UINT64' ? whole : Number(whole);
  }
  const number = typeof cell === 'boolean' ? Number.NaN : parseFloating(String(cell).trim());
  if (number === undefined || typeof cell === 'boolean')
    throw usageError(`${where}: ${shown} is not a number (${datatype})`);
  return number;
}

function parseFloating(text: string): number | undefined {
  if (/^nan$/i.test(text)) return Number.NaN;
  const infinite = /^([+-]?)inf(inity)?$/i.exec(text);
  if (infinite) return infinite[1] === '-' ? -Infinity : Infinity;
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : undefined;
}

/** Rows of a file as the inputs of one request. */
export function tensorsOfRows(
  inputs: readonly InputColumns[],
  rows: readonly (readonly Cell[])[],
  batched: boolean,
  nameOf: (row: number) => string,
  columnName: (column: number) => string,
): readonly RequestTensor[] {
  return inputs.map(({ spec, rowShape, columns }) => {
    const values: PlainValue[] = [];
    for (const [index, row] of rows.entries()) {
      for (const [at, column] of columns.entries()) {
        const nullable = spec.features.length === columns.length && spec.features[at]!.nullable;
        values.push(toValue(spec.datatype, row[column] ?? null, nullable, `${nameOf(index)}, ${columnName(column)}`));
      }
    }
    const shape = batched ? [rows.length, ...rowShape] : rowShape;
    return { name: spec.name, datatype: spec.datatype, shape, raw: encodeTensor(spec.datatype, values) };
  });
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
      if (typeof at === 'object' && at !== null) throw usageError(`${name}: an object where a value was expected`);
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
