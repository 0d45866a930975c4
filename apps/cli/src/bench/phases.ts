import type { OipRpc } from './target.ts';

const phaseNames = ['queue', 'computeInput', 'computeInfer', 'computeOutput'] as const;
export type PhaseName = (typeof phaseNames)[number];

interface Duration {
  readonly count: number;
  readonly ns: number;
}

/** What a server has counted of a model since it began. */
export type ServerCounts = Readonly<Record<PhaseName | 'success', Duration>>;

/** Where the time of a request went at the server: means in milliseconds. */
export type Phases = Readonly<Record<PhaseName, number>> & {
  /** Requests that the server counted, those of other callers too. */
  readonly requests: number;
};

/** Asks a server for its counts: of the version that was named, else of all versions together. */
export async function readCounts(
  rpc: OipRpc,
  model: string,
  version: string,
  signal: AbortSignal,
): Promise<ServerCounts> {
  const { modelStats } = await rpc.modelStatistics({ name: model, version }, { signal });
  const sum = (name: PhaseName | 'success'): Duration =>
    modelStats
      .map(({ inferenceStats }) => inferenceStats?.[name])
      .reduce((total, one) => ({ count: total.count + Number(one?.count ?? 0), ns: total.ns + Number(one?.ns ?? 0) }), {
        count: 0,
        ns: 0,
      });
  return {
    success: sum('success'),
    queue: sum('queue'),
    computeInput: sum('computeInput'),
    computeInfer: sum('computeInfer'),
    computeOutput: sum('computeOutput'),
  };
}

/** Means between two counts; undefined when nothing was counted, or the counts went back: the server was started again. */
export function phasesBetween(before: ServerCounts, after: ServerCounts): Phases | undefined {
  const requests = after.success.count - before.success.count;
  const durations = phaseNames.map((name) => {
    const [count, ns] = [after[name].count - before[name].count, after[name].ns - before[name].ns];
    return { name, count, ns };
  });
  if (requests <= 0 || durations.some(({ count, ns }) => count < 0 || ns < 0)) return undefined;
  const mean = (name: PhaseName): number => {
    const { count, ns } = durations.find((one) => one.name === name)!;
    return count === 0 ? 0 : ns / count / 1e6;
  };
  return {
    requests,
    queue: mean('queue'),
    computeInput: mean('computeInput'),
    computeInfer: mean('computeInfer'),
    computeOutput: mean('computeOutput'),
  };
}
