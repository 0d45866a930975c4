import { checkActor } from '@sluice/domain/model';
import { checkExpectedRevision } from './expected-revision.ts';
import { requireModel, requireVersion } from './lookups.ts';
import type { PinRequest } from './pin.ts';
import type { RegistryState } from './state.ts';

/**
 * Ends the quarantine of a version that ended runtimes of a pool, and forgets its strikes there; answers the version's
 * revision. It is loaded again when no pool has it in quarantine. Lifting what is not quarantined changes nothing.
 * @param request `pool` '' means every pool that has it in quarantine
 */
export async function liftQuarantine(
  state: RegistryState,
  actor: string,
  request: PinRequest & { readonly pool: string },
): Promise<number> {
  checkActor(actor);
  return state.change(actor, async (change) => {
    const model = await requireModel(change, request.model);
    const version = await requireVersion(change, model.name, request.version);
    checkExpectedRevision(`${model.name} version ${version.number}`, request.expectedRevision, version.revision);
    const lifted = (await change.quarantines(model.name)).filter(
      (one) => one.version === version.number && (request.pool === '' || one.pool === request.pool),
    );
    if (lifted.length === 0) return { entries: [], result: version.revision };
    await change.touchVersion(model.name, version.number);
    for (const { pool } of lifted) await change.endQuarantine(model.name, version.number, pool);
    await change.settle(model.name);
    const entries = lifted.map(({ pool }) => ({
      action: 'version.quarantine.lifted',
      object: `model/${model.name}/version/${version.number}`,
      body: { model: model.name, version: version.number, pool },
    }));
    return { entries, result: change.revision };
  });
}
