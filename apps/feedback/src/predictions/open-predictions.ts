import type { Clock } from '@sluice/domain/clock';
import type { DataSource } from 'typeorm';
import type { Retention } from '../evidence/days.ts';
import type { PayloadCipher } from '../payloads/payload-cipher.ts';
import type { PredictionPorts } from '../rpc/prediction-service.ts';
import { PayloadAuditStore } from '../store/payload-audit-store.ts';
import { PredictionListStore } from '../store/prediction-list-store.ts';
import { PredictionStore } from '../store/prediction-store.ts';
import { StatisticsStore } from '../store/statistics-store.ts';
import type { RegistryFacts } from '../versions/registry-facts.ts';
import type { AliasHistory } from './audit-links.ts';

export interface PredictionParts {
  /** For look-ups, which are quick. */
  readonly work: DataSource;
  /** For lists and statistics, which are not: few at once, each with a time-out. */
  readonly queries: DataSource;
  /** Throws `unavailable` while the database is known to be away. */
  readonly available: () => void;
  readonly facts: RegistryFacts;
  readonly registry: AliasHistory;
  readonly cipher: PayloadCipher;
  readonly clock: Clock;
  readonly retention: Retention;
}

/** What PredictionService runs with. */
export function openPredictions(parts: PredictionParts): PredictionPorts {
  const { work, queries, available, facts, registry, cipher, clock, retention } = parts;
  const reader = new PredictionStore(work, available);
  const audit = new PayloadAuditStore(work);
  return {
    get: { reader, cipher, audit, facts, registry, clock, retention },
    lister: new PredictionListStore(queries, available),
    statistics: { reader: new StatisticsStore(queries, available), facts, clock },
  };
}
