import type { Slot } from './records.ts';

const dayMs = 86_400_000;
/** Slots of one day follow each other, as the ids of a router do: they are added at the end of an index. */
const everyMs = 10_000;
const spanMs = 8_000;

/** A time for the ids of one slice after the other, in days by turns, rising within each. */
export function slotOf(baseMs: number, days: number, index: number): Slot {
  return { fromMs: baseMs - (index % days) * dayMs + Math.floor(index / days) * everyMs, spanMs };
}

/** Columns of evidence as a list of SELECT, for rows that are the same at another time. @param byMs whole milliseconds */
export function copySelection(columns: readonly string[], byMs: number): string {
  const moved: Readonly<Record<string, string>> = {
    prediction_id: `(lpad(to_hex(floor(extract(epoch FROM uuid_extract_timestamp(prediction_id)) * 1000)::bigint + ${byMs}), 12, '0')
      || substr(replace(prediction_id::text, '-', ''), 13))::uuid`,
    received_at: `received_at + ${byMs} * interval '1 millisecond'`,
  };
  return columns.map((column) => (column in moved ? `${moved[column]} AS ${column}` : column)).join(', ');
}
