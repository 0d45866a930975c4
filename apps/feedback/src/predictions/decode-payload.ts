import type { Datatype } from '@sluice/domain/datatype';
import { datatypeBytes, isDatatype } from '@sluice/domain/datatype';
import { invalidArgument, SluiceError } from '@sluice/domain/errors';
import type { Signature, TensorSpec } from '@sluice/domain/signature';
import { copyInput, parseInferRequest } from '@sluice/inference/infer-request';
import { readInferResponse } from '@sluice/inference/infer-response';
import { readLayout } from '@sluice/inference/request-layout';
import { decodeTensor } from '@sluice/inference/tensor-data';
import type { TensorValues } from '@sluice/inference/tensor-data';

/** A tensor of a payload, as far as its values are given. */
export interface DecodedTensor {
  readonly name: string;
  readonly datatype: Datatype;
  readonly shape: readonly number[];
  /** Of the whole tensor. */
  readonly elements: number;
  /** The first values; octets of an element each for BYTES. */
  readonly values: Exclude<TensorValues, string[]> | readonly Uint8Array[];
  /** Of an input, by column; empty where nobody named them. */
  readonly featureNames: readonly string[];
  /** Of an output, by index. */
  readonly classNames: readonly string[];
}

/** Octets of BYTES elements of one tensor that are given, unless a caller says otherwise. */
const textBytesGiven = 1024 * 1024;

interface Most {
  readonly mostValues: number;
  readonly mostTextBytes: number;
}

/**
 * The inputs of a ModelInferRequest, in raw or typed contents.
 *
 * @param signature of its version, which has names for columns; undefined where it is not known: the message says the rest itself
 * @throws SluiceError invalid-argument when the bytes are no such message
 */
export function decodeRequest(
  request: Uint8Array,
  signature: Signature | undefined,
  mostValues: number,
  mostTextBytes = textBytesGiven,
): DecodedTensor[] {
  const { inputs } = parseInferRequest(request, ownSignature(request));
  return inputs.map((input) => {
    const raw = new Uint8Array(input.byteLength);
    copyInput(input, raw, 0);
    const tensor = { name: input.spec.name, datatype: input.datatype, shape: input.shape, data: raw };
    return decoded(tensor, signature?.inputs, { mostValues, mostTextBytes });
  });
}

/** The outputs of a ModelInferResponse; parameters as those of `decodeRequest`. */
export function decodeResponse(
  response: Uint8Array,
  signature: Signature | undefined,
  mostValues: number,
  mostTextBytes = textBytesGiven,
): DecodedTensor[] {
  const most = { mostValues, mostTextBytes };
  return readInferResponse(response).outputs.map((output) => decoded(output, signature?.outputs, most));
}

/** A signature that a request fits by itself: it names its tensors, their datatypes and shapes. */
function ownSignature(request: Uint8Array): Signature {
  const { reader, inputs } = readLayout(request);
  const specs = inputs.map(({ nameStart, nameEnd, datatypeStart, datatypeEnd, shape }): TensorSpec => {
    const datatype = reader.text(datatypeStart, datatypeEnd, 'inputs.datatype');
    if (!isDatatype(datatype)) throw invalidArgument(`inputs.datatype: "${datatype}" is not a datatype`);
    const name = reader.text(nameStart, nameEnd, 'inputs.name');
    return { name, datatype, shape: [...shape], dimNames: shape.map(() => ''), features: [] };
  });
  return { inputs: specs, outputs: [], batched: false };
}

interface RawTensor {
  readonly name: string;
  readonly datatype: Datatype;
  readonly shape: readonly number[];
  readonly data: Uint8Array;
}

function decoded(
  { name, datatype, shape, data }: RawTensor,
  specs: readonly TensorSpec[] | undefined,
  most: Most,
): DecodedTensor {
  const spec = specs?.find((each) => each.name === name);
  const elements = shape.reduce((product, dimension) => product * dimension, 1);
  return {
    ...{ name, datatype, shape, elements },
    values: datatype === 'BYTES' ? octets(data, most) : numbers(datatype, data, most.mostValues),
    featureNames: spec?.features.map((feature) => feature.name) ?? [],
    classNames: spec?.classNames ?? [],
  };
}

const numbers = (datatype: Exclude<Datatype, 'BYTES'>, data: Uint8Array, most: number) =>
  decodeTensor(datatype, data.subarray(0, most * datatypeBytes[datatype])) as Exclude<TensorValues, string[]>;

/** Elements as they are: they need not be text. Each is a length of four octets, the lowest first, and so many octets. */
function octets(data: Uint8Array, { mostValues: most, mostTextBytes }: Most): Uint8Array[] {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const found: Uint8Array[] = [];
  let room = mostTextBytes;
  for (let at = 0; at < data.length && found.length < most;) {
    const end = at + 4 <= data.length ? at + 4 + view.getUint32(at, true) : Infinity;
    if (end > data.length)
      throw new SluiceError('invalid-argument', `BYTES tensor: element ${found.length} is cut off`);
    room -= end - at - 4;
    if (room < 0) break;
    found.push(data.subarray(at + 4, end));
    at = end;
  }
  return found;
}
