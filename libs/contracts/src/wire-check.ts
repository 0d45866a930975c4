import { isUtf8 } from 'node:buffer';
import { schemaJson } from './gen/schema.ts';

// protobufjs cuts a string at the end of its buffer, reads bytes that are not UTF-8 as U+FFFD and does not look at the
// wire type of a field that it knows. A peer that sends such bytes is broken, so they are refused here, by name.

interface JsonField {
  readonly type: string;
  readonly id: number;
  readonly rule?: string;
  readonly keyType?: string;
}
interface JsonNode {
  readonly nested?: Readonly<Record<string, JsonNode>>;
  readonly fields?: Readonly<Record<string, JsonField>>;
  readonly values?: Readonly<Record<string, number>>;
  readonly methods?: Readonly<Record<string, { readonly requestType: string }>>;
}
interface FieldShape {
  readonly name: string;
  readonly wireType: number;
  /** Repeated numbers may come packed or one by one. */
  readonly packable: boolean;
  readonly isText: boolean;
  /** Of a message or a map entry; looked up late, since messages may hold themselves. */
  readonly shape: (() => Shape) | undefined;
}
type Shape = ReadonlyMap<number, FieldShape>;
type Problem = string | undefined;

const wireTypes: Readonly<Record<string, number>> = {
  ...{ int32: 0, int64: 0, uint32: 0, uint64: 0, sint32: 0, sint64: 0, bool: 0 },
  ...{ fixed64: 1, sfixed64: 1, double: 1 },
  ...{ string: 2, bytes: 2 },
  ...{ fixed32: 5, sfixed32: 5, float: 5 },
};
const maxDepth = 100;
/**
 * Fields of one request, in all its messages; each number of a packed list is one. Two octets can be an empty message, which takes
 * some hundred when it is decoded: what a service bounds after that, such as the length of a list, would be too late.
 */
const maxFields = 250_000;
let fields = 0;
const root = JSON.parse(schemaJson) as JsonNode;
const shapes = new Map<JsonNode, Shape>();
const byPath = new Map<string, Shape | undefined>();

/**
 * Looks through a request as bytes: every field complete and of its wire type, every text UTF-8, and no more of them than any request
 * has.
 *
 * @param path such as `/sluice.registry.v1.RegistryService/GetModel`; methods that are not ours are not looked into
 * @returns what is wrong, naming the field, or undefined
 */
export function requestProblem(path: string, bytes: Uint8Array): string | undefined {
  if (!byPath.has(path)) byPath.set(path, requestShape(path));
  const shape = byPath.get(path);
  fields = 0;
  return shape === undefined ? undefined : problemIn(shape, bytes, 0, bytes.length, '', 0);
}

function requestShape(path: string): Shape | undefined {
  const [, service = '', method = ''] = path.split('/');
  const scope = service.split('.');
  const requestType = find(scope)?.methods?.[method]?.requestType;
  if (requestType === undefined) return undefined;
  const found = resolve(scope, requestType);
  return found?.node.fields === undefined ? undefined : shapeOf(found.node, found.scope);
}

function find(names: readonly string[]): JsonNode | undefined {
  let node: JsonNode | undefined = root;
  for (const name of names) node = node?.nested?.[name];
  return node;
}

/** Protobuf's rule: the innermost scope that has the name. */
function resolve(scope: readonly string[], name: string): { node: JsonNode; scope: string[] } | undefined {
  const names = name.split('.').filter((part) => part !== '');
  for (let depth = scope.length; depth >= 0; depth--) {
    const full = [...scope.slice(0, depth), ...names];
    const node = find(full);
    if (node !== undefined) return { node, scope: full };
  }
  return undefined;
}

function shapeOf(node: JsonNode, scope: readonly string[]): Shape {
  const known = shapes.get(node);
  if (known !== undefined) return known;
  const shape = new Map<number, FieldShape>();
  shapes.set(node, shape);
  for (const [camel, field] of Object.entries(node.fields ?? {})) {
    const name = camel.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
    const value = fieldShape(name, field, scope);
    shape.set(field.id, field.keyType === undefined ? value : mapShape(name, field.keyType, value));
  }
  return shape;
}

function fieldShape(name: string, field: JsonField, scope: readonly string[]): FieldShape {
  const scalar = wireTypes[field.type];
  const found = scalar === undefined ? resolve(scope, field.type) : undefined;
  const isMessage = found?.node.fields !== undefined;
  return {
    name,
    wireType: scalar ?? (isMessage ? 2 : 0),
    packable: field.rule === 'repeated' && scalar !== 2 && !isMessage,
    isText: field.type === 'string',
    shape: found !== undefined && isMessage ? () => shapeOf(found.node, found.scope) : undefined,
  };
}

function mapShape(name: string, keyType: string, value: FieldShape): FieldShape {
  const key = { name: 'key', wireType: wireTypes[keyType] ?? 0, packable: false, isText: keyType === 'string' };
  const entry: Shape = new Map([
    [1, { ...key, shape: undefined }],
    [2, { ...value, name: 'value' }],
  ]);
  return { name, wireType: 2, packable: false, isText: false, shape: () => entry };
}

/** A varint's value (exact up to 2^53) in `value`, and where it ends; -1 when it is cut off or longer than 10 bytes. */
const varint = { value: 0 };
function readVarint(bytes: Uint8Array, from: number, end: number): number {
  let [value, scale] = [0, 1];
  for (let at = from; at < end && at < from + 10; at++) {
    const byte = bytes[at]!;
    value += (byte & 0x7f) * scale;
    if (byte < 0x80) {
      varint.value = value;
      return at + 1;
    }
    scale *= 128;
  }
  return -1;
}

function problemIn(shape: Shape, bytes: Uint8Array, from: number, end: number, path: string, depth: number): Problem {
  if (depth > maxDepth) return `${path} is nested deeper than ${maxDepth} messages`;
  let at = from;
  while (at < end) {
    const start = at;
    at = readVarint(bytes, at, end);
    if (at < 0) return `${where(path)}a field key is cut off or malformed at byte ${start}`;
    const [number, wireType] = [Math.floor(varint.value / 8), varint.value % 8];
    if (number === 0 || number > 0x1fff_ffff)
      return `${where(path)}byte ${start} starts a field with the number ${number}`;
    const field = shape.get(number);
    const name = field === undefined ? `${where(path)}field ${number}` : joined(path, field.name);
    if (field !== undefined && wireType !== field.wireType && !(field.packable && wireType === 2))
      return `${name} has wire type ${wireType}, expected ${field.wireType}`;
    const next = skip(bytes, at, end, wireType);
    if (next < 0)
      return wireType > 5 || wireType === 3 || wireType === 4
        ? `${name} has the unknown wire type ${wireType}`
        : `${name} is cut off: the message ends before it does`;
    fields += field?.packable === true && wireType === 2 ? elementsOf(field, bytes, next) : 1;
    if (fields > maxFields) return `${name}: the request has more than ${maxFields} fields; send less at once`;
    if (field !== undefined && wireType === 2) {
      const inner = problemInField(field, bytes, next - varint.value, next, name, depth);
      if (inner !== undefined) return inner;
    }
    at = next;
  }
  return undefined;
}

function problemInField(
  field: FieldShape,
  bytes: Uint8Array,
  from: number,
  end: number,
  name: string,
  depth: number,
): Problem {
  if (field.isText) return isUtf8(bytes.subarray(from, end)) ? undefined : `${name} is not valid UTF-8`;
  return field.shape === undefined ? undefined : problemIn(field.shape(), bytes, from, end, name, depth + 1);
}

/** Numbers of a packed list that ends at `end`; its length is that of the varint before. */
function elementsOf(field: FieldShape, bytes: Uint8Array, end: number): number {
  if (field.wireType !== 0) return Math.floor(varint.value / (field.wireType === 1 ? 8 : 4));
  let count = 0;
  for (let at = end - varint.value; at < end && count <= maxFields; at++) if (bytes[at]! < 0x80) count += 1;
  return count;
}

/** Where a field's value ends; -1 when it does not end in time or has a wire type that proto3 does not use. */
function skip(bytes: Uint8Array, from: number, end: number, wireType: number): number {
  let next = -1;
  if (wireType === 0) next = readVarint(bytes, from, end);
  else if (wireType === 1) next = from + 8;
  else if (wireType === 5) next = from + 4;
  else if (wireType === 2) {
    const start = readVarint(bytes, from, end);
    next = start < 0 ? -1 : start + varint.value;
  }
  return next > end ? -1 : next;
}

const joined = (path: string, name: string): string => (path === '' ? name : `${path}.${name}`);
const where = (path: string): string => (path === '' ? '' : `${path}: `);
