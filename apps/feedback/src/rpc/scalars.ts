import { invalidArgument } from '@sluice/domain/errors';

/** A timestamp message of milliseconds since the epoch. */
export function timestamp(ms: number): { readonly seconds: number; readonly nanos: number } {
  const seconds = Math.floor(ms / 1000);
  return { seconds, nanos: Math.round((ms - seconds * 1000) * 1e6) };
}

/** A 64-bit integer of a request; what does not fit 2^53 is refused. */
export function readInteger(text: string, field: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 0)
    throw invalidArgument(`${field}: ${text} given; expected a whole number from 0 to ${Number.MAX_SAFE_INTEGER}`);
  return value;
}

/** A timestamp message of whole microseconds since the epoch. */
export function timestampOfMicros(micros: number): { readonly seconds: number; readonly nanos: number } {
  const seconds = Math.floor(micros / 1e6);
  return { seconds, nanos: (micros - seconds * 1e6) * 1_000 };
}

/** A duration message of milliseconds from 0. */
export function duration(ms: number): { readonly seconds: number; readonly nanos: number } {
  return timestamp(ms);
}
