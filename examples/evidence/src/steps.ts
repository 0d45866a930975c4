import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';

/** A line of what is done. */
export function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** Runs `work` over all items, at most `limit` at a time. @returns the results in the order of the items */
export async function concurrently<T, R>(
  items: readonly T[],
  limit: number,
  work: (item: T) => Promise<R>,
): Promise<R[]> {
  const results: R[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let index = next++; index < items.length; index = next++) results[index] = await work(items[index]!);
  };
  await Promise.all(Array.from({ length: limit }, worker));
  return results;
}

export interface Wait<T> {
  /** Something that is not there yet: why, as it is shown. Else the thing itself. */
  readonly look: () => Promise<{ readonly missing: string } | { readonly found: T }>;
  /** What to do when it does not come. */
  readonly hint: string;
  /** Longest wait, in milliseconds. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/**
 * Looks until it is there, and shows what is missing each time that this is something else: evidence arrives a little later.
 *
 * @throws Error with what is missing and the hint, when the time is up
 */
export async function waitFor<T>({ look, hint, timeoutMs, signal }: Wait<T>): Promise<T> {
  const until = performance.now() + timeoutMs;
  let shown = '';
  for (let pauseMs = 50; ; pauseMs = Math.min(2 * pauseMs, 500)) {
    const seen = await look();
    if ('found' in seen) return seen.found;
    if (performance.now() > until)
      throw new Error(`waited ${Math.round(timeoutMs / 1000)} s for ${seen.missing}. ${hint}`);
    if (seen.missing !== shown) say(`  … waiting for ${(shown = seen.missing)}`);
    await sleep(pauseMs, undefined, { signal });
  }
}
