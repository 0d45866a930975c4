import type { MetricType } from '@sluice/telemetry/exposition';
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

/** Metrics of the memory budget, read at a scrape. */
export function registerMemoryMetrics(metrics: Metrics, read: () => MemoryFigures): void {
  const add = (name: string, type: MetricType, help: string, of: (figures: MemoryFigures) => number): void =>
    metrics.observe({
      ...{ name, type, help, subjects: () => [read()] },
      samples: (figures) => [{ labels: {}, value: of(figures) }],
    });
  add('sluice_memory_budget_bytes', 'gauge', 'Memory that versions may hold', (of) => of.budgetBytes);
  add('sluice_memory_held_bytes', 'gauge', 'Memory that versions hold of it, as accounted', (of) => of.heldBytes);
  add('sluice_evictions_total', 'counter', 'Versions that were unloaded to make room', (of) => of.evictions);
  add('sluice_demand_loads_total', 'counter', 'Loads that requests waited for', (of) => of.demandLoads);
  metrics.queue('versions', () => read().waitingRequests);
}
