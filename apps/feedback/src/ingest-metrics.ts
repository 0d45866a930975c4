import type { SluiceError } from '@sluice/domain/errors';
import type { Metrics } from '@sluice/telemetry/metrics';
import type { Written } from './ingest/batch.ts';

export interface IngestMetrics {
  readonly onWritten: (written: Written, ms: number) => void;
  readonly onFailed: (error: SluiceError) => void;
  readonly onDropped: () => void;
  readonly onExpired: (deadLetters: number) => void;
}

const seconds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** Counts of what becomes of evidence. */
export function ingestMetrics(metrics: Metrics): IngestMetrics {
  const records = metrics.counter('sluice_feedback_records_total', 'Records that came, by what became of them', [
    'outcome',
  ]);
  const batches = metrics.counter('sluice_feedback_batches_total', 'Batches that were stored, by how', ['path']);
  const failed = metrics.counter('sluice_feedback_failed_batches_total', 'Batches that could not be stored', ['kind']);
  const dropped = metrics.counter('sluice_feedback_days_dropped_total', 'Expired days that this replica dropped');
  const expired = metrics.counter(
    'sluice_feedback_dead_letters_expired_total',
    'Dead letters that this replica deleted because they were old',
  );
  const duration = metrics.histogram(
    'sluice_feedback_batch_duration_seconds',
    'Time from taking a batch to its commit',
    {
      buckets: seconds,
    },
  );
  const [stored, skewed, duplicate, dead] = (['stored', 'skewed', 'duplicate', 'dead'] as const).map((outcome) =>
    records.labels({ outcome }),
  );
  return {
    onWritten: (written, ms) => {
      stored!.inc(written.stored);
      skewed!.inc(written.skewed);
      duplicate!.inc(written.duplicates);
      dead!.inc(written.dead.length);
      batches.inc({ path: written.path });
      duration.observe(ms / 1000);
    },
    onFailed: ({ kind }) => failed.inc({ kind }),
    onDropped: () => dropped.inc(),
    onExpired: (deadLetters) => expired.inc(deadLetters),
  };
}
