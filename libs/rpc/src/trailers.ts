import type { Metadata } from '@grpc/grpc-js';

/** Text entries by lower-case key, the first value of each. */
export function textEntries(metadata: Metadata | undefined | null): Record<string, string> {
  const entries: Record<string, string> = {};
  for (const [key, value] of Object.entries(metadata?.getMap() ?? {}))
    if (typeof value === 'string') entries[key] = value;
  return entries;
}
