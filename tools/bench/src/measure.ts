import path from 'node:path';
import { Checker, type CheckReport } from './checker.ts';
import { runProgram } from './child-json.ts';
import { runH2load, type LoadJob, type LoadResult } from './h2load.ts';
import { cpuByThread, statOf } from './proc.ts';
import type { ServerCounts, Subject } from './subject.ts';
import type { Workload } from './workloads.ts';

/** A generator that used more of its core than this measured itself. */
export const generatorLimit = 0.8;

/** One run of one row. */
export interface Measure {
  /**
   * What the server answered while the load lasted, the checker's requests too: they are work like the others, and on a
   * slow model a good part of it.
   */
  readonly requestsPerSecond: number;
  /** How long the load lasted. */
  readonly seconds: number;
  /** Requests of the load and of the checker. */
  readonly sent: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Microseconds of CPU per request, by process. */
  readonly cpuUs: Readonly<Record<string, number>>;
  /** The same by `process: thread`; a profile that costs nothing. */
  readonly threadCpuUs: Readonly<Record<string, number>>;
  /** Rows per batch; undefined where nothing is batched. */
  readonly averageBatch: number | undefined;
  /** Of one core. */
  readonly generatorShare: number;
  /** Requests per second that the generator could make if it had a core and the server took no time. */
  readonly generatorCeiling: number;
  /** Why its rate and its times are worth nothing, though its CPU is; empty is good. */
  readonly generatorProblems: readonly string[];
  /** Why nothing of it is worth anything; empty is good. */
  readonly checkProblems: readonly string[];
}

export interface LoadOptions {
  readonly h2load: boolean;
  readonly folder: string;
  readonly seconds: number;
}

/** A run goes at least so many times through what is in flight, or filling and emptying the server would be most of it. */
export const turnsAtLeast = 4;

/** Finds how many requests take about the wanted time, and warms everything up meanwhile. */
export async function calibrate(
  subject: Subject,
  workload: Workload,
  inFlight: number,
  options: LoadOptions,
): Promise<number> {
  let requests = Math.max(20, inFlight);
  for (let attempt = 0; attempt < 6; attempt++) {
    const { seconds } = await load(jobOf(subject, workload, inFlight, requests, options), options);
    const wanted = Math.ceil((requests / Math.max(seconds, 1e-3)) * options.seconds);
    if (seconds >= options.seconds / 2) return Math.max(turnsAtLeast * inFlight, wanted);
    requests = Math.max(inFlight, Math.min(wanted, requests * 16));
  }
  return Math.max(turnsAtLeast * inFlight, requests);
}

/** One run: the load, the checker beside it, and what all processes spent on both. */
export async function measure(
  subject: Subject,
  workload: Workload,
  inFlight: number,
  requests: number,
  options: LoadOptions,
): Promise<Measure> {
  const before = await subject.counts(workload);
  const checker = new Checker(subject, workload.checks);
  const cpuBefore = cpuOf(subject);
  checker.start();
  const result = await load(jobOf(subject, workload, inFlight, requests, options), options);
  const answeredChecks = checker.answered;
  const checked = await checker.stop();
  const cpuAfter = cpuOf(subject);
  const sent = result.requests + checked.sent;
  const after = await countsAfter(subject, workload, before, sent);
  const perRequest = (
    later: ReadonlyMap<string, number>,
    earlier: ReadonlyMap<string, number>,
  ): Record<string, number> =>
    Object.fromEntries([...later].map(([name, cpu]) => [name, ((cpu - (earlier.get(name) ?? 0)) * 1e6) / sent]));
  const batches = (after.batches ?? 0) - (before.batches ?? 0);
  return {
    requestsPerSecond: rateOf(result, answeredChecks),
    seconds: result.seconds,
    sent,
    p50Ms: result.p50Ms,
    p99Ms: result.p99Ms,
    cpuUs: perRequest(cpuAfter.processes, cpuBefore.processes),
    threadCpuUs: perRequest(cpuAfter.threads, cpuBefore.threads),
    averageBatch: batches > 0 ? ((after.rows ?? 0) - (before.rows ?? 0)) / batches : undefined,
    generatorShare: result.generatorCpuSeconds / result.seconds,
    generatorCeiling: result.requests / Math.max(result.generatorCpuSeconds, 0.005),
    generatorProblems: generatorProblems(result, options),
    checkProblems: [
      ...checkProblems(result, checked, {
        server: after.successes - before.successes,
        ...Object.fromEntries(
          Object.entries(after.inFront).map(([name, count]) => [name, count - (before.inFront[name] ?? 0)]),
        ),
      }),
      ...tlsProblems(result, subject),
    ],
  };
}

/** Requests/s that a server answered. @param answeredChecks the checker's, by the end of the load */
export function rateOf(load: Pick<LoadResult, 'requests' | 'seconds'>, answeredChecks: number): number {
  return (load.requests + answeredChecks) / load.seconds;
}

/** What makes the rate and the times of a run invalid. */
export function generatorProblems(load: LoadResult, options: Pick<LoadOptions, 'h2load'>): string[] {
  if (!options.h2load) return ['h2load is missing: only the CPU counts'];
  const share = load.generatorCpuSeconds / load.seconds;
  return share > generatorLimit ? [`the generator used ${(share * 100).toFixed(0)} % of its core`] : [];
}

/** What makes all of a run invalid. @param counted successes by who counted them */
export function checkProblems(
  load: LoadResult,
  checked: CheckReport,
  counted: Readonly<Record<string, number>>,
): string[] {
  const sent = load.requests + checked.sent;
  const found: string[] = [];
  if (load.failed > 0) found.push(`${load.failed} of ${load.requests} requests failed`);
  if (checked.sent === 0) found.push('nothing was checked');
  found.push(...checked.problems.map((problem) => `a check failed: ${problem}`));
  for (const [who, count] of Object.entries(counted))
    if (count !== sent) found.push(`the ${who} counted ${count} successes, ${sent} were sent`);
  return found;
}

/** A run of which TLS is reported must have had the version that the row names. */
export function tlsProblems({ tls }: Pick<LoadResult, 'tls'>, { caFile }: Pick<Subject, 'caFile'>): string[] {
  const wanted = caFile === undefined ? undefined : 'TLSv1.3';
  return tls === wanted ? [] : [`the load came by ${tls ?? 'no TLS'}, expected ${wanted ?? 'no TLS'}`];
}

async function load(job: LoadJob, options: LoadOptions): Promise<LoadResult> {
  return options.h2load ? runH2load(job) : ((await runProgram('own-generator.ts', job)) as LoadResult);
}

function jobOf(
  subject: Subject,
  workload: Workload,
  inFlight: number,
  requests: number,
  options: LoadOptions,
): LoadJob {
  return {
    address: subject.address,
    caFile: subject.caFile,
    path: subject.path,
    frameFile: workload.frameFile,
    inFlight,
    requests,
    logFile: path.join(options.folder, 'h2load.log'),
  };
}

function cpuOf(subject: Subject): { processes: Map<string, number>; threads: Map<string, number> } {
  const processes = new Map<string, number>();
  const threads = new Map<string, number>();
  for (const [name, pids] of Object.entries(subject.pids)) {
    processes.set(
      name,
      pids.map(cpuSecondsOf).reduce((sum, cpu) => sum + cpu, 0),
    );
    if (!subject.busy.includes(name)) continue;
    for (const pid of pids) for (const [thread, cpu] of cpuByThread(pid)) threads.set(`${name}: ${thread}`, cpu);
  }
  return { processes, threads };
}

/** What each process had used when it was seen last. */
const lastSeen = new Map<number, number>();

/** Postgres ends processes of its own as it likes: what they have used stays used. */
function cpuSecondsOf(pid: number): number {
  try {
    lastSeen.set(pid, statOf(pid).cpuSeconds);
  } catch {
    // It has ended.
  }
  return lastSeen.get(pid) ?? 0;
}

/** The server counts an answer about when it sends it: it may be read too early, so it is read again for a second. */
async function countsAfter(
  subject: Subject,
  workload: Workload,
  before: ServerCounts,
  sent: number,
): Promise<ServerCounts> {
  for (let attempt = 0; ; attempt++) {
    const counts = await subject.counts(workload);
    const all = Object.entries(counts.inFront).map(([name, count]) => count - (before.inFront[name] ?? 0));
    if ([counts.successes - before.successes, ...all].every((count) => count >= sent) || attempt === 20) return counts;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
