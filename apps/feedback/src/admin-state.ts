import type { Heartbeat } from '@sluice/persistence/heartbeat';
import type { Retention } from './evidence/days.ts';
import type { Ingester } from './ingest/ingester.ts';
import type { SpoolStreams } from './ingest/spool-streams.ts';
import type { Joiner } from './labels/joiner.ts';
import type { LabelSessions } from './labels/label-sessions.ts';
import type { Upkeep } from './upkeep/upkeep.ts';

export interface AdminSources {
  readonly heartbeat: Pick<Heartbeat, 'up'>;
  readonly streams: Pick<SpoolStreams, 'open'>;
  readonly ingester: Pick<Ingester, 'waiting' | 'writing' | 'budget'>;
  readonly upkeep: Pick<Upkeep, 'days' | 'deadLetters'>;
  readonly retention: Retention;
  readonly sessions: Pick<LabelSessions, 'streams'>;
  readonly joiner: Pick<Joiner, 'counts' | 'lagSeconds'>;
}

/** Streams and days that GetState shows. */
const mostShown = 1_000;

/** What GetState shows of feedback; the README describes the fields. */
export function adminState({ heartbeat, streams, ingester, upkeep, retention, sessions, joiner }: AdminSources) {
  return {
    databaseUp: heartbeat.up,
    retentionDays: retention,
    streams: streams.open.slice(0, mostShown).map(({ spool, acknowledged, heldBytes }) => ({
      ...{ spool: spool.spoolId, router: spool.routerId, acknowledged, heldBytes },
    })),
    blocksWaiting: ingester.waiting,
    batchesUnderWay: ingester.writing,
    heldBytes: ingester.budget.held,
    deadLetters: upkeep.deadLetters,
    days: upkeep.days.slice(-mostShown),
    labels: {
      ...{ streams: sessions.streams, waiting: joiner.counts.waiting, unmatched: joiner.counts.ended },
      joinLagSeconds: joiner.lagSeconds,
    },
  };
}
