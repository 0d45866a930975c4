import type { MoveUnderApproval } from '@sluice/domain/approval';
import { checkMoveApproved } from '@sluice/domain/approval';
import { requireNotQuarantined } from './lookups.ts';
import type { AliasMove, ModelRecord, VersionRecord } from './records.ts';
import type { Entry, StateChange } from './state.ts';

export interface MovePlan {
  readonly model: ModelRecord;
  readonly alias: string;
  readonly version: VersionRecord;
  readonly timeoutMs: number;
  readonly rollback?: boolean;
}

/**
 * Writes a requested move: the version is placed from now on. Throws `failed-precondition` when the version is
 * quarantined, or when the move needs an approval; going back to a version that the alias left a short while ago needs none.
 */
export async function requestMove(
  change: StateChange,
  plan: MovePlan,
): Promise<{ readonly entry: Entry; readonly move: AliasMove }> {
  const { model, alias, version } = plan;
  const from = (await change.alias(model.name, alias))?.version;
  await requireNotQuarantined(change, model.name, version.number);
  checkMoveApproved(await underApproval(change, { model, alias, version }));
  const move: AliasMove = {
    id: `${model.name}/${alias}@${change.revision}`,
    model: model.name,
    alias,
    fromVersion: from,
    toVersion: version.number,
    state: 'requested',
    reasons: [],
    requestedAt: change.effectiveAt,
    endedAt: undefined,
    actor: change.actor,
    timeoutMs: plan.timeoutMs,
    rollback: plan.rollback ?? false,
    requestedRevision: change.revision,
    endedRevision: undefined,
  };
  await change.touchAlias(model.name, alias);
  await change.insertMove(move);
  await change.settle(model.name);
  const entry: Entry = {
    action: 'alias.move.requested',
    object: `model/${model.name}/alias/${alias}`,
    body: {
      model: model.name,
      alias,
      move: move.id,
      from_version: from ?? null,
      to_version: version.number,
      digest: version.digest,
      timeout_ms: plan.timeoutMs,
    },
  };
  return { entry, move };
}

/** What decides whether a move to a version needs an approval now. */
export async function underApproval(
  change: StateChange,
  { model, alias, version }: Pick<MovePlan, 'model' | 'alias' | 'version'>,
): Promise<MoveUnderApproval> {
  const approvals = await change.approvals(model.name, version.number);
  return {
    model: model.name,
    alias,
    version: version.number,
    pushedBy: version.createdBy,
    approvalsRequired: model.settings.approvalsRequired,
    approvers: approvals.filter((approval) => approval.alias === alias).map((approval) => approval.approver),
    goingBack: await isRetained(change, model.name, alias, version.number),
  };
}

/** True while `version` stays placed because `alias` left it a short while ago. */
async function isRetained(change: StateChange, model: string, alias: string, version: number): Promise<boolean> {
  return (await change.retained(model)).some(
    (kept) => kept.alias === alias && kept.version === version && kept.until > change.effectiveAt,
  );
}
