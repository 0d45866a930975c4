import type { Capture } from '../capture.ts';
import { calibrate, measure, type LoadOptions } from '../measure.ts';
import { newSeries, type Scenario } from '../scenario.ts';
import type { Subject } from '../subject.ts';
import type { Workload } from '../workloads.ts';
import { applyCapture, type DrainPorts } from './drained.ts';

export const routerCpuName = 'evidence/router/64';
const inFlight = 64;

/** What is kept, by whether it is compared with nothing being kept. */
const kinds = {
  none: { rate: 0, payload: false },
  facts: { rate: 1, payload: false },
  payload: { rate: 1, payload: true },
} as const satisfies Readonly<Record<string, Capture>>;
type Kind = keyof typeof kinds;

export interface RouterCpuOptions extends LoadOptions, DrainPorts {
  readonly routerPid: number;
}

/**
 * CPU of the router per request that evidence at rate 1 costs: the same load on the small model, whose requests have some 300 bytes, with
 * nothing kept, without payloads and with them. Before each, feedback has stored what came before.
 */
export function routerCpu(router: Subject, small: Workload, options: RouterCpuOptions): Scenario {
  const target = (value: number) => ({ is: 'at most', value }) as const;
  const series = {
    facts: newSeries('evidence: CPU that the router adds, without payloads', 'µs/request', target(3)),
    payload: newSeries('evidence: CPU that the router adds, with payloads of 300 bytes', 'µs/request', target(5)),
  };
  let requests = 0;
  let rounds = 0;

  const cpuOf = async (kind: Kind): Promise<{ readonly us: number; readonly problems: readonly string[] }> => {
    await applyCapture(small.plan.model, kinds[kind], options);
    const { cpuUs, checkProblems } = await measure(router, small, inFlight, requests, options);
    return { us: cpuUs['router'] ?? NaN, problems: checkProblems };
  };
  return {
    name: routerCpuName,
    series: [series.facts, series.payload],
    prepare: async () => {
      await applyCapture(small.plan.model, kinds.none, options);
      requests = await calibrate(router, small, inFlight, options);
    },
    watched: async () => ({ router: options.routerPid }),
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
      await applyCapture(small.plan.model, kinds.none, options);
      for (const kind of ['facts', 'payload'] as const) {
        series[kind].values.push(us.get(kind)! - us.get('none')!);
        series[kind].problems.push(...problems);
      }
    },
  };
}
