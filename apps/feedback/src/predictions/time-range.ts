import { invalidArgument } from '@sluice/domain/errors';
import { dayMs } from '../evidence/days.ts';

/** Predictions by the time of their ids, in milliseconds since the epoch: `fromMs` and later, before `toMs`. */
export interface TimeRange {
  readonly fromMs: number;
  readonly toMs: number;
}

/** What a caller said of a range; undefined where nothing. */
export interface AskedRange {
  readonly fromMs: number | undefined;
  readonly toMs: number | undefined;
}

/** Ids have times of 48 bits from the epoch on. */
const latestMs = 2 ** 48 - 1;

/**
 * The range that a caller asked for: up to now (and a day, for routers whose clocks are ahead) unless told, and of 24 hours.
 *
 * @param mostMs the longest range that is taken, as far as it is over
 * @param advice what to do about a longer one
 */
export function timeRange(asked: AskedRange, nowMs: number, mostMs = Infinity, advice = ''): TimeRange {
  const toMs = asked.toMs ?? Math.floor(nowMs) + dayMs;
  const fromMs = asked.fromMs ?? Math.min(nowMs, toMs) - dayMs;
  for (const [ms, field] of [
    [fromMs, 'from'],
    [toMs, 'to'],
  ] as const)
    if (ms < 0 || ms > latestMs) throw invalidArgument(`${field}: ${ms} ms given; expected a time from 1970 on`);
  const range = { fromMs: Math.floor(fromMs), toMs: Math.ceil(toMs) };
  if (range.fromMs >= range.toMs) throw invalidArgument('from: not before to; expected a range with something in it');
  const lengthMs = Math.min(range.toMs, nowMs) - range.fromMs;
  if (lengthMs > mostMs)
    throw invalidArgument(`from: ${showDays(lengthMs)} before to; expected ${showDays(mostMs)} at most${advice}`);
  return range;
}

const showDays = (ms: number): string => `${Number((ms / dayMs).toPrecision(4))} days`;

/** The least UUID with a time of version 7: what is at least as large is of that time or later. */
export function leastId(ms: number): string {
  const hex = ms.toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}-0000-0000-000000000000`;
}
