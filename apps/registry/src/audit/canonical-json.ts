import canonicalize from 'canonicalize';
import { invalidArgument } from '@sluice/domain/errors';

/** What JSON can hold exactly: no undefined, bigint or Date. */
export type JsonValue =
  | string
  | number
  | boolean
  | null
  | readonly JsonValue[]
  | { readonly [name: string]: JsonValue };

/**
 * The one text of a JSON value (RFC 8785): sorted names, shortest numbers, no spaces. Errors: `invalid-argument` for
 * what has no such text: NaN, infinities, lone surrogates, cycles, and values that JSON would drop in silence.
 */
export function canonicalJson(value: unknown): string {
  assertJson(value, 'value', new Set());
  const text = canonicalize(value);
  if (text === undefined) throw invalidArgument('the value has no JSON form');
  return text;
}

/** Bytes of a canonical text, as they are hashed. */
export function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function assertJson(value: unknown, path: string, above: Set<object>): asserts value is JsonValue {
  if (value === null || typeof value === 'boolean') return;
  if (typeof value === 'string') {
    if (!value.isWellFormed())
      throw invalidArgument(`${path}: the text holds a lone surrogate, which has no UTF-8 form`);
    return;
  }
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw invalidArgument(`${path}: ${value} has no JSON form`);
    return;
  }
  if (typeof value !== 'object' || !isPlain(value))
    throw invalidArgument(`${path}: expected a JSON value, got ${describe(value)}`);
  if (above.has(value)) throw invalidArgument(`${path}: the value contains itself`);
  above.add(value);
  for (const [name, item] of Object.entries(value)) {
    if (!name.isWellFormed()) throw invalidArgument(`${path}: a name holds a lone surrogate`);
    assertJson(item, `${path}.${name}`, above);
  }
  above.delete(value);
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return Array.isArray(value) || prototype === Object.prototype || prototype === null;
}

function describe(value: unknown): string {
  return typeof value === 'object' ? (value?.constructor.name ?? 'null') : typeof value;
}
