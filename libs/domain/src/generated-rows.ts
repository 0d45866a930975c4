import type { Datatype } from './datatype.ts';
import type { Feature, TensorSpec } from './signature.ts';

/** How the values of a row are chosen. */
export type RowKind = 'random' | 'zeros';

/** A small generator of uniform numbers in [0, 1), the same for the same seed (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** The seed of all that is generated for a version. @param digest the version's, in hex */
export function seedOf(digest: string): number {
  return Number.parseInt(digest.slice(0, 8), 16);
}

/**
 * Values for one row: drawn from the declared ranges, or zeros (numbers) and empty text. Booleans are 0 and 1.
 *
 * @param shape of the row, without the batch dimension and without anything dynamic
 */
export function generateRow(
  spec: TensorSpec,
  shape: readonly number[],
  kind: RowKind,
  uniform: () => number,
): number[] | string[] {
  const to = shape.reduce((product, size) => product * size, 1);
  return generatePart(spec, shape, kind, uniform, { from: 0, to });
}

/** Part of a row: parts that are made one after the other with the same `uniform` are the row. */
export function generatePart(
  spec: TensorSpec,
  shape: readonly number[],
  kind: RowKind,
  uniform: () => number,
  { from, to }: { readonly from: number; readonly to: number },
): number[] | string[] {
  const length = to - from;
  const columns = shape.at(-1) ?? 1;
  if (spec.datatype === 'BYTES') {
    return Array.from({ length }, () => (kind === 'zeros' ? '' : String(Math.floor(uniform() * 10))));
  }
  return Array.from({ length }, (_, index) => {
    if (kind === 'zeros') return 0;
    const feature = spec.features.length === columns ? spec.features[(from + index) % columns] : undefined;
    return drawValue(spec, feature, uniform);
  });
}

const integerBounds: Readonly<Partial<Record<Datatype, readonly [number, number]>>> = {
  INT8: [-128, 127],
  INT16: [-(2 ** 15), 2 ** 15 - 1],
  INT32: [-(2 ** 31), 2 ** 31 - 1],
  INT64: [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
  UINT8: [0, 255],
  UINT16: [0, 2 ** 16 - 1],
  UINT32: [0, 2 ** 32 - 1],
  UINT64: [0, Number.MAX_SAFE_INTEGER],
};

function drawValue(spec: TensorSpec, feature: Feature | undefined, uniform: () => number): number {
  const { datatype } = spec;
  const bounds = integerBounds[datatype];
  if (!bounds && datatype !== 'BOOL' && feature?.nullable && uniform() < 0.1) return Number.NaN;
  const low = feature?.min ?? spec.min;
  const high = feature?.max ?? spec.max;
  if (datatype === 'BOOL') return uniform() < 0.5 ? 0 : 1;
  if (bounds) {
    // Without a range small numbers are the least likely to be out of some table.
    const from = Math.max(bounds[0], Math.ceil(low ?? Math.min(0, high ?? 0)));
    const to = Math.min(bounds[1], Math.floor(high ?? Math.max(1, from + 1)));
    return to <= from ? from : from + Math.floor(uniform() * (to - from + 1));
  }
  if (low !== undefined && high !== undefined) return low + uniform() * (high - low);
  const normal = Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
  if (low !== undefined) return low + Math.abs(normal);
  return high !== undefined ? high - Math.abs(normal) : normal;
}
