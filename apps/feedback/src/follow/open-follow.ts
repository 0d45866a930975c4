import type { Clock } from '@sluice/domain/clock';
import type { Metrics } from '@sluice/telemetry/metrics';
import { Gate } from '../gate.ts';
import { followedKinds } from './row.ts';
import type { FollowSource } from './source.ts';
import { Subscriptions } from './subscriptions.ts';
import { Tail } from './tail.ts';

export interface FollowOptions {
  readonly source: FollowSource;
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly available: () => void;
  /** How often the end of the tables is looked at while somebody follows, in milliseconds. */
  readonly pollMs: number;
  readonly mostSubscribers: number;
}

/** Connections that the source needs: one for the end of the tables, the others for pages that are read at once. */
export const followConnections = 3;

/** All that Subscribe needs. */
export function openFollow({ source, clock, metrics, available, pollMs, mostSubscribers }: FollowOptions) {
  const tail = new Tail({ source, clock, everyMs: pollMs });
  const rows = metrics.counter('sluice_feedback_followed_rows_total', 'Rows that were sent to subscribers', ['kind']);
  const sent = new Map(followedKinds.map((kind) => [kind, rows.labels({ kind })]));
  const subscriptions = new Subscriptions({
    ...{ source, tail, clock, available, most: mostSubscribers, gate: new Gate(followConnections - 1) },
    onSent: (message) => {
      for (const { kind } of message.rows) sent.get(kind)!.inc();
    },
  });
  metrics.observedGauge('sluice_feedback_subscribers', 'Subscribers', () => subscriptions.open);
  metrics.observedGauge(
    'sluice_feedback_held_back_seconds',
    'Age of the transaction that committed rows wait for',
    () => tail.heldBackMs / 1_000,
  );
  return { tail, subscriptions };
}
