import type { SpoolStatus } from '@sluice/evidence/spool/contract';
import type { Metrics } from '@sluice/telemetry/metrics';
import { recordFates } from './recorder.ts';
import type { RecordFate } from './recorder.ts';

/** Counts of evidence beyond those of the spool. */
export interface EvidenceMetrics {
  /** An attempt ended. @param fate of its record */
  readonly recorded: (fate: RecordFate) => void;
  /** Whether a feedback takes what is sent. */
  readonly connected: (up: boolean) => void;
}

/** Registers what is said of evidence at a scrape. docs/metrics.md is the list. */
export function evidenceMetrics(metrics: Metrics, spool: () => SpoolStatus): EvidenceMetrics {
  const dependency = metrics.dependency('feedback');
  dependency.set(false);
  const counts: Record<RecordFate, number> = { kept: 0, left_out: 0, refused: 0 };
  metrics.observe({
    name: 'sluice_router_evidence_records_total',
    type: 'counter',
    help: 'Attempts by what became of their evidence: kept, left out by the rate of their capture policy and of the spool, or refused with a durable answer because it had no room after all',
    subjects: () => recordFates,
    samples: (outcome) => [{ labels: { outcome }, value: counts[outcome] }],
  });
  metrics.observe({
    name: 'sluice_router_evidence_dropped_total',
    type: 'counter',
    help: 'Records that were kept and for which the spool had no room',
    subjects: () => [spool()],
    samples: ({ droppedRecords }) => [{ labels: {}, value: droppedRecords }],
  });
  metrics.observedGauge(
    'sluice_router_evidence_waiting_blocks',
    'Blocks of evidence that feedback has not stored',
    () => spool().position - spool().acknowledged,
  );
  metrics.observedGauge('sluice_router_spool_bytes', 'Bytes of evidence in the spool', () => spool().usedBytes);
  metrics.observedGauge(
    'sluice_router_spool_unreadable_segments',
    'Segments that the disk does not give, or whose key is not known: their evidence is not sent',
    () => spool().unreadableSegments,
  );
  metrics.observedGauge('sluice_router_spool_max_bytes', 'Bytes that the spool may have', () => spool().maxBytes);
  metrics.observedGauge(
    'sluice_router_evidence_keep_probability',
    'Share of best-effort records that the spool keeps; under 1 while it fills',
    () => spool().keepProbability,
  );
  return {
    recorded(fate) {
      counts[fate]++;
    },
    connected: (up) => dependency.set(up),
  };
}
