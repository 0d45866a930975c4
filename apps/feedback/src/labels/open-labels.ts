import type { Clock } from '@sluice/domain/clock';
import type { Metrics } from '@sluice/telemetry/metrics';
import type { Retention } from '../evidence/days.ts';
import { dayMs } from '../evidence/days.ts';
import { Gate } from '../gate.ts';
import type { PayloadCipher } from '../payloads/payload-cipher.ts';
import { Joiner } from './joiner.ts';
import type { JoinerStore } from './joiner-ports.ts';
import { labelMetrics } from './label-metrics.ts';
import { LabelSessions } from './label-sessions.ts';
import type { LabelStore, UnmatchedItems } from './ports.ts';
import type { VersionTasksOptions } from './version-tasks.ts';
import { VersionTasks } from './version-tasks.ts';

export interface LabelOptions {
  readonly store: LabelStore;
  readonly unmatched: UnmatchedItems;
  readonly joiner: JoinerStore;
  readonly facts: VersionTasksOptions['facts'];
  readonly cipher: PayloadCipher;
  readonly retention: Retention;
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly waitDays: number;
  /** Batches that are stored at once. */
  readonly writers: number;
  readonly joinMs: number;
  /** False while the database is known to be away. */
  readonly isUp: () => boolean;
  readonly onRegistry: (error: unknown) => void;
  readonly onError: (error: unknown) => void;
}

/** Streams of labels and feedback at once. */
const mostStreams = 64;

/** Labels and feedback: what takes them, and what joins those that wait. */
export function openLabels(options: LabelOptions) {
  const { store, unmatched, facts, cipher, retention, clock, metrics, waitDays } = options;
  const counts = labelMetrics(metrics);
  const tasks = new VersionTasks({ facts, onAway: options.onRegistry });
  const turns = new Gate(options.writers);
  const ports = { store, tasks, cipher, clock, turns, waitMs: waitDays * dayMs, onAnswered: counts.onAnswered };
  const sessions = new LabelSessions({ ports, unmatched, retention, mostStreams });
  const joiner = new Joiner({
    ...{ store: options.joiner, ports, clock, everyMs: options.joinMs, isUp: options.isUp },
    ...{ onSettled: counts.onSettled, onError: options.onError },
  });
  const gauge = (name: string, help: string, read: () => number): void => metrics.observedGauge(name, help, read);
  gauge('sluice_feedback_label_streams', 'Streams of labels and feedback that are open', () => sessions.streams);
  gauge('sluice_feedback_labels_waiting', 'Items that wait for their prediction', () => joiner.counts.waiting);
  gauge('sluice_feedback_labels_unmatched', 'Items that were given up or refused', () => joiner.counts.ended);
  gauge('sluice_feedback_join_lag_seconds', 'Age of the newest evidence that is joined', () => joiner.lagSeconds);
  return { sessions, joiner };
}
