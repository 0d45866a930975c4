import type { Datatype } from '@sluice/domain/datatype';
import { encodeTensor, type PlainValue } from '@sluice/inference/tensor-data';
import { usageError } from '../exit-codes.ts';
import { elements, knownShape, type RowInput } from './input-shapes.ts';
import type { SeededRandom } from './seeded-random.ts';

/** Of one input of a row: such a message would be over every server's limit. */
const mostElements = 2 ** 27;

/** The bytes of one input of one row, with its shape. */
export interface RowTensor {
  readonly shape: readonly number[];
  readonly raw: Uint8Array;
}

/** One row: a tensor for each input, in the model's order. */
export type Row = readonly RowTensor[];

/** A row of zeros, empty strings and false. */
export function zeroRow(inputs: readonly RowInput[]): Row {
  return rowOf(inputs, zeroOf);
}

/** A row of fractions in [0, 1), whole numbers from 0 to 9, and strings of small letters. */
export function randomRow(inputs: readonly RowInput[], random: SeededRandom, stringLength: number): Row {
  return rowOf(inputs, (datatype) => randomOf(datatype, random, stringLength));
}

function rowOf(inputs: readonly RowInput[], valueOf: (datatype: Datatype) => PlainValue): Row {
  return inputs.map((input) => {
    const shape = knownShape(input);
    const { datatype, name } = input.spec;
    if (elements(shape) > mostElements)
      throw usageError(`input "${name}" [${shape.join(', ')}] has more than ${mostElements} elements`);
    const values = Array.from({ length: elements(shape) }, () => valueOf(datatype));
    return { shape, raw: encodeTensor(datatype, values) };
  });
}

function zeroOf(datatype: Datatype): PlainValue {
  switch (datatype) {
    case 'BYTES':
      return '';
    case 'BOOL':
      return false;
    case 'INT64':
    case 'UINT64':
      return 0n;
    default:
      return 0;
  }
}

function randomOf(datatype: Datatype, random: SeededRandom, stringLength: number): PlainValue {
  switch (datatype) {
    case 'BYTES':
      return Array.from({ length: stringLength }, () => String.fromCharCode(97 + random.below(26))).join('');
    case 'BOOL':
      return random.below(2) === 1;
    case 'INT64':
    case 'UINT64':
      return BigInt(random.below(10));
    case 'FP16':
    case 'BF16':
    case 'FP32':
    case 'FP64':
      return random.uniform();
    default:
      return random.below(10);
  }
}
