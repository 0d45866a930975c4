import type { LabelPolicy } from '../versions/registry-version.ts';
import type { StoredLabel } from './prediction.ts';

/**
 * Labels by row, the one that counts of each row first: that of the most trusted source, where the policy names some; of those the one
 * that was recorded last, then the one that was found last. `label-order.ts` of the store has the same order in SQL.
 */
export function resolveLabels(
  labels: readonly StoredLabel[],
  { trustedSources }: LabelPolicy,
): readonly (StoredLabel & { readonly resolves: boolean })[] {
  const rank = (source: string): number => {
    const place = trustedSources.indexOf(source);
    return place < 0 ? trustedSources.length : place;
  };
  const inOrder = labels.toSorted(
    (left, right) =>
      left.row - right.row ||
      rank(left.source) - rank(right.source) ||
      right.recordedMs - left.recordedMs ||
      (right.labelledMs ?? -Infinity) - (left.labelledMs ?? -Infinity) ||
      compare(right.labelId, left.labelId),
  );
  return inOrder.map((label, index) => ({ ...label, resolves: inOrder[index - 1]?.row !== label.row }));
}

const compare = (left: string, right: string): number => (left < right ? -1 : left > right ? 1 : 0);
