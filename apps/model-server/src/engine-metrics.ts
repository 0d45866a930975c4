import type { Metrics } from '@sluice/telemetry/metrics';
import { batchSizeBounds, failureReasons } from './serving/version-stats.ts';
import type { ServedVersion } from './versions/served-version.ts';
import { versionStates } from './versions/version-state.ts';

interface Sample {
  readonly metricName?: string;
  readonly labels: Record<string, string | number>;
  readonly value: number;
}

type Registered = Parameters<Metrics['registry']['registerMetric']>[0];

/** Counters of the engine with Triton's names where they mean the same; read from the versions at a scrape. */
export function registerEngineMetrics(metrics: Metrics, versions: () => readonly ServedVersion[]): void {
  const add = (name: string, type: string, help: string, samples: (version: ServedVersion) => Sample[]): void => {
    const get = async () => ({ name, help, type, aggregator: 'sum', values: versions().flatMap(samples) });
    const metric = { name, help, type, aggregator: 'sum', get, reset: () => undefined };
    // prom-client reads no more of a metric than this when it is scraped.
    metrics.registry.registerMetric(metric as unknown as Registered);
  };
  const counter = (name: string, help: string, read: (version: ServedVersion) => number): void =>
    add(name, 'counter', help, (version) => [{ labels: labelsOf(version), value: read(version) }]);

  counter('nv_inference_request_success', 'Requests that were answered', ({ stats }) => stats.successes);
  add('nv_inference_request_failure', 'counter', 'Requests that failed, by reason', (version) =>
    failureReasons.map((reason) => ({
      labels: { ...labelsOf(version), reason },
      value: version.stats.failures[reason],
    })),
  );
  counter('nv_inference_count', 'Rows of requests that were answered', ({ stats }) => stats.inferences);
  counter('nv_inference_exec_count', 'Batches that ran', ({ stats }) => stats.executions);
  const waiting = ({ engine }: ServedVersion): number => engine?.queue().queuedRequests ?? 0;
  metrics.queue('inferences', () => versions().reduce((sum, version) => sum + waiting(version), 0));
  add('nv_inference_pending_request_count', 'gauge', 'Requests that wait for a batch', (version) => [
    { labels: labelsOf(version), value: waiting(version) },
  ]);
  counter(
    'nv_inference_request_duration_us',
    'From arrival to answer, summed over requests',
    ({ stats }) => stats.requestUs,
  );
  counter('nv_inference_queue_duration_us', 'Waiting for a batch, summed over requests', ({ stats }) => stats.queueUs);
  counter(
    'nv_inference_compute_input_duration_us',
    'Preparing inputs, summed over requests',
    ({ stats }) => stats.inputUs,
  );
  counter(
    'nv_inference_compute_infer_duration_us',
    'Running the model, summed over requests',
    ({ stats }) => stats.inferUs,
  );
  counter(
    'nv_inference_compute_output_duration_us',
    'Reading outputs, summed over requests',
    ({ stats }) => stats.outputUs,
  );
  add('sluice_batch_rows', 'histogram', 'Rows of the batches that ran', batchSizes);
  add('sluice_model_instances', 'gauge', 'Sessions of a version, by the device that they are on', (version) =>
    version.sessions.map(({ device, count }) => ({ labels: { ...labelsOf(version), device }, value: count })),
  );
  add('sluice_version_state', 'gauge', '1 for the state that a version is in', (version) =>
    versionStates.map((state) => ({ labels: { ...labelsOf(version), state }, value: version.state === state ? 1 : 0 })),
  );
}

const labelsOf = ({ assignment }: ServedVersion) => ({ model: assignment.model, version: String(assignment.version) });

function batchSizes(version: ServedVersion): Sample[] {
  const name = 'sluice_batch_rows';
  const { stats } = version;
  let total = 0;
  const buckets = Array.from(stats.batchSizes, (count, index): Sample => {
    total += count;
    const bound = batchSizeBounds[index];
    return { metricName: `${name}_bucket`, labels: { ...labelsOf(version), le: bound ?? '+Inf' }, value: total };
  });
  return [
    ...buckets,
    { metricName: `${name}_sum`, labels: labelsOf(version), value: stats.rowsRun },
    { metricName: `${name}_count`, labels: labelsOf(version), value: stats.executions },
  ];
}
