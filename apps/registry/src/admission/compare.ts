import { clip } from '@sluice/domain/names';

/** One tensor of an answer, decoded: numbers for FP16 and booleans as 0 and 1. */
export interface TensorValues {
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: ArrayLike<number | bigint | string>;
  /** Floating point values are compared with tolerances, all others exactly. */
  readonly inexact: boolean;
}

export interface Tolerance {
  readonly rtol: number;
  readonly atol: number;
}

/** True when `got` is `expected`, within `atol + rtol * |expected|` for inexact values; NaN equals NaN. */
export function isClose(
  expected: number | bigint | string,
  got: number | bigint | string,
  inexact: boolean,
  { rtol, atol }: Tolerance,
): boolean {
  if (Object.is(expected, got) || expected === got) return true;
  if (!inexact || typeof expected !== 'number' || typeof got !== 'number') return false;
  if (!Number.isFinite(expected) || !Number.isFinite(got)) return Number.isNaN(expected) && Number.isNaN(got);
  return Math.abs(expected - got) <= atol + rtol * Math.abs(expected);
}

/** `[2, 0]` for a flat index into a shape. */
export function indexIn(shape: readonly number[], flat: number): string {
  const parts: number[] = [];
  let rest = flat;
  for (let axis = shape.length - 1; axis >= 0; axis -= 1) {
    parts.unshift(rest % shape[axis]!);
    rest = Math.floor(rest / shape[axis]!);
  }
  return `[${parts.join(', ')}]`;
}

/**
 * The first difference between `count` values of two tensors, from an offset into each; undefined when there is none.
 * The words say which is which: `expected` and `got` for golden cases, other words elsewhere.
 */
export function firstDifference(
  expected: TensorValues,
  got: TensorValues,
  range: { readonly expectedFrom: number; readonly gotFrom: number; readonly count: number },
  tolerance: Tolerance,
  words: readonly [string, string] = ['expected', 'got'],
): string | undefined {
  for (let index = 0; index < range.count; index += 1) {
    const left = expected.values[range.expectedFrom + index]!;
    const right = got.values[range.gotFrom + index]!;
    if (isClose(left, right, got.inexact, tolerance)) continue;
    const place = indexIn(expected.shape, range.expectedFrom + index);
    return `output "${clip(got.name)}" at ${place}: ${words[0]} ${show(left)}, ${words[1]} ${show(right)}`;
  }
  return undefined;
}

const show = (value: number | bigint | string): string =>
  typeof value === 'string' ? JSON.stringify(clip(value, 40)) : String(value);

/** The middle of a list of numbers; 0 for none. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((left, right) => left - right);
  const middle = sorted.length >> 1;
  if (sorted.length === 0) return 0;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
