import type { Clock } from '@sluice/domain/clock';
import type { Metrics } from '@sluice/telemetry/metrics';
import type { Retention } from '../evidence/days.ts';
import { dayMs } from '../evidence/days.ts';
import type { PayloadCipher } from '../payloads/payload-cipher.ts';
import { labelMetrics } from './label-metrics.ts';
import { LabelSessions } from './label-sessions.ts';
import type { LabelStore, UnmatchedItems } from './ports.ts';
import { Turns } from './record-items.ts';
import type { TaskDirectory } from './version-tasks.ts';
import { VersionTasks } from './version-tasks.ts';

export interface LabelOptions {
  readonly store: LabelStore;
  readonly unmatched: UnmatchedItems;
  readonly directory: TaskDirectory;
  readonly cipher: PayloadCipher;
  readonly retention: Retention;
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly waitDays: number;
  /** Batches that are stored at once. */
  readonly writers: number;
  readonly onRegistry: (error: unknown) => void;
}

/** Streams of labels and feedback at once. */
const mostStreams = 64;

/** Labels and feedback: what takes them, and what joins those that wait. */
export function openLabels(options: LabelOptions) {
  const { store, unmatched, directory, cipher, retention, clock, metrics, waitDays, writers, onRegistry } = options;
  const counts = labelMetrics(metrics);
  const tasks = new VersionTasks({ directory, clock, onAway: onRegistry });
  const turns = new Turns(writers);
  const ports = { store, tasks, cipher, clock, turns, waitMs: waitDays * dayMs, onAnswered: counts.onAnswered };
  const sessions = new LabelSessions({ ports, unmatched, retention, mostStreams });
  metrics.observedGauge(
    'sluice_feedback_label_streams',
    'Streams of labels and feedback that are open',
    () => sessions.streams,
  );
  return { sessions };
}
