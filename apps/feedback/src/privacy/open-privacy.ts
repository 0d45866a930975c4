import type { Clock } from '@sluice/domain/clock';
import type { Logger } from '@sluice/service-kit/logger';
import type { Metrics } from '@sluice/telemetry/metrics';
import type { AuditLog, Outbox } from '../audit/audit-relay.ts';
import { AuditRelay } from '../audit/audit-relay.ts';
import type { SpoolStreams } from '../ingest/spool-streams.ts';
import type { ErasureDocuments, Erasures, Spools } from './erasure.ts';
import type { PrivacyUpkeepOptions } from './privacy-upkeep.ts';
import { PrivacyUpkeep } from './privacy-upkeep.ts';
import { checkDocuments, takeUpErasures } from './publish-erasures.ts';

export interface PrivacyParts {
  readonly erasures: Erasures;
  readonly spools: Spools;
  readonly documents: ErasureDocuments;
  readonly keys: PrivacyUpkeepOptions['keys'];
  readonly outbox: Outbox & PrivacyUpkeepOptions['outbox'];
  readonly log: AuditLog;
  readonly streams: Pick<SpoolStreams, 'open' | 'announce'>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly upkeepMs: number;
  readonly unreadableDays: number;
}

/** How often the outbox is looked at, and whether another replica was given an order; in milliseconds. */
const lookMs = 1_000;

export type Privacy = ReturnType<typeof openPrivacy>;

/** Joins orders, keys and the outbox. */
export function openPrivacy(parts: PrivacyParts) {
  const { erasures, spools, documents, streams, clock, logger, metrics } = parts;
  const ports = { erasures, documents, announce: (number: number) => streams.announce(number) };
  const destroyed = metrics.counter(
    'sluice_feedback_unreadable_destroyed_total',
    'Dead letters that nobody could read for as long as the settings say, and that this replica deleted',
  );
  const upkeep = new PrivacyUpkeep({
    ...{ ...ports, spools, keys: parts.keys, outbox: parts.outbox, clock, lookMs },
    ...{ everyMs: parts.upkeepMs, unreadableDays: parts.unreadableDays, open: () => streams.open },
    onTakenUp: (count) => logger.warn({ count }, 'orders to erase were taken up that the database had lost'),
    onDestroyed: (count) => {
      destroyed.inc(count);
      logger.warn({ count }, 'dead letters that nobody could read were deleted');
    },
    onError: (err, what) => logger.warn({ err }, `${what} failed`),
  });
  const relay = openRelay(parts);
  const gauge = (name: string, help: string, read: () => number): void => metrics.observedGauge(name, help, read);
  gauge(
    'sluice_feedback_audit_waiting',
    'Entries that wait for the audit log, as last counted',
    () => upkeep.outbox.waiting,
  );
  gauge(
    'sluice_feedback_audit_age_seconds',
    'Age of the oldest entry that waits for the audit log; 0 without one',
    () => (upkeep.outbox.oldestMs === undefined ? 0 : Math.max(0, clock.now() - upkeep.outbox.oldestMs) / 1_000),
  );
  gauge('sluice_feedback_erasures_pending', 'Orders to erase that are pending, as last counted', () => upkeep.pending);
  return {
    ...{ ...ports, spools, upkeep },
    /** To be done before anything is served: what a database that was put back has lost is erased again. */
    async prepare(): Promise<void> {
      const taken = await takeUpErasures(ports);
      if (taken > 0) logger.warn({ count: taken }, 'orders to erase were taken up that the database had lost');
      const lost = await checkDocuments(ports);
      if (lost > 0)
        logger.error(
          { count: lost },
          'the artifact store has lost orders to erase, or has others in their place: they are written there again',
        );
      streams.announce(await erasures.lastWithDocument());
    },
    start(): void {
      upkeep.start();
      relay.start();
    },
    async close(): Promise<void> {
      await Promise.all([upkeep.close(), relay.close()]);
    },
  };
}

/** Logs what becomes of entries for the audit log. */
function openRelay({ outbox, log, clock, logger }: PrivacyParts): AuditRelay {
  return new AuditRelay({
    ...{ outbox, log, clock, everyMs: lookMs },
    onAway: (err) => {
      if (err === undefined) logger.info('the audit log takes entries again');
      else if (err.kind === 'unavailable')
        logger.warn({ err }, 'the audit log takes no entries: they wait in the outbox');
      else logger.error({ err }, 'the audit log refuses entries: they wait in the outbox until somebody looks at it');
    },
    onRenumbered: (sequence) =>
      logger.warn(
        { sequence },
        'the audit log has another entry there, as after a database was put back: the outbox goes on behind it',
      ),
  });
}
