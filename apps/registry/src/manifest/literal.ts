import type { Datatype } from '@sluice/domain/datatype';
import type { TensorLiteral } from './manifest.ts';

/** A value of a golden case as a tensor: row-major. */
export interface FlatLiteral {
  readonly shape: readonly number[];
  readonly values: readonly (number | boolean | string)[];
}

const maxElements = 1_000_000;

/** The shape and values of nested lists, or what is wrong with them. */
export function flatten(literal: TensorLiteral): FlatLiteral | string {
  const shape: number[] = [];
  for (let at = literal; Array.isArray(at); at = (at as readonly TensorLiteral[])[0]!) {
    shape.push(at.length);
    if (at.length === 0) break;
  }
  const values: (number | boolean | string)[] = [];
  const visit = (at: TensorLiteral, depth: number): boolean => {
    if (!Array.isArray(at)) {
      values.push(at as number | boolean | string);
      return depth === shape.length && values.length <= maxElements;
    }
    const items = at as readonly TensorLiteral[];
    return depth < shape.length && items.length === shape[depth] && items.every((item) => visit(item, depth + 1));
  };
  if (!visit(literal, 0)) {
    return values.length > maxElements ? `more than ${maxElements} elements` : 'the lists have different lengths';
  }
  return { shape, values };
}

const integers: Readonly<Partial<Record<Datatype, readonly [number, number]>>> = {
  INT8: [-(2 ** 7), 2 ** 7 - 1],
  INT16: [-(2 ** 15), 2 ** 15 - 1],
  INT32: [-(2 ** 31), 2 ** 31 - 1],
  INT64: [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
  UINT8: [0, 2 ** 8 - 1],
  UINT16: [0, 2 ** 16 - 1],
  UINT32: [0, 2 ** 32 - 1],
  UINT64: [0, Number.MAX_SAFE_INTEGER],
};

/** What one element must be for a datatype; '' when `value` is that. */
export function elementProblem(datatype: Datatype, value: number | boolean | string): string {
  if (datatype === 'BYTES') {
    if (typeof value !== 'string') return 'text (quote it)';
    return value.includes('\0') ? 'text without a NUL, which the runtime cannot carry' : '';
  }
  if (datatype === 'BOOL') return typeof value === 'boolean' ? '' : 'true or false';
  const bounds = integers[datatype];
  if (typeof value !== 'number') return bounds ? 'a whole number' : 'a number';
  if (!bounds) return '';
  const fits = Number.isInteger(value) && value >= bounds[0] && value <= bounds[1];
  return fits ? '' : `a whole number from ${bounds[0]} to ${bounds[1]}`;
}
