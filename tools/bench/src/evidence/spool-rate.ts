import { generatorLimit } from '../measure.ts';
import { metricSum } from '../metrics-text.ts';
import { pause } from '../platform.ts';
import { newSeries, type Scenario } from '../scenario.ts';
import { scrape } from '../scrape.ts';
import type { Subject } from '../subject.ts';
import type { Workload } from '../workloads.ts';
import { growthOf, type BacklogSample } from './backlog.ts';
import { applyCapture, drained, type DrainPorts } from './drained.ts';
import { needsH2load, openLoad, refusalOf } from './open-load.ts';
import { RateSearch } from './rate-search.ts';
import type { EvidenceSizes } from './sizes.ts';
import { onTwoCores } from './two-cores.ts';

export const spoolRateName = 'evidence/spool/rate';
const target = { is: 'at least', value: 8_000 } as const;
const range = { start: target.value, least: 250, most: 100_000, tolerance: 1.06 };
/** Before the first look: connections, and the first batches of feedback. */
const beginsAfterMs = 500;
const looksEveryMs = 250;
/** A rate that was found by short tries and does not last is lowered so often. */
const holdsAtMost = 3;

export interface SpoolRateOptions extends DrainPorts {
  readonly folder: string;
  readonly h2load: boolean;
  readonly feedbackMetricsPort: number;
  readonly sizes: EvidenceSizes;
  /** Processes of the platform: all of it is to have two cores. */
  readonly platformPid: number;
  readonly say: (line: string) => void;
}

/**
 * The highest rate at which the spool does not grow: router, model-server, feedback, Postgres and the generator on two cores, at rate 1 and what is
 * kept by default. Rates are tried for some seconds each; the one that is found must last. How much the spool has is what the router has kept and feedback
 * has not committed, by the metrics of both.
 */
export function spoolRate(router: Subject, small: Workload, options: SpoolRateOptions): Scenario {
  const { sizes, say } = options;
  const series = newSeries(
    `evidence: highest rate at which the spool does not grow for ${sizes.holdSeconds} s, all on 2 cores`,
    'requests/s',
    target,
  );
  const tried = async (perSecond: number, seconds: number): Promise<Tried> => {
    await drained(options);
    return tryRate(router, small, { ...options, perSecond, seconds });
  };
  return {
    name: spoolRateName,
    series: [series],
    plays: 'first round',
    prepare: () => needsH2load(options),
    run: async () => {
      await applyCapture(small.plan.model, { rate: 1, payload: 'default' }, options);
      const undo = onTwoCores(options.platformPid);
      try {
        const { best, problems } = await highest(tried, sizes, say);
        if (best !== undefined) series.values.push(best);
        series.problems.push(...problems);
      } finally {
        undo();
        await applyCapture(small.plan.model, { rate: 0, payload: false }, options);
      }
    },
  };
}

/** What became of a rate. */
interface Tried {
  /** Why it does not hold; undefined when it does. */
  readonly why: string | undefined;
  /** Of one core. */
  readonly generatorShare: number;
}

async function highest(
  tried: (perSecond: number, seconds: number) => Promise<Tried>,
  sizes: EvidenceSizes,
  say: (line: string) => void,
): Promise<{ best: number | undefined; problems: string[] }> {
  const search = new RateSearch(range);
  const shares = new Map<number, number>();
  const tell = async (rate: number, seconds: number): Promise<boolean> => {
    const { why, generatorShare } = await tried(rate, seconds);
    say(
      `${spoolRateName}: ${Math.round(rate)}/s for ${seconds.toFixed(1)} s ${why === undefined ? 'holds' : `does not hold: ${why}`}`,
    );
    search.tell(rate, why === undefined);
    shares.set(rate, generatorShare);
    return why === undefined;
  };
  for (let holds = 0; holds < holdsAtMost; holds++) {
    for (let rate = search.next(); rate !== undefined; rate = search.next()) await tell(rate, sizes.probeSeconds);
    const best = search.best;
    if (best === undefined) return { best: undefined, problems: [`nothing from ${range.least}/s on holds`] };
    if (await tell(best, sizes.holdSeconds)) return { best, problems: generatorProblems(shares) };
  }
  return { best: undefined, problems: [`what holds for ${sizes.probeSeconds} s does not for ${sizes.holdSeconds} s`] };
}

/** A generator at its limit makes a rate look as if the server did not take it. */
function generatorProblems(shares: ReadonlyMap<number, number>): string[] {
  const over = [...shares].filter(([, share]) => share > generatorLimit);
  return over.map(
    ([rate, share]) => `the generator used ${(share * 100).toFixed(0)} % of its core at ${Math.round(rate)}/s`,
  );
}

async function tryRate(
  router: Subject,
  small: Workload,
  options: SpoolRateOptions & { readonly perSecond: number; readonly seconds: number },
): Promise<Tried> {
  const samples: BacklogSample[] = [];
  let isOver = false;
  const looking = (async () => {
    await pause(beginsAfterMs);
    while (!isOver) {
      samples.push(await look(options));
      await pause(looksEveryMs);
    }
  })();
  try {
    const load = await openLoad(router, small, options);
    isOver = true;
    await looking;
    const why = refusalOf(load, options) ?? growthOf(samples, options.perSecond);
    return { why, generatorShare: load.generatorCpuSeconds / load.seconds };
  } finally {
    isOver = true;
  }
}

async function look({ metricsPort, feedbackMetricsPort }: SpoolRateOptions): Promise<BacklogSample> {
  const [router, feedback] = await Promise.all([scrape(metricsPort), scrape(feedbackMetricsPort)]);
  const ofRouter = (name: string, labels = {}): number => metricSum(router, name, labels);
  return {
    atMs: performance.now(),
    kept: ofRouter('sluice_router_evidence_records_total', { outcome: 'kept' }),
    stored: metricSum(feedback, 'sluice_feedback_records_total', {}),
    dropped: ofRouter('sluice_router_evidence_dropped_total'),
    keepProbability: ofRouter('sluice_router_evidence_keep_probability'),
  };
}
