import type { Metrics } from '@sluice/telemetry/metrics';
import type { Item, ItemAnswer, Refusal } from './item.ts';

export interface LabelMetrics {
  readonly onAnswered: (items: readonly (Item | Refusal)[], answers: readonly ItemAnswer[]) => void;
  /** Items that waited and were joined, or ended otherwise. */
  readonly onSettled: (how: 'joined' | 'refused' | 'unmatched', count: number) => void;
}

/** Counts of what becomes of labels and feedback. */
export function labelMetrics(metrics: Metrics): LabelMetrics {
  const answered = metrics.counter('sluice_feedback_labels_total', 'Labels and feedback that came, by answer', [
    'answer',
  ]);
  const settled = metrics.counter('sluice_feedback_waiting_settled_total', 'Items that waited, by how that ended', [
    'how',
  ]);
  const byAnswer = {
    joined: answered.labels({ answer: 'joined' }),
    waiting: answered.labels({ answer: 'waiting' }),
    duplicate: answered.labels({ answer: 'duplicate' }),
    refused: answered.labels({ answer: 'refused' }),
  };
  const byEnd = {
    joined: settled.labels({ how: 'joined' }),
    refused: settled.labels({ how: 'refused' }),
    unmatched: settled.labels({ how: 'unmatched' }),
  };
  // A series is there from the start, so that a rate can be taken of it.
  for (const series of [...Object.values(byAnswer), ...Object.values(byEnd)]) series.inc(0);
  return {
    onAnswered: (_, answers) => {
      for (const { result } of answers) byAnswer[result].inc();
    },
    onSettled: (how, count) => byEnd[how].inc(count),
  };
}
