import type { MetricType, Sample } from '@sluice/telemetry/exposition';
import { histogramSeries } from '@sluice/telemetry/exposition';
import type { Metrics } from '@sluice/telemetry/metrics';
import { durationBuckets, failureReasons, firstResponseBoundsMs, phases, rowBuckets } from './serving/version-stats.ts';
import type { LiveSequences } from './serving/engine.ts';
import type { StrikeBook } from './watchdog/strike-book.ts';
import type { ServedVersion } from './versions/served-version.ts';
import { versionStates } from './versions/version-state.ts';

/** Adds a metric that has series of each version. */
type Add = (name: string, type: MetricType, help: string, samples: (version: ServedVersion) => Sample[]) => void;

const secondsSeries = histogramSeries(durationBuckets.bounds, 1e-6);
const rowsSeries = histogramSeries(rowBuckets.bounds);
const firstResponseSeries = histogramSeries(firstResponseBoundsMs);

const labelsOf = ({ assignment }: ServedVersion) => ({ model: assignment.model, version: String(assignment.version) });

/**
 * Metrics of the engine, read from the placed versions, and those that drain, at a scrape: what is unloaded has no series any more. With Triton's
 * names where they mean the same. docs/metrics.md is the list.
 *
 * @param versions those that are placed now, and those that still finish what they have; each number once
 */
export function registerEngineMetrics(
  metrics: Metrics,
  versions: () => readonly ServedVersion[],
  book: Pick<StrikeBook, 'strikes' | 'unreported'>,
): void {
  registerStrikeMetrics(metrics, book);
  const add: Add = (name, type, help, samples) => metrics.observe({ name, type, help, subjects: versions, samples });
  const waiting = ({ live }: ServedVersion): number => live?.queue().queuedRequests ?? 0;
  metrics.queue('inferences', () => versions().reduce((sum, version) => sum + waiting(version), 0));
  tritonCounters(add);
  tritonState(add);
  queueDepths(add);
  sequenceGauges(add);
  add('sluice_inference_phase_seconds', 'histogram', 'Time of answered requests by what it went into', (version) =>
    phases.flatMap((phase) => secondsSeries({ ...labelsOf(version), phase }, version.stats.phases[phase])),
  );
  add('sluice_batch_rows', 'histogram', 'Rows of the batches that ran', (version) =>
    rowsSeries(labelsOf(version), version.stats.batchRows),
  );
  add('sluice_model_instances', 'gauge', 'Sessions of a version, by the device that they are on', (version) =>
    version.sessions.map(({ device, count }) => ({ labels: { ...labelsOf(version), device }, value: count })),
  );
  add('sluice_version_state', 'gauge', '1 for the state that a version is in', (version) =>
    versionStates.map((state) => ({ labels: { ...labelsOf(version), state }, value: version.state === state ? 1 : 0 })),
  );
}

/** What Triton counts per version, with its meanings and units. */
function tritonCounters(add: Add): void {
  const counter = (name: string, help: string, read: (version: ServedVersion) => number): void =>
    add(name, 'counter', help, (version) => [{ labels: labelsOf(version), value: read(version) }]);
  counter('nv_inference_request_success', 'Requests that were answered', ({ stats }) => stats.successes);
  add('nv_inference_request_failure', 'counter', 'Requests that failed, by reason', (version) => {
    const { failures } = version.stats;
    return failureReasons.map((reason) => ({ labels: { ...labelsOf(version), reason }, value: failures[reason] }));
  });
  counter('nv_inference_count', 'Rows of requests that were answered', ({ stats }) => stats.inferences);
  counter('nv_inference_exec_count', 'Batches that ran', ({ stats }) => stats.executions);
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
}

function tritonState(add: Add): void {
  add('nv_inference_pending_request_count', 'gauge', 'Requests that wait and have not begun to run', (version) => {
    const queue = version.live?.queue();
    return [{ labels: labelsOf(version), value: queue ? queue.queuedRequests + queue.openRequests : 0 }];
  });
  add(
    'nv_inference_first_response_histogram_ms',
    'histogram',
    'From arrival to the first response, which is the only one',
    (version) => firstResponseSeries(labelsOf(version), version.stats.firstResponses),
  );
  add('nv_model_load_duration_secs', 'gauge', 'How long the last load took', (version) =>
    version.loadMs === undefined ? [] : [{ labels: labelsOf(version), value: version.loadMs / 1000 }],
  );
  add('sluice_version_memory_bytes', 'gauge', 'What the version holds of the memory budget', (version) => [
    { labels: labelsOf(version), value: version.holdsMemory ? version.memoryBytes : 0 },
  ]);
}

/** What waits and what runs now. A version that is not loaded has none of it. */
function queueDepths(add: Add): void {
  type Queue = NonNullable<ReturnType<NonNullable<ServedVersion['live']>['queue']>>;
  const gauge = (name: string, help: string, read: (queue: Queue) => number): void =>
    add(name, 'gauge', help, (version) => {
      const queue = version.live?.queue();
      return queue ? [{ labels: labelsOf(version), value: read(queue) }] : [];
    });
  const byLevel = (name: string, help: string, read: (level: Queue['levels'][number]) => number): void =>
    add(name, 'gauge', help, (version) => {
      // Without levels there is one, and as in a request's `priority` 0 is its number.
      const first = version.serving.priorityLevels === 0 ? 0 : 1;
      const levels = version.live?.queue().levels ?? [];
      return levels.map((level, index) => ({
        labels: { ...labelsOf(version), level: String(first + index) },
        value: read(level),
      }));
    });
  byLevel('sluice_queued_requests', 'Requests that wait for a batch, by priority level', ({ requests }) => requests);
  byLevel('sluice_queued_rows', 'Rows that wait for a batch, by priority level', ({ rows }) => rows);
  gauge('sluice_running_batches', 'Batches that run', (queue) => queue.runningBatches - queue.openBatches);
  gauge('sluice_running_rows', 'Rows in batches that run', (queue) => queue.runningRows - queue.openRows);
  gauge('sluice_open_batches', 'Batches in place behind those that run; rows join them', (queue) => queue.openBatches);
  gauge('sluice_open_rows', 'Rows in batches that are in place behind those that run', (queue) => queue.openRows);
}

/** The sequences that live on a version; none where each request stands for itself. */
function sequenceGauges(add: Add): void {
  const gauge = (name: string, help: string, read: (sequences: LiveSequences) => number): void =>
    add(name, 'gauge', help, (version) => {
      const sequences = version.live?.sequences;
      return sequences ? [{ labels: labelsOf(version), value: read(sequences) }] : [];
    });
  gauge('sluice_sequences', 'Sequences that have a slot', ({ count }) => count);
  gauge('sluice_sequence_backlog', 'Sequences that wait for a slot', ({ backlog }) => backlog);
  gauge('sluice_sequence_state_bytes', 'Memory that states of sequences take', ({ stateBytes }) => stateBytes);
}

/** What versions did to this runtime lately, by kind; it comes back after the restart that it made. */
function registerStrikeMetrics(metrics: Metrics, book: Pick<StrikeBook, 'strikes' | 'unreported'>): void {
  metrics.observe({
    name: 'sluice_watchdog_strikes',
    type: 'gauge',
    help: 'Times that a version ended this runtime, by kind, as far as they are kept',
    subjects: () => strikeCounts(book),
    samples: ({ model, version, kind, count }) => [{ labels: { model, version: String(version), kind }, value: count }],
  });
  const unreported = 'sluice_watchdog_unreported_strikes';
  metrics.observedGauge(unreported, 'Strikes that the registry has not heard of', () => book.unreported.length);
}

function strikeCounts({ strikes }: Pick<StrikeBook, 'strikes'>) {
  const keyOf = (strike: (typeof strikes)[number]): string => `${strike.model}/${strike.version} ${strike.kind}`;
  const groups = Object.values(Object.groupBy(strikes, keyOf));
  return groups.flatMap((group) => (group?.[0] ? [{ ...group[0], count: group.length }] : []));
}
