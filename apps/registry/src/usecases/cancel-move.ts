import { failedPrecondition } from '@sluice/domain/errors';
import { checkActor } from '@sluice/domain/model';
import { checkAliasName } from '@sluice/domain/names';
import { cancel } from './end-move.ts';
import { checkExpectedRevision } from './expected-revision.ts';
import { requireModel } from './lookups.ts';
import type { AliasMove } from './records.ts';
import type { RegistryState } from './state.ts';

export interface CancelMoveRequest {
  readonly model: string;
  readonly alias: string;
  readonly expectedRevision?: number | undefined;
}

/** Ends the move of an alias that is under way. */
export async function cancelMove(state: RegistryState, actor: string, request: CancelMoveRequest): Promise<AliasMove> {
  checkActor(actor);
  const alias = checkAliasName(request.alias);
  return state.change(actor, async (change) => {
    const model = await requireModel(change, request.model);
    const current = await change.alias(model.name, alias);
    checkExpectedRevision(`alias ${alias} of ${model.name}`, request.expectedRevision, current?.revision ?? 0);
    const pending = (await change.pendingMoves([model.name])).find((move) => move.alias === alias);
    if (!pending) {
      throw failedPrecondition(
        `alias: no move of ${alias} of ${model.name} is under way; \`sluice alias history ${model.name}\` shows those that ended`,
      );
    }
    const { entry, move } = await cancel(change, pending);
    return { entries: [entry], result: move };
  });
}
