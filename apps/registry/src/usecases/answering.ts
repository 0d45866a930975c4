import type { AnsweringChange } from '@sluice/domain/answering';
import { answeringVersion, checkAnswering } from '@sluice/domain/answering';
import { championAlias } from '@sluice/domain/approval';
import { requireVersion } from './lookups.ts';
import type { ModelRecord } from './records.ts';
import type { StateChange } from './state.ts';

/**
 * To be called before pins or `champion` change to `next`, or a release ends: throws when an unapproved version would
 * answer by that. A release that a person made answers whatever is pinned.
 */
export async function checkAnsweringAfter(
  change: StateChange,
  model: ModelRecord,
  by: AnsweringChange['by'],
  next: { readonly champion: number | undefined; readonly pins: readonly number[] },
): Promise<void> {
  const release = await change.release(model.name);
  const after = answeringVersion(next);
  const isRuled = by !== 'end-release' && release !== undefined && !release.implicit;
  if (after === undefined || isRuled) return;
  const { createdBy } = await requireVersion(change, model.name, after);
  const approvals = await change.approvals(model.name, after);
  checkAnswering({
    model: model.name,
    by,
    // What answered in a release was approved for it, or came there before that was asked for.
    before: by === 'end-release' ? undefined : release?.arms[0]?.version,
    after,
    hadChampion: (await change.hadAlias(model.name, championAlias)) || (await change.hadOwnRelease(model.name)),
    approvalsRequired: model.settings.approvalsRequired,
    pushedBy: createdBy,
    approvers: approvals.filter(({ alias }) => alias === championAlias).map(({ approver }) => approver),
  });
}
