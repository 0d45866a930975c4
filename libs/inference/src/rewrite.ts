import { parameterSize, writeParameter } from './parameters.ts';
import type { ParameterValue } from './parameters.ts';
import { fieldSize, WireWriter } from './wire-writer.ts';

/**
 * Bytes that give a ModelInferRequest another model name or version when they follow it: of a scalar field that comes
 * twice, the last counts. Make them once per route, not per request.
 */
export function modelOverride(target: { readonly modelName?: string; readonly modelVersion?: string }): Buffer {
  const fields: [number, string, number][] = [];
  if (target.modelName !== undefined) fields.push([1, target.modelName, Buffer.byteLength(target.modelName)]);
  if (target.modelVersion !== undefined) fields.push([2, target.modelVersion, Buffer.byteLength(target.modelVersion)]);
  const writer = new WireWriter(fields.reduce((sum, [, , length]) => sum + fieldSize(length), 0));
  for (const [field, text, length] of fields) writer.string(field, text, length);
  return writer.bytes;
}

/** Bytes that add one parameter to a ModelInferResponse when they follow it. */
export function responseParameter(key: string, value: ParameterValue): Buffer {
  const writer = new WireWriter(parameterSize(key, value));
  writeParameter(writer, 4, key, value);
  return writer.bytes;
}
