/** What a window says of load and speed. */
export interface Measured {
  readonly inferencesPerSecond: number;
  /** The latency that stability is judged by, in milliseconds. */
  readonly latencyMs: number;
}

/** How many windows in a row must agree. */
export const stableWindows = 3;

/**
 * Whether the last three windows agree: the greatest throughput is at most `percent` above the least, and so is the
 * latency. Windows without an answer never agree.
 */
export function isStable(windows: readonly Measured[], percent: number): boolean {
  const last = windows.slice(-stableWindows);
  if (last.length < stableWindows) return false;
  const agree = (values: readonly number[]) => {
    const [least, greatest] = [Math.min(...values), Math.max(...values)];
    return least > 0 && greatest <= least * (1 + percent / 100) * (1 + 1e-12);
  };
  return agree(last.map((one) => one.inferencesPerSecond)) && agree(last.map((one) => one.latencyMs));
}

/** Whether the last three windows are all slower than a threshold: more of them would change nothing. */
export function isTooSlow(windows: readonly Measured[], thresholdMs: number | undefined): boolean {
  if (thresholdMs === undefined || windows.length < stableWindows) return false;
  return windows.slice(-stableWindows).every((one) => one.latencyMs > thresholdMs);
}
