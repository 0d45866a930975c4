import type { Metrics } from '@sluice/telemetry/metrics';

/** What is to be known of memory, and of what requests bring. */
export interface MemoryFigures {
  readonly budgetBytes: number;
  readonly heldBytes: number;
  /** Since the process began. */
  readonly evictions: number;
  readonly demandLoads: number;
  readonly waitingRequests: number;
}

type Registered = Parameters<Metrics['registry']['registerMetric']>[0];

/** Metrics of the memory budget, read at a scrape. */
export function registerMemoryMetrics(metrics: Metrics, read: () => MemoryFigures): void {
  const add = (name: string, type: string, help: string, of: (figures: MemoryFigures) => number): void => {
    const get = async () => ({ name, help, type, aggregator: 'sum', values: [{ labels: {}, value: of(read()) }] });
    const metric = { name, help, type, aggregator: 'sum', get, reset: () => undefined };
    // prom-client reads no more of a metric than this when it is scraped.
    metrics.registry.registerMetric(metric as unknown as Registered);
  };
  add('sluice_memory_budget_bytes', 'gauge', 'Memory that versions may hold', (of) => of.budgetBytes);
  add('sluice_memory_held_bytes', 'gauge', 'Memory that versions hold of it, as accounted', (of) => of.heldBytes);
  add('sluice_evictions_total', 'counter', 'Versions that were unloaded to make room', (of) => of.evictions);
  add('sluice_demand_loads_total', 'counter', 'Loads that requests waited for', (of) => of.demandLoads);
  metrics.queue('versions', () => read().waitingRequests);
}
