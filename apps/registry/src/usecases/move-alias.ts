import { defaultMoveTimeoutMs } from '@sluice/domain/alias-move';
import { checkOffered } from '@sluice/domain/device';
import { failedPrecondition, invalidArgument } from '@sluice/domain/errors';
import { checkActor } from '@sluice/domain/model';
import { checkAliasName } from '@sluice/domain/names';
import { checkExpectedRevision } from './expected-revision.ts';
import { requireModel, requireNotQuarantined, requireReadyVersion } from './lookups.ts';
import { newest } from './history-page.ts';
import { liveOffers, type PlacingPorts } from './placing.ts';
import type { AliasMove } from './records.ts';
import { requestMove } from './request-move.ts';
import type { StateChange } from './state.ts';

const longestTimeoutMs = 24 * 60 * 60 * 1000;

export interface MoveAliasRequest {
  readonly model: string;
  readonly alias: string;
  readonly version: number;
  /** The alias's revision; 0 when it must not exist yet. */
  readonly expectedRevision?: number | undefined;
  /** 0 means the default. */
  readonly timeoutMs: number;
}

/**
 * Requests a move of an alias. It takes effect later, when the runtimes have the version. Asking for what is so
 * already, or is under way already, answers with the move that did or does it. Refused where no live runtime offers the
 * devices that the version asks for.
 */
export async function moveAlias(ports: PlacingPorts, actor: string, request: MoveAliasRequest): Promise<AliasMove> {
  checkActor(actor);
  const alias = checkAliasName(request.alias);
  if (request.timeoutMs > longestTimeoutMs) {
    throw invalidArgument(`timeout_ms: ${request.timeoutMs} given; expected at most ${longestTimeoutMs} (a day)`);
  }
  const leases = await ports.leases.read();
  return ports.state.change(actor, async (change) => {
    const model = await requireModel(change, request.model);
    const current = await change.alias(model.name, alias);
    checkExpectedRevision(`alias ${alias} of ${model.name}`, request.expectedRevision, current?.revision ?? 0);
    const version = await requireReadyVersion(change, model.name, request.version);
    await requireNotQuarantined(change, model.name, version.number);
    const same = await moveThatDoesIt(change, model.name, alias, version.number);
    if (same) return { entries: [], result: same };
    checkOffered(version, liveOffers(leases));
    const timeoutMs = request.timeoutMs === 0 ? defaultMoveTimeoutMs : request.timeoutMs;
    const { entry, move } = await requestMove(change, { model, alias, version, timeoutMs });
    return { entries: [entry], result: move };
  });
}

async function moveThatDoesIt(
  change: StateChange,
  model: string,
  alias: string,
  version: number,
): Promise<AliasMove | undefined> {
  const pending = (await change.pendingMoves([model])).find((move) => move.alias === alias);
  if (pending?.toVersion === version) return pending;
  if (pending) throw moveUnderWay(pending);
  const current = await change.alias(model, alias);
  if (current?.version !== version) return undefined;
  return (await change.moves(model, alias, newest(1_000))).find((move) => move.state === 'effective');
}

/** The refusal of a change to an alias that is being moved. */
export function moveUnderWay(move: AliasMove): Error {
  const { model, alias, toVersion } = move;
  return failedPrecondition(
    `alias: a move of ${alias} of ${model} to version ${toVersion} is under way; wait for its end, or end it with \`sluice alias cancel ${model} ${alias}\``,
  );
}
