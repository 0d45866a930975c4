import { setCapture, type Capture } from './capture.ts';
import { calibrate, measure, type LoadOptions } from './measure.ts';
import { metricSum } from './metrics-text.ts';
import { pause } from './platform.ts';
import { newSeries, type Scenario } from './scenario.ts';
import { scrape } from './scrape.ts';
import type { Subject } from './subject.ts';
import type { Workload } from './workloads.ts';

export const evidenceName = 'evidence/router/64';
const inFlight = 64;

/** What is kept, by whether it is compared with nothing being kept. */
const kinds = {
  none: { rate: 0, payload: false },
  facts: { rate: 1, payload: false },
  payload: { rate: 1, payload: true },
} as const satisfies Readonly<Record<string, Capture>>;
type Kind = keyof typeof kinds;

export interface EvidenceOptions extends LoadOptions {
  readonly registryAddress: string;
  /** Of the router. */
  readonly metricsPort: number;
}

/** Longest wait for what was sent to be stored; feedback has the cores for itself then. */
const drainMs = 120_000;

/**
 * CPU of the router per request that evidence at rate 1 costs: the same load on the small model, whose requests have some 300 bytes, with
 * nothing kept, without payloads and with them. Before each, feedback has stored what came before.
 */
export function evidence(router: Subject, small: Workload, options: EvidenceOptions): Scenario {
  const target = (value: number) => ({ is: 'at most', value }) as const;
  const series = {
    facts: newSeries('evidence: CPU that the router adds, without payloads', 'µs/request', target(3)),
    payload: newSeries('evidence: CPU that the router adds, with payloads of 300 bytes', 'µs/request', target(5)),
  };
  let requests = 0;
  let rounds = 0;

  const cpuOf = async (kind: Kind): Promise<{ readonly us: number; readonly problems: readonly string[] }> => {
    await apply(small.plan.model, kinds[kind], options);
    const { cpuUs, checkProblems } = await measure(router, small, inFlight, requests, options);
    return { us: cpuUs['router'] ?? NaN, problems: checkProblems };
  };
  return {
    name: evidenceName,
    series: [series.facts, series.payload],
    prepare: async () => {
      await apply(small.plan.model, kinds.none, options);
      requests = await calibrate(router, small, inFlight, options);
    },
    run: async () => {
      // In another order each round: a machine that gets slower is not to be the cost of what comes last.
      const names: Kind[] = ['none', 'facts', 'payload'];
      const order = names.map((_, at) => names[(at + rounds) % names.length]!);
      rounds++;
      const us = new Map<Kind, number>();
      const problems: string[] = [];
      for (const kind of order) {
        const measured = await cpuOf(kind);
        us.set(kind, measured.us);
        problems.push(...measured.problems);
      }
      await apply(small.plan.model, kinds.none, options);
      for (const kind of ['facts', 'payload'] as const) {
        series[kind].values.push(us.get(kind)! - us.get('none')!);
        series[kind].problems.push(...problems);
      }
    },
  };
}

/** Sets a policy, and waits until the router has it and feedback has all that was kept before. */
async function apply(model: string, capture: Capture, options: EvidenceOptions): Promise<void> {
  const { registryAddress, metricsPort } = options;
  const revision = await setCapture(registryAddress, model, capture);
  const end = performance.now() + drainMs;
  while (performance.now() < end) {
    const samples = await scrape(metricsPort);
    const isApplied = metricSum(samples, 'sluice_router_table_revision', {}) >= revision;
    if (isApplied && metricSum(samples, 'sluice_router_evidence_waiting_blocks', {}) === 0) return;
    await pause(200);
  }
  throw new Error(`the router still has evidence after ${drainMs / 1000} s that feedback has not stored`);
}
