import { championAlias, hasApprovals } from '@sluice/domain/approval';
import { failedPrecondition, notFound } from '@sluice/domain/errors';
import { checkActor } from '@sluice/domain/model';
import { checkAliasName } from '@sluice/domain/names';
import { checkExpectedRevision } from './expected-revision.ts';
import { requireModel, requireVersion } from './lookups.ts';
import { moveUnderWay } from './move-alias.ts';
import type { ModelRecord } from './records.ts';
import type { RegistryState, StateChange } from './state.ts';

export interface DeleteAliasRequest {
  readonly model: string;
  readonly alias: string;
  readonly expectedRevision?: number | undefined;
}

/**
 * Takes an alias away; its history stays, and its version stays placed for `retainMs`. Refused while a move of it is
 * under way, and while an unapproved version would answer in place of `champion`. Answers the revision.
 */
export async function deleteAlias(
  state: RegistryState,
  actor: string,
  request: DeleteAliasRequest,
  retainMs: number,
): Promise<number> {
  checkActor(actor);
  const alias = checkAliasName(request.alias);
  return state.change(actor, async (change) => {
    const model = await requireModel(change, request.model);
    const current = await change.alias(model.name, alias);
    checkExpectedRevision(`alias ${alias} of ${model.name}`, request.expectedRevision, current?.revision ?? 0);
    const pending = (await change.pendingMoves([model.name])).find((move) => move.alias === alias);
    if (pending) throw moveUnderWay(pending);
    if (current?.version === undefined) {
      throw notFound(`alias: ${model.name} has no alias ${alias}; \`sluice show ${model.name}\` lists those it has`);
    }
    const { version } = current;
    if (alias === championAlias) await checkHeir(change, model, version);
    await change.deleteAlias(model.name, alias);
    await change.retain({ model: model.name, alias, version, until: change.effectiveAt + retainMs });
    await change.settle(model.name);
    const entry = {
      action: 'alias.deleted',
      object: `model/${model.name}/alias/${alias}`,
      body: { model: model.name, alias, version },
    };
    return { entries: [entry], result: change.revision };
  });
}

/** Without `champion` the highest pinned version answers: it needs the approval that moving `champion` to it needs. */
async function checkHeir(change: StateChange, model: ModelRecord, champion: number): Promise<void> {
  const release = await change.release(model.name);
  const pins = await change.pins(model.name);
  const heir = pins.length === 0 ? champion : Math.max(...pins);
  if (heir === champion || (release && !release.implicit)) return;
  const { createdBy } = await requireVersion(change, model.name, heir);
  const approvals = await change.approvals(model.name, heir);
  const approvers = approvals.filter((one) => one.alias === championAlias).map((one) => one.approver);
  const { approvalsRequired } = model.settings;
  if (hasApprovals({ pushedBy: createdBy, approvalsRequired, approvers })) return;
  throw failedPrecondition(
    `alias: without ${championAlias} the pinned version ${heir} of ${model.name} would answer, and it has no approval: ` +
      `unpin it (\`sluice unpin ${model.name} ${heir}\`) or let somebody other than ${createdBy}, who pushed it, type ` +
      `\`sluice approve ${model.name} ${heir} --as NAME\`; then delete ${championAlias} again`,
  );
}
