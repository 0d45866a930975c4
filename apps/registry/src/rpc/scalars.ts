import { invalidArgument } from '@sluice/domain/errors';

/** A timestamp message of milliseconds since the epoch. */
export function timestamp(ms: number): { readonly seconds: number; readonly nanos: number } {
  const seconds = Math.floor(ms / 1000);
  return { seconds, nanos: Math.round((ms - seconds * 1000) * 1e6) };
}

export const timestampOrNull = (ms: number | undefined): ReturnType<typeof timestamp> | null =>
  ms === undefined ? null : timestamp(ms);

/** Milliseconds since the epoch of a timestamp message; times finer than a millisecond are cut. */
export function readTimestamp(
  value: { readonly seconds: string; readonly nanos: number } | null,
  field: string,
): number {
  if (value === null) throw invalidArgument(`${field}: missing; expected a time`);
  const ms = Number(value.seconds) * 1000 + Math.floor(value.nanos / 1e6);
  if (!Number.isSafeInteger(ms) || Math.abs(ms) > 8.64e15) {
    throw invalidArgument(`${field}: ${value.seconds} seconds is not a time; expected seconds since 1970`);
  }
  return ms;
}

/** A 64-bit integer of a request; what does not fit 2^53 is refused. */
export function readInteger(text: string, field: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 0) {
    throw invalidArgument(`${field}: ${text} given; expected a whole number from 0 to ${Number.MAX_SAFE_INTEGER}`);
  }
  return value;
}

export const readOptionalInteger = (text: string | undefined, field: string): number | undefined =>
  text === undefined ? undefined : readInteger(text, field);

/** A version number of a request: 1 or more. */
export function readVersion(text: string, field = 'version'): number {
  const value = readInteger(text, field);
  if (value === 0) throw invalidArgument(`${field}: 0 or missing; expected a version number from 1`);
  return value;
}
