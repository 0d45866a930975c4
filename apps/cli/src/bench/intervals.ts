import { usageError } from '../exit-codes.ts';

const mostIntervals = 1_000_000;

/** Reads gaps between requests: whole microseconds, one a line. */
export function readIntervals(text: string, name: string): readonly number[] {
  const lines = text.split('\n').map((line) => line.trim());
  while (lines.at(-1) === '') lines.pop();
  const wrong = lines.findIndex((line) => !/^\d{1,12}$/.test(line));
  if (wrong >= 0)
    throw usageError(
      `${name} line ${wrong + 1}: "${lines[wrong]!.slice(0, 40)}" is not a whole number of microseconds`,
    );
  if (lines.length === 0 || lines.length > mostIntervals)
    throw usageError(`${name}: expected 1 to ${mostIntervals} lines, got ${lines.length}`);
  const gaps = lines.map(Number);
  if (gaps.every((gap) => gap === 0)) throw usageError(`${name}: all gaps are 0`);
  return gaps;
}
