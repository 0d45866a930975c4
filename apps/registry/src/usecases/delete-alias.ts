import { championAlias } from '@sluice/domain/approval';
import { notFound } from '@sluice/domain/errors';
import { checkActor } from '@sluice/domain/model';
import { checkAliasName } from '@sluice/domain/names';
import { checkAnsweringAfter } from './answering.ts';
import { checkExpectedRevision } from './expected-revision.ts';
import { requireModel } from './lookups.ts';
import { moveUnderWay } from './move-alias.ts';
import type { RegistryState } from './state.ts';

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
    if (alias === championAlias) {
      const pins = await change.pins(model.name);
      await checkAnsweringAfter(change, model, 'delete-champion', { champion: undefined, pins });
    }
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
