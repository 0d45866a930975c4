import { type Range, levelsOf } from './ranges.ts';

/** Which levels of load are measured, and when to stop. */
export interface Plan {
  readonly range: Range;
  /** Latency that must not be exceeded, in milliseconds; undefined: there is no such bound. */
  readonly thresholdMs: number | undefined;
  /** Looks for the highest level within the threshold by halves, instead of level by level. */
  readonly binary: boolean;
}

/** A measured level, as far as the search looks at it. */
export interface Judged {
  /** By the percentile or mean that was chosen, in milliseconds; undefined when nothing was answered. */
  readonly latencyMs: number | undefined;
  /** It was stopped: nothing after it is measured. */
  readonly interrupted: boolean;
}

/**
 * Measures level after level. Linear: up to the end of the range, or to the first level that exceeds the threshold (which
 * is still reported). Binary: start, end, then halves between the highest level that holds and the lowest that does not,
 * until they are a step apart.
 *
 * @returns what was measured, in the order in which it was
 */
export async function search<T extends Judged>(plan: Plan, measure: (level: number) => Promise<T>): Promise<T[]> {
  return plan.binary ? binarySearch(plan, measure) : linearSearch(plan, measure);
}

const holds = ({ latencyMs }: Judged, { thresholdMs }: Plan) =>
  thresholdMs === undefined || (latencyMs !== undefined && latencyMs <= thresholdMs);

async function linearSearch<T extends Judged>(plan: Plan, measure: (level: number) => Promise<T>): Promise<T[]> {
  const rows: T[] = [];
  for (const level of levelsOf(plan.range)) {
    const row = await measure(level);
    rows.push(row);
    if (row.interrupted || !holds(row, plan)) break;
  }
  return rows;
}

async function binarySearch<T extends Judged>(plan: Plan, measure: (level: number) => Promise<T>): Promise<T[]> {
  const levels = levelsOf(plan.range);
  const rows: T[] = [];
  const tried = async (index: number): Promise<boolean> => {
    const row = await measure(levels[index]!);
    rows.push(row);
    return holds(row, plan);
  };
  const stopped = () => rows.at(-1)?.interrupted === true;
  let [good, bad] = [0, levels.length - 1];
  if (!(await tried(good)) || stopped() || bad === good) return rows;
  if ((await tried(bad)) || stopped()) return rows;
  while (bad - good > 1 && !stopped()) {
    const middle = (good + bad) >> 1;
    if (await tried(middle)) good = middle;
    else bad = middle;
  }
  return rows;
}
