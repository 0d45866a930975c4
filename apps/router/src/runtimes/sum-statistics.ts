import type { VersionCounts } from './statistics.ts';

type Stats = NonNullable<VersionCounts['inferenceStats']>;
type Duration = Stats['success'];
type BatchStats = VersionCounts['batchStats'][number];
type ResponseStats = VersionCounts['responseStats'][string];

const phases = [
  'success',
  'fail',
  'queue',
  'computeInput',
  'computeInfer',
  'computeOutput',
  'cacheHit',
  'cacheMiss',
] as const satisfies readonly (keyof Stats)[];
const batchPhases = ['computeInput', 'computeInfer', 'computeOutput'] as const satisfies readonly (keyof BatchStats)[];
const responsePhases = [
  'computeInfer',
  'computeOutput',
  'success',
  'fail',
  'emptyResponse',
  'cancel',
] as const satisfies readonly (keyof ResponseStats)[];

const add = (texts: readonly string[]): string => texts.reduce((sum, text) => sum + BigInt(text), 0n).toString();

function durations(all: readonly (Duration | undefined)[]): NonNullable<Duration> {
  const known = all.filter((each) => each !== null && each !== undefined);
  return { count: add(known.map(({ count }) => count)), ns: add(known.map(({ ns }) => ns)) };
}

/** Each of the named durations, summed over all. */
function each<Name extends string>(
  names: readonly Name[],
  all: readonly (Readonly<Record<Name, Duration>> | null)[],
): Record<Name, NonNullable<Duration>> {
  const sums = names.map((name) => [name, durations(all.map((one) => one?.[name]))] as const);
  return Object.fromEntries(sums) as Record<Name, NonNullable<Duration>>;
}

/** The sum of what several runtimes, or one in several lives, say of a version. Of nothing it is zeros. */
export function sumOf(
  { name, version }: { readonly name: string; readonly version: string },
  all: readonly VersionCounts[],
): VersionCounts {
  const sizes = new Map<string, BatchStats[]>();
  for (const batch of all.flatMap(({ batchStats }) => batchStats)) {
    const ofSize = sizes.get(batch.batchSize);
    if (ofSize) ofSize.push(batch);
    else sizes.set(batch.batchSize, [batch]);
  }
  const responses = new Set(all.flatMap(({ responseStats }) => Object.keys(responseStats)));
  return {
    name,
    version,
    lastInference: String(all.reduce((last, { lastInference }) => Math.max(last, Number(lastInference)), 0)),
    inferenceCount: add(all.map(({ inferenceCount }) => inferenceCount)),
    executionCount: add(all.map(({ executionCount }) => executionCount)),
    inferenceStats: each(
      phases,
      all.map(({ inferenceStats }) => inferenceStats),
    ),
    batchStats: [...sizes]
      .sort(([one], [other]) => Number(one) - Number(other))
      .map(([batchSize, batches]) => ({ batchSize, ...each(batchPhases, batches) })),
    memoryUsage: [],
    responseStats: Object.fromEntries(
      [...responses].map((key) => [
        key,
        each(
          responsePhases,
          all.map(({ responseStats }) => responseStats[key] ?? null),
        ),
      ]),
    ),
  };
}

/** Whether counts are of a later life than others: one of those that only grow is smaller. */
export function haveStartedAnew(before: VersionCounts, now: VersionCounts): boolean {
  const counts = ({ executionCount, inferenceCount, inferenceStats }: VersionCounts): readonly bigint[] =>
    [executionCount, inferenceCount, inferenceStats?.success?.count ?? '0', inferenceStats?.fail?.count ?? '0'].map(
      BigInt,
    );
  const earlier = counts(before);
  return counts(now).some((count, index) => count < earlier[index]!);
}
