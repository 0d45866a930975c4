import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';
import { writeFamilies } from './exposition.ts';
import type { ObservedFamily } from './exposition.ts';
import { MethodStats, requestMetrics, statusNames, streamedRequestMetrics } from './request-stats.ts';

export interface Metrics {
  readonly registry: Registry;
  /** Counts of a method; ask once and keep it. */
  method(name: string): MethodStats;
  /** Counts of the requests that come as messages of a method's streams; ask once and keep it. */
  streamedRequests(name: string): MethodStats;
  /** Counts a request; call what it returns once, with the name of the status. */
  requestStarted(method: string): (status: string) => void;
  /** Whether something that the service needs answers: 1 or 0 under `sluice_dependency_up`. */
  dependency(name: string): { set(up: boolean): void };
  /** Length of a queue, read at every scrape. */
  queue(name: string, length: () => number): void;
  gauge<Label extends string = never>(name: string, help: string, labels?: readonly Label[]): Gauge<Label>;
  /** A gauge whose value is asked for at every scrape. */
  observedGauge(name: string, help: string, read: () => number): void;
  counter<Label extends string = never>(name: string, help: string, labels?: readonly Label[]): Counter<Label>;
  histogram<Label extends string = never>(
    name: string,
    help: string,
    options: { readonly labels?: readonly Label[]; readonly buckets: readonly number[] },
  ): Histogram<Label>;
  /**
   * Metrics that are kept elsewhere and read at every scrape: where there are many series, or series that go.
   *
   * @throws Error when the name is taken
   */
  observe<Subject>(family: ObservedFamily<Subject>): void;
  /** The text that Prometheus scrapes. Other work goes on while it is written. */
  text(): Promise<string>;
}

export interface MetricsOptions {
  readonly service: string;
  readonly instanceId: string;
  /** CPU, memory and event-loop delay of the process; default true. Tests that make many turn it off. */
  readonly processMetrics?: boolean;
}

/** The metrics of one service, labelled with its name and instance. */
export function createMetrics(options: MetricsOptions): Metrics {
  const registry = new Registry();
  const defaults = { service: options.service, instance: options.instanceId };
  registry.setDefaultLabels(defaults);
  if (options.processMetrics !== false) collectDefaultMetrics({ register: registry });
  const methods = new Map<string, MethodStats>();
  const streamed = new Map<string, MethodStats>();
  const families = new Map<string, ObservedFamily<unknown>>();
  const observe = <Subject>(family: ObservedFamily<Subject>): void => {
    if (families.has(family.name) || registry.getSingleMetric(family.name))
      throw new Error(`there is a metric ${family.name} already`);
    families.set(family.name, family as ObservedFamily<unknown>);
  };
  requestMetrics(() => methods.values()).forEach(observe);
  streamedRequestMetrics(() => streamed.values()).forEach(observe);
  const up = new Gauge({
    name: 'sluice_dependency_up',
    help: '1 when the dependency answers, else 0',
    labelNames: ['dependency'],
    registers: [registry],
  });
  const queues = queueGauge(registry);
  const method = (name: string): MethodStats => statsOf(methods, name);
  return {
    registry,
    method,
    streamedRequests: (name) => statsOf(streamed, name),
    requestStarted: (name) => started(method(name)),
    dependency: (name) => ({ set: (isUp) => up.labels(name).set(isUp ? 1 : 0) }),
    queue: (name, length) => void queues.set(name, length),
    gauge: (name, help, labels = []) => new Gauge({ name, help, labelNames: labels, registers: [registry] }),
    observedGauge(name, help, read) {
      new Gauge({
        name,
        help,
        registers: [registry],
        collect() {
          this.set(read());
        },
      });
    },
    counter: (name, help, labels = []) => new Counter({ name, help, labelNames: labels, registers: [registry] }),
    histogram: (name, help, { labels = [], buckets }) =>
      new Histogram({ name, help, labelNames: labels, buckets: [...buckets], registers: [registry] }),
    observe,
    text: async () => `${await registry.metrics()}\n${await writeFamilies(families.values(), defaults)}`,
  };
}

function statsOf(all: Map<string, MethodStats>, name: string): MethodStats {
  const known = all.get(name) ?? new MethodStats(name);
  all.set(name, known);
  return known;
}

function started(stats: MethodStats): (status: string) => void {
  const start = performance.now();
  stats.started();
  let ended = false;
  return (status) => {
    if (ended) return;
    ended = true;
    const code = statusNames.findIndex((name) => name === status);
    stats.ended(code < 0 ? 2 : code, performance.now() - start);
  };
}

function queueGauge(registry: Registry): Map<string, () => number> {
  const queues = new Map<string, () => number>();
  new Gauge({
    name: 'sluice_queue_length',
    help: 'Entries that wait',
    labelNames: ['queue'],
    registers: [registry],
    collect() {
      for (const [name, length] of queues) this.labels(name).set(length());
    },
  });
  return queues;
}
