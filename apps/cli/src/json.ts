/** A JSON value. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/**
 * A message as JSON: times as ISO text, bytes as lower-case hex, 64-bit integers as text (as the loader gives them),
 * without the properties that name a oneof's member. A message that is not set is null.
 */
export function toJson(value: unknown): Json {
  if (value === null || value === undefined) return null;
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value);
  if (typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'bigint') return value.toString();
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  if (Array.isArray(value)) return value.map(toJson);
  if (ArrayBuffer.isView(value)) return Array.from(value as unknown as ArrayLike<number>, toJson);
  if (isTimestamp(value)) return toIso(value);
  const entries = Object.entries(value).filter(([key]) => !key.startsWith('_'));
  return Object.fromEntries(entries.map(([key, item]) => [key, toJson(item)]));
}

/** google.protobuf.Timestamp as the loader gives it. */
export interface Timestamp {
  readonly seconds: string;
  readonly nanos: number;
}

const isTimestamp = (value: object): value is Timestamp =>
  'seconds' in value && 'nanos' in value && Object.keys(value).length === 2;

/** `2026-11-22T14:03:05.123Z`. */
export const toIso = (time: Timestamp): string =>
  new Date(Number(time.seconds) * 1000 + Math.floor(time.nanos / 1e6)).toISOString();
