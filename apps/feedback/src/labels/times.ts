/** Microseconds since the epoch as the database reads times; null where nobody said. */
export function timeText(micros: number | undefined): string | null {
  if (micros === undefined) return null;
  const ms = Math.floor(micros / 1_000);
  const rest = String(micros - ms * 1_000).padStart(3, '0');
  return new Date(ms).toISOString().replace('Z', `${rest}Z`);
}

/** Milliseconds since the epoch of a time as the database writes it, such as `2026-01-02 03:04:05.678901+00`; NaN for another text. */
export const textMs = (text: string): number => Date.parse(text.replace(' ', 'T').replace(/([+-]\d\d)$/, '$1:00'));
