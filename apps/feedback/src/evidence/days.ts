import type { RetentionClass } from '@sluice/domain/release';

export const dayMs = 86_400_000;

/** How many days of each class are kept. */
export type Retention = Readonly<Record<RetentionClass, number>>;

/** Milliseconds since the epoch that a UUID of version 7 names; undefined for another version. */
export function idTime(predictionId: string): number | undefined {
  if (predictionId[14] !== '7') return undefined;
  return Number.parseInt(predictionId.slice(0, 8) + predictionId.slice(9, 13), 16);
}

/** The day (UTC) of a time, as `YYYY-MM-DD`. */
export const dayOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10);

/** Whether a record with an id of this time has a day in the table: one that is kept, today, or up to a day from now. */
export function isInTime(idMs: number | undefined, nowMs: number, days: number): boolean {
  return idMs !== undefined && idMs > nowMs - days * dayMs && idMs < nowMs + dayMs;
}

/** Days that are there before a record needs them: those up to which clocks may be ahead, and one more for an upkeep that is late. */
export function daysAhead(nowMs: number): string[] {
  return [0, 1, 2].map((days) => dayOf(nowMs + days * dayMs));
}
