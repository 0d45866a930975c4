import { missingApproval } from '@sluice/domain/approval';
import { requireModel, requireVersion } from './lookups.ts';
import type { AliasMove } from './records.ts';
import { underApproval } from './request-move.ts';
import type { Entry, StateChange } from './state.ts';

export interface EndedMove {
  readonly entry: Entry;
  readonly move: AliasMove;
}

/**
 * Puts a requested move into effect: alias, history, release and retained placement change together, and the version
 * that the alias left stays placed for `retainMs`. It is withdrawn when the model has come to ask for an approval since.
 */
export async function takeEffect(
  change: StateChange,
  move: AliasMove,
  reasons: readonly string[],
  retainMs: number,
): Promise<EndedMove> {
  const { model, alias, toVersion } = move;
  const missing = await approvalMissingSince(change, move);
  if (missing !== undefined) return withdraw(change, move, [missing]);
  const left = (await change.alias(model, alias))?.version;
  await change.pointAlias(model, alias, toVersion, move.actor);
  await change.endRetained(model, alias, toVersion);
  if (left !== undefined && left !== toVersion) {
    await change.retain({ model, alias, version: left, until: change.effectiveAt + retainMs });
  }
  return end(change, move, 'effective', reasons);
}

/** What a move lacks that was approved as far as was needed when it was requested: settings may have changed. */
async function approvalMissingSince(change: StateChange, move: AliasMove): Promise<string | undefined> {
  const model = await requireModel(change, move.model);
  if (model.revision < move.requestedRevision) return undefined;
  const version = await requireVersion(change, model.name, move.toVersion);
  return missingApproval(await underApproval(change, { model, alias: move.alias, version }));
}

/** Gives a requested move up, with reasons; the alias stays where it is. */
export async function withdraw(change: StateChange, move: AliasMove, reasons: readonly string[]): Promise<EndedMove> {
  await leaveAlias(change, move);
  return end(change, move, 'withdrawn', reasons);
}

/** Ends a requested move because a person said so. */
export async function cancel(change: StateChange, move: AliasMove): Promise<EndedMove> {
  await leaveAlias(change, move);
  return end(change, move, 'cancelled', [`cancelled by ${change.actor}`]);
}

/** The alias stays where it is; one that never pointed anywhere does not exist again. */
async function leaveAlias(change: StateChange, { model, alias }: AliasMove): Promise<void> {
  if ((await change.alias(model, alias))?.version === undefined) await change.deleteAlias(model, alias);
  else await change.touchAlias(model, alias);
}

async function end(
  change: StateChange,
  move: AliasMove,
  state: 'effective' | 'withdrawn' | 'cancelled',
  reasons: readonly string[],
): Promise<EndedMove> {
  await change.endMove(move.id, state, reasons);
  await change.settle(move.model);
  const { model, alias, fromVersion, toVersion, actor } = move;
  return {
    entry: {
      action: `alias.move.${state}`,
      object: `model/${model}/alias/${alias}`,
      body: {
        model,
        alias,
        move: move.id,
        from_version: fromVersion ?? null,
        to_version: toVersion,
        requested_by: actor,
        reasons: [...reasons],
      },
    },
    move: { ...move, state, reasons, endedAt: change.effectiveAt, endedRevision: change.revision },
  };
}
