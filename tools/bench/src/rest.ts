import { rmSync } from 'node:fs';
import path from 'node:path';
import { pause, startPlatform } from './platform.ts';
import { mappingsOf, residentBytes } from './proc.ts';

/** What one process of a platform occupies when nobody asks it anything. */
export interface RestSeries {
  /** Its name; of Postgres's processes the largest counts. */
  readonly process: string;
  /** After the first start, which makes the database and pushes the examples, or after a later one. */
  readonly start: 'first' | 'later';
  /** Resident memory in millions of bytes, by run. */
  readonly megabytes: number[];
  /** The same of the last run by what is mapped, largest first. */
  mappings: readonly (readonly [what: string, megabytes: number])[];
}

export interface RestOptions {
  readonly root: string;
  readonly folder: string;
  readonly portOffset: number;
  readonly threads: number;
  /** Later starts; there is one first start before them. */
  readonly rounds: number;
  /** How long a platform gets to become quiet. */
  readonly restMs: number;
}

/** Measures what `npm start` occupies, as a user gets it: two runtimes, the examples loaded. */
export async function measureRest(options: RestOptions, say: (line: string) => void): Promise<RestSeries[]> {
  const home = path.join(options.folder, 'rest');
  rmSync(home, { recursive: true, force: true });
  const found = new Map<string, RestSeries>();
  for (let round = 0; round <= options.rounds; round++) {
    const start = round === 0 ? 'first' : 'later';
    say(`memory at rest: npm start ${round === 0 ? 'for the first time' : `again, ${round} of ${options.rounds}`}`);
    const { root, portOffset, threads } = options;
    const platform = await startPlatform({ root, home, portOffset, runtimes: 2, threads });
    try {
      await pause(options.restMs);
      for (const [process, pids] of Object.entries(platform.pids)) {
        const series = found.get(`${process} ${start}`) ?? { process, start, megabytes: [], mappings: [] };
        found.set(`${process} ${start}`, series);
        const living = pids.flatMap((pid) => occupied(pid) ?? []);
        const largest = living.toSorted((a, b) => b.bytes - a.bytes)[0];
        if (!largest) throw new Error(`${process} has ended`);
        series.megabytes.push(largest.bytes / 1e6);
        series.mappings = largest.mappings.map(([what, bytes]) => [what, bytes / 1e6]);
      }
    } finally {
      await platform.stop();
    }
  }
  return [...found.values()];
}

/** Undefined when the process has ended: Postgres has some that come and go. */
function occupied(pid: number): { bytes: number; mappings: ReturnType<typeof mappingsOf> } | undefined {
  try {
    return { bytes: residentBytes(pid), mappings: mappingsOf(pid) };
  } catch {
    return undefined;
  }
}
