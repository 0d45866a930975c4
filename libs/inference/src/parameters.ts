import { invalidArgument } from '@sluice/domain/errors';
import { clip } from '@sluice/domain/names';
import { limits } from './limits.ts';
import { wireType } from './wire-reader.ts';
import type { WireReader } from './wire-reader.ts';
import type { WireWriter } from './wire-writer.ts';
import { fieldSize, varintSize } from './wire-writer.ts';

/** The value of an InferParameter with the type that it was sent with; `none` when the oneof was not set. */
export type ParameterValue =
  | { readonly kind: 'bool'; readonly value: boolean }
  | { readonly kind: 'int64'; readonly value: bigint }
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'double'; readonly value: number }
  | { readonly kind: 'uint64'; readonly value: bigint }
  | { readonly kind: 'none' };

export type Parameters = ReadonlyMap<string, ParameterValue>;

export const noParameters: Parameters = new Map<string, ParameterValue>();

/** Request parameters that mean something to the server, with the types that they may have. */
const known: Readonly<Record<string, readonly ParameterValue['kind'][]>> = {
  sequence_id: ['int64', 'uint64', 'string'],
  sequence_start: ['bool'],
  sequence_end: ['bool'],
  priority: ['int64', 'uint64'],
  timeout: ['int64', 'uint64'],
  triton_enable_empty_final_response: ['bool'],
  binary_data_output: ['bool'],
};

/** Refuses request parameters that are reserved, unknown `triton_*` ones, and known ones of the wrong type. */
export function checkRequestParameter(key: string, value: ParameterValue): void {
  if (key.startsWith('sluice_')) {
    throw invalidArgument(`parameter "${clip(key)}": names that start with sluice_ are reserved; use another name`);
  }
  const kinds = Object.hasOwn(known, key) ? known[key] : undefined;
  if (!kinds) {
    if (key.startsWith('triton_')) throw invalidArgument(`parameter "${clip(key)}" is not one that this server knows`);
    return;
  }
  if (!kinds.includes(value.kind)) {
    throw invalidArgument(`parameter "${key}": expected ${kinds.join(' or ')}, got ${value.kind}`);
  }
  if ((key === 'priority' || key === 'timeout') && value.kind === 'int64' && value.value < 0n) {
    throw invalidArgument(`parameter "${key}": expected 0 or more, got ${value.value.toString()}`);
  }
}

/** Reads the value at the reader's field, which is an InferParameter; the last choice of the oneof wins. */
function readValue(reader: WireReader, field: string, merged: ParameterValue): ParameterValue {
  const outer = reader.enter(field);
  let value = merged;
  while (reader.next()) {
    switch (reader.field) {
      case 1:
        reader.expect(wireType.varint, `${field}.bool_param`);
        reader.varint(`${field}.bool_param`);
        value = { kind: 'bool', value: reader.lo !== 0 || reader.hi !== 0 };
        break;
      case 2:
        reader.expect(wireType.varint, `${field}.int64_param`);
        reader.varint(`${field}.int64_param`);
        value = { kind: 'int64', value: reader.bigint(true) };
        break;
      case 3:
        value = { kind: 'string', value: reader.string(`${field}.string_param`) };
        break;
      case 4:
        reader.expect(wireType.fixed64, `${field}.double_param`);
        value = { kind: 'double', value: reader.bytes.readDoubleLE(reader.take(8, `${field}.double_param`)) };
        break;
      case 5:
        reader.expect(wireType.varint, `${field}.uint64_param`);
        reader.varint(`${field}.uint64_param`);
        value = { kind: 'uint64', value: reader.bigint(false) };
        break;
      default:
        reader.skip();
    }
  }
  reader.leave(outer);
  return value;
}

const unset: ParameterValue = { kind: 'none' };

/**
 * Reads one entry of a `map<string, InferParameter>` at the reader's field into `into`; the last entry of a key wins.
 * @param field the map's name, for error texts
 */
export function readParameter(reader: WireReader, field: string, into: Map<string, ParameterValue>): void {
  const outer = reader.enter(field);
  let key = '';
  let value = unset;
  while (reader.next()) {
    if (reader.field === 1) key = reader.string(`${field}.key`);
    else if (reader.field === 2) value = readValue(reader, `${field}.value`, value);
    else reader.skip();
  }
  reader.leave(outer);
  if (into.size >= limits.parameters && !into.has(key)) {
    throw invalidArgument(`${field}: more than ${limits.parameters} entries`);
  }
  into.set(key, value);
}

/** Size of the InferParameter message. */
function valueSize(value: ParameterValue): number {
  switch (value.kind) {
    case 'none':
      return 0;
    case 'bool':
      return 2;
    case 'double':
      return 9;
    case 'string':
      return fieldSize(Buffer.byteLength(value.value));
    case 'int64':
    case 'uint64': {
      const bits = BigInt.asUintN(64, value.value);
      return 1 + (bits <= 0x1f_ffff_ffff_ffffn ? varintSize(Number(bits)) : Math.ceil(bits.toString(2).length / 7));
    }
  }
}

/** Size of one map entry without its own tag and length. */
function entrySize(key: string, value: ParameterValue): number {
  return fieldSize(Buffer.byteLength(key)) + fieldSize(valueSize(value));
}

/** Size of one `map<string, InferParameter>` entry as a field of a message. */
export function parameterSize(key: string, value: ParameterValue): number {
  return fieldSize(entrySize(key, value));
}

/** Writes one `map<string, InferParameter>` entry as field `field`. */
export function writeParameter(writer: WireWriter, field: number, key: string, value: ParameterValue): void {
  writer.open(field, entrySize(key, value));
  writer.string(1, key, Buffer.byteLength(key));
  writer.open(2, valueSize(value));
  switch (value.kind) {
    case 'none':
      return;
    case 'bool':
      writer.varint(1 << 3);
      writer.varint(value.value ? 1 : 0);
      return;
    case 'int64':
      writer.varint(2 << 3);
      writer.varint64(value.value);
      return;
    case 'string':
      writer.string(3, value.value, Buffer.byteLength(value.value));
      return;
    case 'double':
      writer.varint((4 << 3) | 1);
      writer.pos = writer.bytes.writeDoubleLE(value.value, writer.pos);
      return;
    case 'uint64':
      writer.varint(5 << 3);
      writer.varint64(value.value);
      return;
  }
}
