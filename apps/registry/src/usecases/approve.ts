import { championAlias, checkApprover } from '@sluice/domain/approval';
import { checkActor } from '@sluice/domain/model';
import { checkExpectedRevision } from './expected-revision.ts';
import { requireModel, requireReadyVersion } from './lookups.ts';
import type { ApprovalRecord } from './records.ts';
import type { RegistryState } from './state.ts';

export interface ApproveRequest {
  readonly model: string;
  readonly version: number;
  /** '' means `champion`. */
  readonly alias: string;
  /** The version's revision. */
  readonly expectedRevision?: number | undefined;
}

/** Records the actor's approval of (version, alias). It stays valid; approving twice is approving once. */
export async function approve(state: RegistryState, actor: string, request: ApproveRequest): Promise<ApprovalRecord> {
  checkActor(actor);
  const alias = request.alias === '' ? championAlias : request.alias;
  return state.change(actor, async (change) => {
    const model = await requireModel(change, request.model);
    const version = await requireReadyVersion(change, model.name, request.version);
    checkExpectedRevision(`${model.name} version ${version.number}`, request.expectedRevision, version.revision);
    checkApprover({
      model: model.name,
      version: version.number,
      alias,
      approver: actor,
      pushedBy: version.createdBy,
    });
    const given = (await change.approvals(model.name, version.number)).find(
      (approval) => approval.alias === alias && approval.approver === actor,
    );
    if (given) return { entries: [], result: given };
    const approval: ApprovalRecord = {
      model: model.name,
      version: version.number,
      alias,
      approver: actor,
      at: change.effectiveAt,
      revision: change.revision,
    };
    await change.touchVersion(model.name, version.number);
    await change.insertApproval(approval);
    return {
      entries: [
        {
          action: 'version.approved',
          object: `model/${model.name}/version/${version.number}`,
          body: { model: model.name, version: version.number, digest: version.digest, alias, approver: actor },
        },
      ],
      result: approval,
    };
  });
}
