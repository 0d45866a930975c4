import path from 'node:path';
import { runH2load, type LoadJob, type LoadResult } from '../h2load.ts';
import type { LoadOptions } from '../measure.ts';
import type { Subject } from '../subject.ts';
import type { Workload } from '../workloads.ts';

/** What may be open at once: far more than a server that keeps up with the rate ever has. */
const mostOpen = 4_096;

/** An open loop of one request, over and over, at a rate. */
export interface OpenLoad extends LoadResult {
  /** What the router counted as answered well meanwhile. */
  readonly answered: number;
}

/** Ends well where h2load is there: nothing else here can send at a rate and leave the others their cores. */
export const needsH2load = ({ h2load }: Pick<LoadOptions, 'h2load'>): Promise<void> =>
  h2load ? Promise.resolve() : Promise.reject(new Error('it needs h2load (apt install nghttp2-client)'));

/**
 * Sends requests at a rate, whatever the server does, by h2load: a loop in JavaScript would take half a core for some thousands a second.
 *
 * @returns when all are answered
 */
export async function openLoad(
  router: Subject,
  workload: Workload,
  job: { readonly perSecond: number; readonly seconds: number; readonly folder: string },
): Promise<OpenLoad> {
  const before = await router.counts(workload);
  const { address, path: method } = router;
  const load: LoadJob = {
    ...{ address, path: method, frameFile: workload.frameFile, inFlight: mostOpen, perSecond: job.perSecond },
    ...{ requests: Math.ceil(job.perSecond * job.seconds), logFile: path.join(job.folder, 'h2load.log') },
  };
  const result = await runH2load(load);
  const after = await router.counts(workload);
  return { ...result, answered: (after.inFront['router'] ?? 0) - (before.inFront['router'] ?? 0) };
}

/** A load that lasted this much longer than it was to was not open: the server held it up. */
const lateShare = 1.03;
/** A little of that is the time of the last answers and of the connections. */
const lateSeconds = 0.3;

/** Why a server did not take the rate; undefined when it did. */
export function refusalOf(load: OpenLoad, job: { readonly perSecond: number; readonly seconds: number }) {
  if (load.answered < load.requests)
    return `${load.requests - load.answered} of ${load.requests} were not answered well`;
  if (load.seconds > job.seconds * lateShare + lateSeconds)
    return `${load.requests} requests took ${load.seconds.toFixed(1)} s, not ${job.seconds.toFixed(1)}`;
  return undefined;
}
