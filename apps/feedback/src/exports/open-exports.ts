import type { Clock } from '@sluice/domain/clock';
import type { Metrics } from '@sluice/telemetry/metrics';
import type { DataSource } from 'typeorm';
import type { PayloadAudit } from '../audit/payload-audit.ts';
import type { KeyRing } from '../payloads/key-ring.ts';
import type { PayloadCipher } from '../payloads/payload-cipher.ts';
import { ExportStore } from '../store/export-store.ts';
import { ExportSubjectStore } from '../store/export-subject-store.ts';
import type { RegistryFacts } from '../versions/registry-facts.ts';
import { Exports } from './exports.ts';

export interface ExportParts {
  /** For what is written. */
  readonly work: DataSource;
  /** For pages, each with a time-out. */
  readonly queries: DataSource;
  /** Throws `unavailable` while the database is known to be away. */
  readonly available: () => void;
  readonly ring: KeyRing;
  readonly facts: RegistryFacts;
  readonly cipher: PayloadCipher;
  readonly audit: PayloadAudit;
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly most: number;
}

/** What ExportService runs with. */
export function openExports({ work, queries, available, ring, metrics, ...ports }: ExportParts): Exports {
  const exports = new Exports({
    ...ports,
    reader: new ExportStore(queries, ring, available),
    subjects: new ExportSubjectStore(work, available),
  });
  metrics.observedGauge('sluice_feedback_exports', 'Exports that are under way', () => exports.open);
  return exports;
}
