/** Microseconds since the epoch as the database reads times; null where nobody said. */
export function timeText(micros: number | undefined): string | null {
  if (micros === undefined) return null;
  const ms = Math.floor(micros / 1_000);
  const rest = String(micros - ms * 1_000).padStart(3, '0');
  return new Date(ms).toISOString().replace('Z', `${rest}Z`);
}
