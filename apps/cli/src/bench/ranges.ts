import { InvalidArgumentError } from 'commander';

/** `start:end:step` of a level of load. */
export interface Range {
  readonly start: number;
  /** 0: until a level is slower than the latency threshold. */
  readonly end: number;
  readonly step: number;
}

/** Most levels of one run: each takes seconds, so more is a slip of the pen. */
const mostLevels = 1_000;
const highestLevel = 1_000_000;

/** Reads `8`, `1:16` or `1:16:5`. @param integers whether fractions are refused */
export function parseRange(text: string, integers: boolean): Range {
  const parts = text.split(':');
  const numbers = parts.map((part) => (/^\d+(\.\d+)?$/.test(part) ? Number(part) : Number.NaN));
  const [start = Number.NaN, end = start, step = 1] = numbers;
  const isNumber =
    numbers.length <= 3 && numbers.every((one) => Number.isFinite(one) && (!integers || Number.isSafeInteger(one)));
  if (!isNumber)
    throw new InvalidArgumentError(
      `Expected ${integers ? 'whole numbers' : 'numbers'} as START, START:END or START:END:STEP.`,
    );
  if (Math.max(start, end) > highestLevel) throw new InvalidArgumentError(`A level is at most ${highestLevel}.`);
  if (start <= 0 || step <= 0) throw new InvalidArgumentError('START and STEP must be above 0.');
  if (end !== 0 && end < start) throw new InvalidArgumentError('END must not be below START (0: no end).');
  if (end !== 0 && (end - start) / step >= mostLevels)
    throw new InvalidArgumentError(`That is more than ${mostLevels} levels.`);
  return { start, end, step };
}

/** The levels of a range, lowest first; of one without an end the first thousand. */
export function levelsOf({ start, end, step }: Range): number[] {
  const count = end === 0 ? mostLevels : Math.floor((end - start) / step + 1e-9) + 1;
  return Array.from({ length: count }, (_, index) => Number((start + index * step).toPrecision(12)));
}
