import { championAlias, hasApprovals } from './approval.ts';
import { failedPrecondition } from './errors.ts';

/** What requests that name no version go to while a model has no release that a person made. */
export function answeringVersion(facts: {
  readonly champion: number | undefined;
  readonly pins: readonly number[];
}): number | undefined {
  return facts.champion ?? (facts.pins.length === 0 ? undefined : Math.max(...facts.pins));
}

/** A change by which another version would answer although nobody moved `champion` to it. */
export interface AnsweringChange {
  readonly model: string;
  readonly by: 'pin' | 'unpin' | 'delete-champion' | 'end-release';
  /** What answers now; undefined when nothing does. */
  readonly before: number | undefined;
  /** What would answer. */
  readonly after: number | undefined;
  /** `champion` has pointed somewhere, or a release that a person made has ruled, now or once. */
  readonly hadChampion: boolean;
  /** The model's setting. */
  readonly approvalsRequired: number;
  /** Who pushed the version that would answer, and who has approved it for `champion`. */
  readonly pushedBy: string;
  readonly approvers: readonly string[];
}

/**
 * Throws `failed-precondition`, saying what to type, when a model that has had a `champion` would by this change be
 * answered by a version without the approval that moving `champion` to it needs. Before its first `champion` or release
 * nobody relies on a model yet, and whatever is pinned may answer.
 */
export function checkAnswering(change: AnsweringChange): void {
  const { model, by, before, after, hadChampion, pushedBy } = change;
  if (after === undefined || after === before || !hadChampion || hasApprovals(change)) return;
  const otherwise =
    by === 'pin'
      ? `point ${championAlias} to another version (\`sluice alias set ${model} ${championAlias} VERSION\`)`
      : `unpin it (\`sluice unpin ${model} ${after}\`)`;
  const fields = { pin: 'version', unpin: 'version', 'delete-champion': 'alias', 'end-release': 'model' };
  throw failedPrecondition(
    `${fields[by]}: without ${championAlias} the pinned version ${after} of ${model} ` +
      `would answer, and it has no approval: ${otherwise}, or let somebody other than ${pushedBy}, who pushed it, type ` +
      `\`sluice approve ${model} ${after} --as NAME\`; then try again`,
  );
}
