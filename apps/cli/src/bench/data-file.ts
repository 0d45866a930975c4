import { encodeTensor } from '@sluice/inference/tensor-data';
import { datatypeBytes } from '@sluice/domain/datatype';
import { usageError } from '../exit-codes.ts';
import { toValue } from '../infer/tensors.ts';
import { elements, knownShape, type RowInput } from './input-shapes.ts';
import type { Row, RowTensor } from './synthetic-data.ts';

/**
 * Reads perf_analyzer's JSON: `{"data": [{"INPUT0": [1, 2], "INPUT1": {"content": [3], "shape": [1]}, "INPUT2": {"b64": "…"}}, …]}`. Each
 * entry is one row; lists of entries (one for each sequence) are taken one after the other.
 *
 * @throws CliError usage, naming the entry and input that are wrong
 */
export function readDataFile(text: string, inputs: readonly RowInput[], name: string): readonly Row[] {
  const document = parsed(text, name);
  if (!isObject(document) || !Array.isArray(document['data'])) throw usageError(`${name}: expected {"data": [...]}`);
  const extra = Object.keys(document).find((key) => key !== 'data');
  if (extra !== undefined) throw usageError(`${name}: "${extra}" is not known here; expected "data" alone`);
  const entries = (document['data'] as unknown[]).flat();
  if (entries.length === 0) throw usageError(`${name}: "data" is empty`);
  return entries.map((entry, index) => rowOf(entry, inputs, `${name}: data[${index}]`));
}

function parsed(text: string, name: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw usageError(`${name}: is not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function rowOf(entry: unknown, inputs: readonly RowInput[], where: string): Row {
  if (!isObject(entry)) throw usageError(`${where}: expected an object of inputs by name`);
  const unknown = Object.keys(entry).find((key) => !inputs.some(({ spec }) => spec.name === key));
  const names = inputs.map(({ spec }) => spec.name).join(', ');
  if (unknown !== undefined) throw usageError(`${where}: the model has no input "${unknown}"; it has ${names}`);
  return inputs.map((input) => {
    const value = entry[input.spec.name];
    if (value === undefined) throw usageError(`${where}: the input "${input.spec.name}" is missing`);
    return tensorOf(value, input, `${where}.${input.spec.name}`);
  });
}

function tensorOf(value: unknown, input: RowInput, where: string): RowTensor {
  if (!isObject(value)) return contentOf(Array.isArray(value) ? value : [value], knownShape(input), input, where);
  const shape = value['shape'] === undefined ? knownShape(input) : shapeOf(value['shape'], input, where);
  if (value['b64'] !== undefined) return bytesOf(value['b64'], shape, input, where);
  if (Array.isArray(value['content'])) return contentOf(value['content'], shape, input, where);
  throw usageError(`${where}: expected a list, {"content": [...]} or {"b64": "..."}`);
}

function shapeOf(value: unknown, { spec, shape: own }: RowInput, where: string): readonly number[] {
  const isShape = Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= 0);
  if (!isShape) throw usageError(`${where}.shape: expected a list of sizes`);
  const shape = value as readonly number[];
  if (own !== undefined && (own.length !== shape.length || own.some((size, axis) => size !== shape[axis])))
    throw usageError(`${where}.shape: [${shape.join(', ')}] is not [${own.join(', ')}], which ${spec.name} takes`);
  return shape;
}

function contentOf(
  content: readonly unknown[],
  shape: readonly number[],
  { spec }: RowInput,
  where: string,
): RowTensor {
  const cells = (content as unknown[]).flat(Infinity);
  if (cells.length !== elements(shape))
    throw usageError(`${where}: ${cells.length} values, but the shape [${shape.join(', ')}] takes ${elements(shape)}`);
  const values = cells.map((cell, index) => {
    const isCell = cell === null || ['string', 'number', 'boolean'].includes(typeof cell);
    if (!isCell) throw usageError(`${where}[${index}]: an object where a value was expected`);
    return toValue(spec.datatype, cell as string | number | boolean | null, true, `${where}[${index}]`);
  });
  return { shape, raw: encodeTensor(spec.datatype, values) };
}

/** Base64 of the tensor's bytes; of BYTES, one string. */
function bytesOf(value: unknown, shape: readonly number[], { spec }: RowInput, where: string): RowTensor {
  if (typeof value !== 'string' || !/^[A-Za-z0-9+/\s]*={0,2}\s*$/.test(value))
    throw usageError(`${where}.b64: expected base64`);
  const bytes = Buffer.from(value, 'base64');
  if (spec.datatype === 'BYTES') {
    if (elements(shape) !== 1)
      throw usageError(`${where}.b64: is one string, but the shape [${shape.join(', ')}] takes ${elements(shape)}`);
    const raw = Buffer.alloc(4 + bytes.length);
    raw.writeUInt32LE(bytes.length);
    bytes.copy(raw, 4);
    return { shape, raw };
  }
  const expected = elements(shape) * datatypeBytes[spec.datatype];
  if (bytes.length !== expected)
    throw usageError(
      `${where}.b64: ${bytes.length} bytes, but [${shape.join(', ')}] of ${spec.datatype} takes ${expected}`,
    );
  return { shape, raw: bytes };
}
