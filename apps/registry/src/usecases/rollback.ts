import { defaultMoveTimeoutMs } from '@sluice/domain/alias-move';
import { championAlias } from '@sluice/domain/approval';
import { checkOffered } from '@sluice/domain/device';
import { failedPrecondition } from '@sluice/domain/errors';
import { checkActor } from '@sluice/domain/model';
import { placementOf } from '@sluice/domain/placement';
import { takeEffect } from './end-move.ts';
import { checkExpectedRevision } from './expected-revision.ts';
import { newest } from './history-page.ts';
import { requireModel, requireReadyVersion } from './lookups.ts';
import { moveUnderWay } from './move-alias.ts';
import type { AliasHistoryEntry, AliasMove, Leases } from './records.ts';
import { liveOffers, type PlacingPorts } from './placing.ts';
import { requestMove } from './request-move.ts';
import type { Entry, StateChange } from './state.ts';

export interface RollbackRequest {
  readonly model: string;
  readonly expectedRevision?: number | undefined;
}

export interface RollbackPorts extends PlacingPorts {
  readonly retainMs: number;
}

/**
 * Points `champion` back at the version that it had before, over those that are deleted or quarantined; another rollback goes one further back. When a live runtime reports that version ready and it is
 * still placed, the move is requested and takes effect in one go; otherwise it is a move like any other.
 */
export async function rollback(ports: RollbackPorts, actor: string, request: RollbackRequest): Promise<AliasMove> {
  checkActor(actor);
  const leases = await ports.leases.read();
  return ports.state.change(actor, async (change) => {
    const model = await requireModel(change, request.model);
    const current = await change.alias(model.name, championAlias);
    checkExpectedRevision(`alias ${championAlias} of ${model.name}`, request.expectedRevision, current?.revision ?? 0);
    const pending = (await change.pendingMoves([model.name])).find((move) => move.alias === championAlias);
    if (pending) throw moveUnderWay(pending);
    const former = await formerChampion(change, model.name, current?.version);
    const version = await requireReadyVersion(change, model.name, former);
    const immediate = (await isPlaced(change, model.name, former)) && isReadySomewhere(leases, model.name, former);
    if (!immediate) checkOffered(version, liveOffers(leases));
    const requested = await requestMove(change, {
      model,
      alias: championAlias,
      version,
      timeoutMs: defaultMoveTimeoutMs,
      rollback: true,
    });
    const mark = (entry: Entry): Entry => ({ ...entry, body: { ...entry.body, rollback: true } });
    if (!immediate) return { entries: [mark(requested.entry)], result: requested.move };
    const ended = await takeEffect(change, requested.move, [], ports.retainMs);
    return { entries: [mark(requested.entry), mark(ended.entry)], result: ended.move };
  });
}

/** An alias that moves every hour has a year's worth. */
const mostStretches = 10_000;

/** The version that `champion` had before its current one; it is the one before those that are deleted or in quarantine. */
async function formerChampion(change: StateChange, model: string, current: number | undefined): Promise<number> {
  const history = await change.aliasHistory(model, championAlias, newest(mostStretches));
  const way = wayHere(history.toReversed());
  const former = new Set(way.toReversed().filter((version) => version !== current));
  const quarantined = new Set((await change.quarantines(model)).map(({ version }) => version));
  for (const version of current === undefined ? [] : former) {
    if (!quarantined.has(version) && (await change.version(model, version))?.state !== 'deleted') return version;
  }
  throw failedPrecondition(
    `${model}: ${championAlias} has ${current === undefined ? 'no version' : 'had no version before this one'}` +
      `${current !== undefined && former.size > 0 ? ' that is neither deleted nor quarantined' : ''}; ` +
      `choose one with \`sluice alias set ${model} ${championAlias} VERSION\``,
  );
}

/**
 * The versions that led to where an alias is, oldest first. A rollback takes back the steps after the version that it
 * goes to, so that what a rollback left is not where the next one goes: after 1, 2, 3 and a rollback it is 1, 2.
 */
export function wayHere(history: readonly Pick<AliasHistoryEntry, 'version' | 'rollback'>[]): readonly number[] {
  const way: number[] = [];
  for (const { version, rollback: isRollback } of history) {
    const at = isRollback ? way.lastIndexOf(version) : -1;
    if (at >= 0) way.length = at + 1;
    else way.push(version);
  }
  return way;
}

async function isPlaced(change: StateChange, model: string, version: number): Promise<boolean> {
  const placed = placementOf({
    aliases: (await change.aliases([model])).flatMap((alias) =>
      alias.version === undefined ? [] : [{ alias: alias.alias, version: alias.version }],
    ),
    moves: await change.pendingMoves([model]),
    releases: [],
    pins: await change.pins(model),
    retained: await change.retained(model),
    // The version that is asked about is none of them.
    quarantined: [],
  });
  return placed.some((entry) => entry.version === version);
}

function isReadySomewhere(leases: Leases, model: string, version: number): boolean {
  return leases.runtimes.some(
    (runtime) =>
      runtime.live &&
      runtime.versions.some(
        (loaded) => loaded.model === model && loaded.version === version && loaded.state === 'ready',
      ),
  );
}
