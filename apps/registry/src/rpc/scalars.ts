import { invalidArgument } from '@sluice/domain/errors';

/** A timestamp message of milliseconds since the epoch. */
export function timestamp(ms: number): { readonly seconds: number; readonly nanos: number } {
  const seconds = Math.floor(ms / 1000);
  return { seconds, nanos: Math.round((ms - seconds * 1000) * 1e6) };
}

export const timestampOrNull = (ms: number | undefined): ReturnType<typeof timestamp> | null =>
  ms === undefined ? null : timestamp(ms);

/** The times that protobuf's Timestamp may have; the database can hold all of them. */
const earliest = new Date(0).setUTCFullYear(1, 0, 1);
const latest = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

/** Milliseconds since the epoch of a timestamp message; times finer than a millisecond are cut. */
export function readTimestamp(
  value: { readonly seconds: string; readonly nanos: number } | null,
  field: string,
): number {
  if (value === null) throw invalidArgument(`${field}: missing; expected a time`);
  if (value.nanos < 0 || value.nanos > 999_999_999) {
    throw invalidArgument(`${field}: ${value.nanos} nanos given; expected 0 to 999999999`);
  }
  const ms = Number(value.seconds) * 1000 + Math.floor(value.nanos / 1e6);
  if (!(ms >= earliest && ms <= latest)) {
    throw invalidArgument(
      `${field}: ${value.seconds} seconds since 1970 given; expected a time from the year 1 to the year 9999`,
    );
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
