import * as fc from 'fast-check';
import type { SchedulerOptions } from '../src/options.ts';
import type { QueuePolicy } from '../src/queue-policy.ts';

/** A request that comes. */
export interface Arrival {
  readonly rows: number;
  readonly bucket: number;
  readonly withinMs: number | undefined;
  /** Taken modulo the levels there are. */
  readonly priority: number;
  readonly timeoutMicroseconds: number;
}

export type Step =
  | { readonly do: 'wait'; readonly ms: number }
  | ({ readonly do: 'arrive'; readonly times: number } & Arrival)
  | { readonly do: 'cancel' | 'free' | 'complete' | 'fail' | 'miscount'; readonly which: number }
  /** The oldest batch ends well, then the next, and so on. */
  | { readonly do: 'spin'; readonly times: number }
  | { readonly do: 'endTurn' };

export interface Scenario {
  readonly options: Partial<SchedulerOptions> & { readonly maxBatchSize: number; readonly instances: number };
  readonly deferred: boolean;
  readonly steps: readonly Step[];
  readonly drainMs: number;
}

const pick = fc.nat({ max: 1000 });
const levels = fc.nat({ max: 11 });

const arrive: fc.Arbitrary<Step> = fc.record({
  do: fc.constant('arrive' as const),
  times: fc.constant(1),
  rows: fc.oneof({ weight: 6, arbitrary: fc.nat({ max: 4 }) }, { weight: 1, arbitrary: fc.nat({ max: 30 }) }),
  bucket: fc.nat({ max: 2 }),
  withinMs: fc.option(fc.constantFrom(0.5, 1, 2, 5, 20), { nil: undefined }),
  priority: levels,
  timeoutMicroseconds: fc.constantFrom(0, 0, 700, 2000, 5000),
});

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.constantFrom(0.25, 0.5, 1, 3, 10) }) },
  { weight: 8, arbitrary: arrive },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('cancel' as const), which: pick }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constantFrom('free' as const, 'complete' as const), which: pick }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('fail' as const, 'miscount' as const), which: pick }) },
  { weight: 2, arbitrary: fc.constant({ do: 'endTurn' as const }) },
);

const policy: fc.Arbitrary<QueuePolicy> = fc.record({
  timeoutAction: fc.constantFrom('REJECT' as const, 'DELAY' as const),
  defaultTimeoutMicroseconds: fc.constantFrom(0, 0, 1500, 8000),
  allowTimeoutOverride: fc.boolean(),
  maxQueueSize: fc.constantFrom(0, 1, 3, 10),
});

/** Options of priorities: none, or some levels of which some have policies of their own. */
const priorities: fc.Arbitrary<Partial<SchedulerOptions>> = fc.constantFrom(0, 0, 1, 2, 3).chain((priorityLevels) =>
  priorityLevels === 0
    ? fc.constant({})
    : fc.record({
        priorityLevels: fc.constant(priorityLevels),
        defaultPriorityLevel: fc.integer({ min: 1, max: priorityLevels }),
        priorityQueuePolicy: fc.dictionary(
          fc.integer({ min: 1, max: priorityLevels }).map((level) => `${level}`),
          policy,
        ),
      }),
);

/** Sizes of batches: any, or only some; and of these some that are preferred. */
function sizes(maxBatchSize: number): fc.Arbitrary<Partial<SchedulerOptions>> {
  if (maxBatchSize === 0) return fc.constant({});
  const size = fc.integer({ min: 1, max: maxBatchSize });
  const someAllowed = fc
    .uniqueArray(size, { maxLength: 3 })
    .map((some) => [...new Set([...some, maxBatchSize])].toSorted((a, b) => a - b));
  return fc.oneof(fc.constant<number[]>([]), someAllowed).chain((allowedBatchSizes) =>
    fc.record({
      allowedBatchSizes: fc.constant(allowedBatchSizes),
      preferredBatchSize: fc.array(allowedBatchSizes.length > 0 ? fc.constantFrom(...allowedBatchSizes) : size, {
        maxLength: 2,
      }),
    }),
  );
}

/** Anything that may happen. */
export const scenarios: fc.Arbitrary<Scenario> = fc.nat({ max: 10 }).chain((maxBatchSize) =>
  fc.record({
    options: fc
      .tuple(
        fc.record({
          instances: fc.integer({ min: 1, max: 3 }),
          ahead: fc.constantFrom(0, 0, 1, 2),
          maxQueueDelayMicroseconds: fc.constantFrom(0, 0, 500, 2000, 7000),
          preserveOrdering: fc.boolean(),
        }),
        sizes(maxBatchSize),
        policy,
        priorities,
      )
      .map(([base, ...more]) => Object.assign({ maxBatchSize, ...base }, ...more) as Scenario['options']),
    deferred: fc.boolean(),
    steps: fc.array(step, { maxLength: 80, size: 'max' }),
    drainMs: fc.constantFrom(0, 3, 1000),
  }),
);

const flood: fc.Arbitrary<Step> = fc.tuple(arrive, fc.integer({ min: 1, max: 20 })).map(([one, times]) => ({
  ...(one as Arrival),
  do: 'arrive' as const,
  times,
  rows: Math.min((one as Arrival).rows, 3),
}));

/** Long queues of several levels and small batches, so that low levels have to wait for long. */
export const floods: fc.Arbitrary<Scenario> = fc.record({
  options: fc.record({
    maxBatchSize: fc.nat({ max: 3 }),
    instances: fc.integer({ min: 1, max: 2 }),
    priorityLevels: fc.integer({ min: 2, max: 4 }),
    defaultPriorityLevel: fc.constant(1),
    timeoutAction: fc.constantFrom('REJECT' as const, 'DELAY' as const),
    allowTimeoutOverride: fc.boolean(),
  }),
  deferred: fc.boolean(),
  steps: fc.array(
    fc.oneof(
      { weight: 4, arbitrary: flood },
      {
        weight: 4,
        arbitrary: fc.record({ do: fc.constant('spin' as const), times: fc.integer({ min: 1, max: 20 }) }),
      },
      { weight: 2, arbitrary: step },
    ),
    { maxLength: 20, size: 'max' },
  ),
  drainMs: fc.constant(1000),
});
