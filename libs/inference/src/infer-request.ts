import type { Datatype } from '@sluice/domain/datatype';
import { invalidArgument } from '@sluice/domain/errors';
import type { SluiceError } from '@sluice/domain/errors';
import { clip } from '@sluice/domain/names';
import type { Signature, TensorSpec } from '@sluice/domain/signature';
import { checkBytesTensor, decodeStrings } from './bytes-tensor.ts';
import { isRanked } from './classification.ts';
import type { ClassWish } from './classification.ts';
import { compileSignature, sameBytes } from './compiled-signature.ts';
import type { CompiledSignature, CompiledTensor } from './compiled-signature.ts';
import { contentStrings, copyContents, measureContents } from './contents.ts';
import type { ContentsPlace } from './contents.ts';
import { copyBytes } from './copy-bytes.ts';
import { limits } from './limits.ts';
import type { Parameters } from './parameters.ts';
import { readLayout } from './request-layout.ts';
import type { InputLayout, RequestLayout } from './request-layout.ts';

/** One input that fits its signature. It refers to the request's bytes: keep the request as long as this is in use. */
export interface InferInput {
  readonly spec: TensorSpec;
  readonly datatype: Datatype;
  readonly shape: readonly number[];
  /** The first dimension when the signature is batched, else 1. */
  readonly rows: number;
  readonly elements: number;
  /** Bytes of the raw form, whatever form was sent. */
  readonly byteLength: number;
  /** A view of the raw form, when that was sent. */
  readonly raw: Uint8Array | undefined;
  /** Where the typed form lies, when that was sent. */
  readonly contents: ContentsPlace | undefined;
}

/** A request that fits its signature. */
export interface InferRequest {
  readonly modelName: string;
  readonly modelVersion: string;
  readonly id: string;
  readonly parameters: Parameters;
  /** In the order of the signature. */
  readonly inputs: readonly InferInput[];
  /** Indexes into the signature's outputs, in the order of the answer. */
  readonly outputs: readonly number[];
  /** What is wanted of each of `outputs`; undefined when all are wanted as they are. */
  readonly classes?: readonly ClassWish[] | undefined;
  /** Rows of the request: the shared first dimension when the signature is batched, else 1. */
  readonly rows: number;
}

const allOutputs = new WeakMap<CompiledSignature, readonly number[]>();

/**
 * Parses a ModelInferRequest once and checks it against the signature of the version that is to run it. Tensor bytes
 * are not copied: see `copyInput` and `inputStrings`.
 * @throws SluiceError invalid-argument that names the field or tensor, what was expected and what came
 */
export function parseInferRequest(request: Uint8Array, signature: Signature): InferRequest {
  const compiled = compileSignature(signature);
  const layout = readLayout(request);
  const usesRaw = layout.raw.length > 0;
  if (usesRaw) checkRawCount(layout);
  const inputs = placeInputs(layout, compiled, usesRaw);
  const outputs = requestedOutputs(layout, compiled);
  return {
    modelName: layout.modelName,
    modelVersion: layout.modelVersion,
    id: layout.id,
    parameters: layout.parameters,
    inputs,
    outputs,
    classes: requestedClasses(layout, compiled, outputs),
    rows: commonRows(inputs, compiled, layout),
  };
}

function checkRawCount(layout: RequestLayout): void {
  for (const [index, input] of layout.inputs.entries()) {
    if (!input.contents) continue;
    const name = layout.reader.text(input.nameStart, input.nameEnd, `inputs[${index}].name`);
    throw invalidArgument(
      `inputs[${index}]: contents field must not be specified when using raw_input_contents for '${clip(name)}' for model '${clip(layout.modelName)}'`,
    );
  }
  if (layout.raw.length / 2 !== layout.inputs.length) {
    throw invalidArgument(
      `raw_input_contents for model '${clip(layout.modelName)}': expected ${layout.inputs.length} entries, one per input, got ${layout.raw.length / 2}`,
    );
  }
}

function placeInputs(layout: RequestLayout, signature: CompiledSignature, usesRaw: boolean): InferInput[] {
  const placed = new Array<InferInput | undefined>(signature.inputs.length).fill(undefined);
  for (let index = 0; index < layout.inputs.length; index++) {
    const input = layout.inputs[index]!;
    const tensor = findTensor(layout, signature.inputs, input.nameStart, input.nameEnd, index);
    if (!tensor) throw unknownInput(layout, signature, input, index);
    if (placed[tensor.index]) throw tensorError(layout, tensor, 'is there more than once');
    const start = usesRaw ? layout.raw[2 * index]! : -1;
    placed[tensor.index] = checkInput(layout, signature, tensor, input, start, layout.raw[2 * index + 1] ?? -1);
  }
  for (const tensor of signature.inputs) {
    if (!placed[tensor.index]) throw tensorError(layout, tensor, `is missing; ${describe(signature.inputs)}`);
  }
  return placed as InferInput[];
}

/** Tensors usually come in the signature's order, so the one at `guess` is tried first. */
function findTensor(
  layout: RequestLayout,
  tensors: readonly CompiledTensor[],
  start: number,
  end: number,
  guess: number,
): CompiledTensor | undefined {
  const { bytes } = layout.reader;
  const first = tensors[guess];
  if (first && sameBytes(bytes, start, end, first.name)) return first;
  return tensors.find((tensor) => sameBytes(bytes, start, end, tensor.name));
}

function unknownInput(
  layout: RequestLayout,
  signature: CompiledSignature,
  input: InputLayout,
  index: number,
): SluiceError {
  const name = layout.reader.text(input.nameStart, input.nameEnd, `inputs[${index}].name`);
  return invalidArgument(
    `unexpected input '${clip(name)}' for model '${clip(layout.modelName)}'; ${describe(signature.inputs)}`,
  );
}

function describe(tensors: readonly CompiledTensor[]): string {
  const names = tensors.slice(0, 16).map((tensor) => `'${tensor.spec.name}'`);
  if (tensors.length > names.length) names.push('…');
  return `expected ${names.length === 0 ? 'none' : names.join(', ')}`;
}

function tensorName(layout: RequestLayout, tensor: CompiledTensor): string {
  return `input '${tensor.spec.name}' for model '${clip(layout.modelName)}'`;
}

function tensorError(layout: RequestLayout, tensor: CompiledTensor, problem: string): SluiceError {
  return invalidArgument(`${tensorName(layout, tensor)} ${problem}`);
}

function checkInput(
  layout: RequestLayout,
  signature: CompiledSignature,
  tensor: CompiledTensor,
  input: InputLayout,
  rawStart: number,
  rawEnd: number,
): InferInput {
  const { reader } = layout;
  const { spec } = tensor;
  if (!sameBytes(reader.bytes, input.datatypeStart, input.datatypeEnd, tensor.datatype)) {
    const got = reader.text(input.datatypeStart, input.datatypeEnd, 'inputs.datatype');
    throw tensorError(layout, tensor, `has datatype '${clip(got)}'; expected ${spec.datatype}`);
  }
  const elements = checkShape(layout, tensor, input.shape);
  const rows = signature.batched ? input.shape[0]! : 1;
  if (elements === 0 && rows > limits.emptyRows) {
    throw tensorError(layout, tensor, `has ${rows} rows without elements; at most ${limits.emptyRows} are taken`);
  }
  const raw = rawStart < 0 ? undefined : reader.bytes.subarray(rawStart, rawEnd);
  const contents = raw || !input.contents ? undefined : { request: reader.bytes, ranges: input.contents };
  const byteLength = raw ? checkRaw(layout, tensor, raw, elements) : checkContents(layout, tensor, contents, elements);
  return { spec, datatype: spec.datatype, shape: input.shape, rows, elements, byteLength, raw, contents };
}

/** Compares a shape with the signature's; returns the number of elements. */
function checkShape(layout: RequestLayout, tensor: CompiledTensor, shape: readonly number[]): number {
  const expected = tensor.spec.shape;
  let product = 1;
  let empty = false;
  for (let index = 0; index < shape.length; index++) {
    const dimension = shape[index]!;
    if (dimension < 0) throw tensorError(layout, tensor, `has a negative dimension: shape[${index}] is ${dimension}`);
    if (dimension === 0) empty = true;
    else product *= dimension;
    if (product > limits.elements) {
      throw tensorError(layout, tensor, `has too many elements: at shape[${index}] they exceed ${limits.elements}`);
    }
  }
  let fits = shape.length === expected.length;
  for (let index = 0; fits && index < shape.length; index++) {
    fits = expected[index]! < 0 || expected[index] === shape[index];
  }
  if (!fits) {
    throw tensorError(layout, tensor, `has shape [${shape.join(',')}]; expected [${expected.join(',')}]`);
  }
  return empty ? 0 : product;
}

function sizeMismatch(layout: RequestLayout, tensor: CompiledTensor, expected: number, got: number): SluiceError {
  return invalidArgument(
    `input byte size mismatch for ${tensorName(layout, tensor)}. Expected ${expected}, got ${got}`,
  );
}

function checkRaw(layout: RequestLayout, tensor: CompiledTensor, raw: Buffer, elements: number): number {
  if (tensor.elementBytes === 0) {
    checkBytesTensor(raw, elements, tensorName(layout, tensor));
    return raw.length;
  }
  const expected = elements * tensor.elementBytes;
  if (raw.length !== expected) throw sizeMismatch(layout, tensor, expected, raw.length);
  if (tensor.spec.datatype === 'BOOL') {
    for (let index = 0; index < raw.length; index++) {
      const byte = raw[index]!;
      if (byte > 1) throw tensorError(layout, tensor, `has the byte ${byte} as element ${index}; BOOL is 0 or 1`);
    }
  }
  return expected;
}

function checkContents(
  layout: RequestLayout,
  tensor: CompiledTensor,
  contents: ContentsPlace | undefined,
  elements: number,
): number {
  const measured = contents
    ? measureContents(contents, tensor.spec.datatype, tensorName(layout, tensor))
    : { elements: 0, bytes: 0 };
  if (measured.elements === elements) return measured.bytes;
  if (tensor.elementBytes === 0) {
    throw invalidArgument(`${tensorName(layout, tensor)}: expected ${elements} elements, got ${measured.elements}`);
  }
  throw sizeMismatch(layout, tensor, elements * tensor.elementBytes, measured.bytes);
}

function commonRows(inputs: readonly InferInput[], signature: CompiledSignature, layout: RequestLayout): number {
  const first = inputs[0];
  if (!signature.batched || !first) return 1;
  for (const input of inputs) {
    if (input.rows === first.rows) continue;
    throw invalidArgument(
      `inputs of model '${clip(layout.modelName)}' differ in rows: '${first.spec.name}' has ${first.rows}, '${input.spec.name}' has ${input.rows}`,
    );
  }
  return first.rows;
}

function requestedOutputs(layout: RequestLayout, signature: CompiledSignature): readonly number[] {
  if (layout.outputs.length === 0) {
    let all = allOutputs.get(signature);
    if (!all) {
      all = signature.outputs.map((tensor) => tensor.index);
      allOutputs.set(signature, all);
    }
    return all;
  }
  const chosen: number[] = [];
  for (let index = 0; index < layout.outputs.length; index += 2) {
    const start = layout.outputs[index]!;
    const end = layout.outputs[index + 1]!;
    const tensor = findTensor(layout, signature.outputs, start, end, index / 2);
    const model = `model '${clip(layout.modelName)}'`;
    if (!tensor) {
      const name = clip(layout.reader.text(start, end, `outputs[${index / 2}].name`));
      throw invalidArgument(`unexpected output '${name}' requested of ${model}; ${describe(signature.outputs)}`);
    }
    if (chosen.includes(tensor.index)) {
      throw invalidArgument(`output '${tensor.spec.name}' of ${model} is requested more than once`);
    }
    if ((layout.classes?.[index / 2] ?? 0) > 0 && !isRanked(tensor.spec.datatype)) {
      throw invalidArgument(
        `output '${tensor.spec.name}' of ${model}: classification is not available for ${tensor.spec.datatype}`,
      );
    }
    chosen.push(tensor.index);
  }
  return chosen;
}

function requestedClasses(
  { classes }: RequestLayout,
  signature: CompiledSignature,
  outputs: readonly number[],
): readonly ClassWish[] | undefined {
  return (
    classes &&
    outputs.map((output, index) => ({
      count: classes[index] ?? 0,
      labels: signature.outputs[output]!.spec.classNames,
    }))
  );
}

/**
 * Writes an input's elements `from` to `to` (all by default) in raw little-endian form at `offset` of `dest`, whatever
 * form they were sent in, and returns the bytes written. For BYTES only the whole tensor can be copied.
 */
export function copyInput(input: InferInput, dest: Uint8Array, offset: number, from = 0, to = input.elements): number {
  const whole = from === 0 && to === input.elements;
  if (input.datatype === 'BYTES' && !whole) {
    throw new RangeError('BYTES elements have no fixed size; slice inputStrings() instead');
  }
  const size = input.elements === 0 ? 0 : input.byteLength / input.elements;
  const bytes = whole ? input.byteLength : (to - from) * size;
  if (offset < 0 || offset + bytes > dest.length) throw new RangeError('the input does not fit the destination');
  if (input.raw) copyRaw(whole ? input.raw : input.raw.subarray(from * size, to * size), bytes, dest, offset);
  else if (input.contents) copyContents(input.contents, input.datatype, { into: dest, pos: offset, from, to });
  return bytes;
}

function copyRaw(raw: Uint8Array, bytes: number, dest: Uint8Array, offset: number): void {
  // Views of memory that was given away have nothing: what lay in the batch before is not to pass for it.
  if (raw.length !== bytes)
    throw new RangeError(`the input has ${raw.length} bytes, not ${bytes}: its message is gone`);
  copyBytes(raw, dest, offset);
}

/** The elements of a BYTES input as strings; they were checked to be valid UTF-8 without NUL. */
export function inputStrings(input: InferInput): string[] {
  if (input.raw) return decodeStrings(input.raw);
  return input.contents ? contentStrings(input.contents) : [];
}
