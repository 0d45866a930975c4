import type { Datatype } from '@sluice/domain/datatype';
import { datatypeBytes } from '@sluice/domain/datatype';
import type { Signature, TensorSpec } from '@sluice/domain/signature';
import fc from 'fast-check';
import { encodeStrings } from '../src/bytes-tensor.ts';
import type { TensorPart } from '../src/message-writer.ts';
import type { ParameterValue } from '../src/parameters.ts';

const datatypes = Object.keys(datatypeBytes) as Datatype[];

export const name = fc.oneof(fc.constantFrom('x', 'y', 'digits', 'é'), fc.string({ maxLength: 12, unit: 'grapheme' }));

/** Text that ONNX Runtime can carry. */
const text = fc.string({ maxLength: 9, unit: 'grapheme' }).filter((value) => !value.includes('\0'));

export const parameter: fc.Arbitrary<ParameterValue> = fc.oneof(
  fc.boolean().map((value) => ({ kind: 'bool', value }) as const),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map((value) => ({ kind: 'int64', value }) as const),
  fc.string({ maxLength: 20, unit: 'grapheme' }).map((value) => ({ kind: 'string', value }) as const),
  fc.double({ noNaN: true }).map((value) => ({ kind: 'double', value }) as const),
  fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map((value) => ({ kind: 'uint64', value }) as const),
  fc.constant({ kind: 'none' } as const),
);

export const parameters = fc.uniqueArray(
  fc.tuple(
    fc.string({ maxLength: 8 }).map((key) => `k${key}`),
    parameter,
  ),
  { maxLength: 4, selector: ([key]) => key },
);

/** A tensor of any datatype whose bytes fit its shape. */
export function tensorPart(tensorName: string): fc.Arbitrary<TensorPart> {
  return fc
    .tuple(fc.constantFrom(...datatypes), fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 4 }))
    .chain(([datatype, shape]) => {
      const elements = shape.reduce((product, dimension) => product * dimension, 1);
      return data(datatype, elements).map((bytes) => ({ name: tensorName, datatype, shape, data: bytes }));
    });
}

function data(datatype: Datatype, elements: number): fc.Arbitrary<Uint8Array> {
  const exactly = { minLength: elements, maxLength: elements };
  if (datatype === 'BYTES') return fc.array(text, exactly).map(encodeStrings);
  if (datatype === 'BOOL')
    return fc.array(fc.integer({ min: 0, max: 1 }), exactly).map((list) => Uint8Array.from(list));
  const bytes = elements * datatypeBytes[datatype];
  return fc.uint8Array({ minLength: bytes, maxLength: bytes });
}

/** Some tensors with different names. */
export const tensorParts: fc.Arbitrary<TensorPart[]> = fc
  .uniqueArray(name, { maxLength: 4 })
  .chain((names) => fc.tuple(...names.map(tensorPart)));

/** A signature that the tensors fit, some of its dimensions dynamic. */
export function signatureFor(parts: readonly TensorPart[], dynamic: boolean): Signature {
  const spec = (part: TensorPart): TensorSpec => ({
    name: part.name,
    datatype: part.datatype,
    shape: part.shape.map((dimension, index) => (dynamic && index % 2 === 0 ? -1 : dimension)),
    dimNames: part.shape.map(() => ''),
    features: [],
  });
  return { inputs: parts.map(spec), outputs: parts.map(spec), batched: false };
}

/** Takes bytes and spoils them: cut off, a byte changed, put in, taken out, or a piece repeated. */
export const mutation: fc.Arbitrary<(bytes: Uint8Array) => Uint8Array> = fc
  .array(fc.tuple(fc.nat(4), fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(255), fc.nat(12)), {
    minLength: 1,
    maxLength: 4,
  })
  .map((steps) => (bytes: Uint8Array) => {
    let list = [...bytes];
    for (const [kind, where, byte, count] of steps) {
      const at = Math.floor(where * list.length);
      if (kind === 0) list = list.slice(0, at);
      else if (kind === 1 && list.length > 0) list[Math.min(at, list.length - 1)] = byte;
      else if (kind === 2) list.splice(at, 0, byte);
      else if (kind === 3) list.splice(at, count);
      else list.splice(at, 0, ...list.slice(at, at + count));
    }
    return Uint8Array.from(list);
  });
