import type { Capture } from '../capture.ts';
import { calibrate, measure, type LoadOptions, type Measure } from '../measure.ts';
import { newSeries, type Scenario } from '../scenario.ts';
import { median } from '../statistics.ts';
import type { Subject } from '../subject.ts';
import type { Workload } from '../workloads.ts';
import { applyCapture, type DrainPorts } from './drained.ts';
import { syncMs } from './sync-time.ts';

export const durableName = 'evidence/durable/64';
const inFlight = 64;

const kinds = {
  bestEffort: { rate: 1, payload: 'default' },
  durable: { rate: 1, payload: 'default', isDurable: true },
} as const satisfies Readonly<Record<string, Capture>>;
type Kind = keyof typeof kinds;

export interface DurableOptions extends LoadOptions, DrainPorts {
  /** A folder on the file system of the router's spool. */
  readonly spoolFolder: string;
  readonly routerPid: number;
  /** What the records of one group commit have in a spool. */
  readonly groupBytes: number;
}

/**
 * What a group commit could answer if each request waited for one sync beside what it takes without: requests in flight over both times.
 *
 * @param bestEffortPerSecond at which the mean latency of as many in flight is `inFlight` over it
 * @returns requests/s
 */
export const ideal = (syncMilliseconds: number, bestEffortPerSecond: number): number =>
  inFlight / (syncMilliseconds / 1000 + inFlight / bestEffortPerSecond);

/** Requests/s of a durable model over what its disk allows; sync and best effort are measured in the same round, before and after. */
export function durable(router: Subject, small: Workload, options: DurableOptions): Scenario {
  const overIdeal = newSeries(
    `evidence: durable, ${inFlight} in flight, over ${inFlight} / (sync + best-effort latency)`,
    'ratio',
    { is: 'at least', value: 0.8 },
  );
  const sync = newSeries(`evidence: write and fdatasync of what ${inFlight} records take`, 'ms');
  const requests: Record<Kind, number> = { bestEffort: 0, durable: 0 };
  const names: readonly Kind[] = ['bestEffort', 'durable'];
  let rounds = 0;
  const { model } = small.plan;
  return {
    name: durableName,
    series: [overIdeal, sync],
    prepare: async () => {
      for (const kind of names) {
        await applyCapture(model, kinds[kind], options);
        requests[kind] = await calibrate(router, small, inFlight, options);
      }
      await applyCapture(model, { rate: 0, payload: false }, options);
    },
    watched: async () => ({ router: options.routerPid }),
    run: async () => {
      const order = rounds++ % 2 === 0 ? names : names.toReversed();
      const found = new Map<Kind, Measure>();
      const syncs: number[] = [];
      try {
        for (const kind of order) {
          await applyCapture(model, kinds[kind], options);
          syncs.push(await syncMs(options.spoolFolder, options.groupBytes));
          found.set(kind, await measure(router, small, inFlight, requests[kind], options));
        }
      } finally {
        await applyCapture(model, { rate: 0, payload: false }, options);
      }
      syncs.push(await syncMs(options.spoolFolder, options.groupBytes));
      const [bestEffort, of] = names.map((kind) => found.get(kind)!) as [Measure, Measure];
      sync.values.push(median(syncs));
      overIdeal.values.push(of.requestsPerSecond / ideal(median(syncs), bestEffort.requestsPerSecond));
      for (const { generatorProblems, checkProblems } of [bestEffort, of])
        overIdeal.problems.push(...generatorProblems, ...checkProblems);
    },
  };
}
