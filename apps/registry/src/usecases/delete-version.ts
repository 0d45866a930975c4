import { failedPrecondition } from '@sluice/domain/errors';
import { checkActor } from '@sluice/domain/model';
import { checkExpectedRevision } from './expected-revision.ts';
import { requireModel, requireVersion } from './lookups.ts';
import type { VersionRecord } from './records.ts';
import type { RegistryState, StateReads } from './state.ts';

export interface DeleteVersionRequest {
  readonly model: string;
  readonly version: number;
  readonly expectedRevision?: number | undefined;
}

/** Leaves a tombstone. Refused while anything refers to the version; the refusal names each and how to let go of it. */
export async function deleteVersion(
  state: RegistryState,
  actor: string,
  request: DeleteVersionRequest,
): Promise<VersionRecord> {
  checkActor(actor);
  return state.change(actor, async (change) => {
    const model = await requireModel(change, request.model);
    const version = await requireVersion(change, model.name, request.version);
    checkExpectedRevision(`${model.name} version ${version.number}`, request.expectedRevision, version.revision);
    if (version.state === 'admitting') {
      throw failedPrecondition(
        `version: ${model.name} version ${version.number} is in admission; delete it when that has ended`,
      );
    }
    const references = await referencesTo(change, model.name, version.number);
    if (references.length > 0) {
      throw failedPrecondition(
        `version: ${model.name} version ${version.number} is in use: ${references.join('; ')}; then delete it again`,
      );
    }
    for (const { version: number, pool } of await change.quarantines(model.name))
      if (number === version.number) await change.endQuarantine(model.name, number, pool);
    await change.deleteVersion(model.name, version.number);
    await change.settle(model.name);
    const entry = {
      action: 'version.deleted',
      object: `model/${model.name}/version/${version.number}`,
      body: { model: model.name, version: version.number, digest: version.digest },
    };
    return { entries: [entry], result: { ...version, state: 'deleted', revision: change.revision } };
  });
}

/** What refers to a version, a phrase each that says how to end it. */
async function referencesTo(reads: StateReads, model: string, version: number): Promise<readonly string[]> {
  const aliases = (await reads.aliases([model])).filter((alias) => alias.version === version);
  const moves = (await reads.pendingMoves([model])).filter((move) => move.toVersion === version);
  const release = await reads.release(model);
  const explicit = release && !release.implicit && release.arms.some((arm) => arm.version === version);
  const retained = (await reads.retained(model)).filter((kept) => kept.version === version);
  return [
    ...aliases.map(({ alias }) => `alias ${alias} points to it (\`sluice alias set ${model} ${alias} OTHER\`)`),
    ...moves.map(({ alias }) => `a move of ${alias} to it is under way (\`sluice alias cancel ${model} ${alias}\`)`),
    ...(explicit
      ? [
          `release ${release.id} sends traffic to it (\`sluice release put ${model}\` without it, or \`sluice release end ${model}\`)`,
        ]
      : []),
    ...((await reads.pins(model)).includes(version) ? [`it is pinned (\`sluice unpin ${model} ${version}\`)`] : []),
    ...retained.map(
      ({ alias, until }) => `${alias} left it and it is kept for a rollback until ${new Date(until).toISOString()}`,
    ),
  ];
}
