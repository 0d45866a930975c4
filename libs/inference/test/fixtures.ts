import type { Datatype } from '@sluice/domain/datatype';
import type { Signature, TensorSpec } from '@sluice/domain/signature';

/** How often a property is tried; the soak run raises it. */
// eslint-disable-next-line no-restricted-syntax -- the number of runs is a setting of the test run, not of a service
export const propertyRuns = Number(process.env['SLUICE_PROPERTY_RUNS'] ?? 1000);

export function tensor(name: string, datatype: Datatype, shape: readonly number[]): TensorSpec {
  return { name, datatype, shape, dimNames: shape.map(() => ''), features: [] };
}

export function signature(
  inputs: readonly TensorSpec[],
  outputs: readonly TensorSpec[] = [tensor('y', 'FP32', [-1, 10])],
  batched = true,
): Signature {
  return { inputs, outputs, batched };
}

/** A protobuf varint, for messages that the library would not write itself. */
export function varint(value: number | bigint): number[] {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  while (rest >= 0x80n) {
    bytes.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  return [...bytes, Number(rest)];
}

/** A length-delimited protobuf field. */
export function field(number: number, content: string | readonly number[] | Uint8Array): number[] {
  const bytes = typeof content === 'string' ? [...Buffer.from(content)] : [...content];
  return [...varint((number << 3) | 2), ...varint(bytes.length), ...bytes];
}

/** A varint protobuf field. */
export function number(field: number, value: number | bigint): number[] {
  return [...varint(field << 3), ...varint(value)];
}

/** One InferInputTensor field of a ModelInferRequest. */
export function input(
  name: string,
  datatype: string,
  shape: readonly (number | bigint)[],
  contents?: readonly number[],
): number[] {
  return field(5, [
    ...field(1, name),
    ...field(2, datatype),
    ...field(
      3,
      shape.flatMap((dimension) => varint(dimension)),
    ),
    ...(contents ? field(5, contents) : []),
  ]);
}

export function fp32(...values: number[]): number[] {
  return [...new Uint8Array(Float32Array.from(values).buffer)];
}

/** Runs `fn` and returns the message of what it throws. */
export function messageOf(fn: () => unknown): string {
  try {
    fn();
  } catch (error) {
    return error instanceof Error
      ? `${'kind' in error ? String(error.kind) : error.name}: ${error.message}`
      : 'not an Error';
  }
  return 'nothing was thrown';
}
