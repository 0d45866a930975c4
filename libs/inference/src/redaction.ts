import { datatypeBytes } from '@sluice/domain/datatype';
import type { Signature, TensorSpec } from '@sluice/domain/signature';
import { readLayout } from './request-layout.ts';
import type { RequestLayout } from './request-layout.ts';
import { WireReader } from './wire-reader.ts';

/** What is to be hidden of one input: the columns of its last dimension, or all. */
interface RedactedInput {
  readonly name: string;
  /** Bytes of an element; 0 where elements have no fixed size, and nothing can be hidden in place. */
  readonly elementBytes: number;
  readonly columns: readonly number[] | 'all';
}

/** What is to be hidden in requests of a signature. */
export interface RedactionPlan {
  readonly hidden: readonly RedactedInput[];
  /** Ranks of all inputs of the signature, by name: a request with any other could have what is hidden elsewhere. */
  readonly ranks: ReadonlyMap<string, number>;
}

/** More ranges than that are not made: finding them would hold up everything else. */
const mostRanges = 65_536;

/**
 * Finds what names stand for in a signature.
 *
 * @param names of features of inputs, or of inputs as a whole
 * @returns undefined when this signature has nothing of one of these names: then nobody knows where it is
 */
export function planRedaction(signature: Signature, names: readonly string[]): RedactionPlan | undefined {
  const { inputs } = signature;
  const has = (name: string): boolean =>
    inputs.some((spec) => spec.name === name || spec.features.some((feature) => feature.name === name));
  if (!names.every(has)) return undefined;
  return {
    hidden: inputs.flatMap((spec) => planInput(spec, names)),
    ranks: new Map(inputs.map(({ name, shape }) => [name, shape.length])),
  };
}

function planInput(spec: TensorSpec, names: readonly string[]): RedactedInput[] {
  const input = { name: spec.name, elementBytes: datatypeBytes[spec.datatype] };
  if (names.includes(spec.name)) return [{ ...input, columns: 'all' }];
  const columns = spec.features.flatMap((feature, column) => (names.includes(feature.name) ? [column] : []));
  return columns.length === 0 ? [] : [{ ...input, columns }];
}

/**
 * Where a ModelInferRequest has what is to be hidden.
 *
 * @returns offset and length in the request, by turns; undefined when it cannot be hidden in place: it is in typed contents or in
 *   BYTES, or the request is not one of the signature, and has it nobody knows where
 */
export function redactedRanges(request: Uint8Array, plan: RedactionPlan): number[] | undefined {
  let layout: RequestLayout;
  try {
    layout = readLayout(request);
  } catch {
    return undefined;
  }
  if (hasUnknownFields(request)) return undefined;
  const usesRaw = layout.raw.length > 0;
  if (usesRaw && layout.raw.length !== 2 * layout.inputs.length) return undefined;
  const ranges: number[] = [];
  for (const [index, input] of layout.inputs.entries()) {
    const name = layout.reader.bytes.toString('utf8', input.nameStart, input.nameEnd);
    if (plan.ranks.get(name) !== input.shape.length) return undefined;
    const hidden = plan.hidden.find((each) => each.name === name);
    if (!hidden) continue;
    const [start, end] = [layout.raw[2 * index], layout.raw[2 * index + 1]];
    if (input.contents || start === undefined || end === undefined || hidden.elementBytes === 0) return undefined;
    if (!addRanges(ranges, hidden, input.shape, start, end)) return undefined;
  }
  return ranges;
}

/** Whether a message, or one of its inputs, has fields that the protocol does not know: what is in them nobody can say. */
function hasUnknownFields(request: Uint8Array): boolean {
  const reader = new WireReader(request, 'ModelInferRequest');
  while (reader.next()) {
    if (reader.field > 7) return true;
    if (reader.field !== 5) reader.skip();
    else {
      const outer = reader.enter('inputs');
      if (goesBeyond(reader, 5)) return true;
      reader.leave(outer);
    }
  }
  return false;
}

/** Whether a message has a field of a higher number. */
function goesBeyond(reader: WireReader, most: number): boolean {
  while (reader.next()) {
    if (reader.field > most) return true;
    reader.skip();
  }
  return false;
}

/** @returns false when the bytes are not those of the shape */
function addRanges(
  ranges: number[],
  { columns, elementBytes }: RedactedInput,
  shape: readonly number[],
  start: number,
  end: number,
): boolean {
  const width = shape.at(-1) ?? 1;
  const elements = shape.reduce((product, dimension) => product * dimension, 1);
  if (!(width >= 0) || elements * elementBytes !== end - start) return false;
  if (columns === 'all') {
    ranges.push(start, end - start);
    return true;
  }
  if (columns.some((column) => column >= width)) return false;
  if (width > 0 && (elements / width) * columns.length > mostRanges) return false;
  for (let row = start; row < end; row += width * elementBytes)
    for (const column of columns) ranges.push(row + column * elementBytes, elementBytes);
  return true;
}
