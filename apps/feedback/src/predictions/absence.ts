import { SluiceError } from '@sluice/domain/errors';
import { dayMs, dayOf, idTime, isInTime } from '../evidence/days.ts';
import type { Retention } from '../evidence/days.ts';

/** What it can mean that there is nothing of an id. */
export type Absence = 'not-captured' | 'expired' | 'not-here-yet' | 'never-seen' | 'not-uuidv7';

/** There is nothing of a prediction. */
export class PredictionAbsent extends SluiceError {
  readonly reasons: readonly Absence[];
  /** The day (UTC) of the id, as `YYYY-MM-DD`; empty where it has none. */
  readonly day: string;

  constructor(message: string, reasons: readonly Absence[], day: string) {
    super('not-found', message);
    this.reasons = reasons;
    this.day = day;
  }
}

/** A record leaves its router's spool in seconds; one of a router that is cut off may take longer. */
const onTheWayMs = 10 * 60_000;

export interface AbsenceFacts {
  readonly predictionId: string;
  readonly nowMs: number;
  readonly retention: Retention;
  /** Which model the caller thinks it is of, and the share of its predictions that is kept now; undefined where it is not known. */
  readonly model: { readonly name: string; readonly captureRate: number } | undefined;
}

/** What it can mean that there is nothing of an id, as far as the id alone says. */
export function predictionAbsent(facts: AbsenceFacts): PredictionAbsent {
  const { predictionId, nowMs, retention } = facts;
  const head = `there is no record of prediction ${predictionId}`;
  const idMs = idTime(predictionId);
  if (idMs === undefined) {
    const text = `${head}: it is no UUID of version 7, which all ids of routers are`;
    return new PredictionAbsent(text, ['not-uuidv7', 'never-seen'], '');
  }
  const day = dayOf(Math.min(idMs, latestMs));
  const longest = Math.max(...Object.values(retention));
  if (idMs >= nowMs + dayMs)
    return new PredictionAbsent(`${head}: its time, ${day}, is yet to come`, ['never-seen'], day);
  if (!isInTime(idMs, nowMs, longest)) {
    const text = `${head}: it is of ${day}, and evidence is kept for ${longest} days at most`;
    return new PredictionAbsent(text, ['expired', 'never-seen'], day);
  }
  return stillPossible(facts, idMs, head, day);
}

/** Of an id of a day that some class still has. */
function stillPossible({ nowMs, retention, model }: AbsenceFacts, idMs: number, head: string, day: string) {
  const reasons: Absence[] = ['not-captured'];
  const rate = model ? ` (${model.name} keeps ${showRate(model.captureRate)} of its predictions now)` : '';
  const said = [`it was not among those that its model keeps${rate}`];
  const gone = Object.entries(retention).filter(([, days]) => !isInTime(idMs, nowMs, days));
  if (gone.length > 0) {
    reasons.push('expired');
    said.push(`it expired: class ${gone.map(([name, days]) => `${name} is kept for ${days} days`).join(', class ')}`);
  }
  if (idMs > nowMs - onTheWayMs) {
    reasons.push('not-here-yet');
    said.push('its record is on the way from a router: ask again in a moment');
  }
  reasons.push('never-seen');
  said.push('no router gave this id');
  return new PredictionAbsent(`${head}, of ${day}. Possible: ${said.join('; or ')}`, reasons, day);
}

/** The last time that dates are written of with four digits. */
const latestMs = Date.UTC(9999, 11, 31);

const showRate = (rate: number): string => `${Number((rate * 100).toPrecision(4))} %`;
