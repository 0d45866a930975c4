import { checkActor } from '@sluice/domain/model';
import { checkExpectedRevision } from './expected-revision.ts';
import { requireModel, requireVersion } from './lookups.ts';
import type { PinRequest } from './pin.ts';
import type { RegistryState } from './state.ts';
import { defaultPool } from './watch.ts';

/**
 * Lets the runtimes of a pool load a version again that ended them, and forgets its strikes; answers the version's
 * revision. Lifting what is not quarantined changes nothing.
 * @param request `pool` '' means `default`
 */
export async function liftQuarantine(
  state: RegistryState,
  actor: string,
  request: PinRequest & { readonly pool: string },
): Promise<number> {
  checkActor(actor);
  const pool = request.pool === '' ? defaultPool : request.pool;
  return state.change(actor, async (change) => {
    const model = await requireModel(change, request.model);
    const version = await requireVersion(change, model.name, request.version);
    checkExpectedRevision(`${model.name} version ${version.number}`, request.expectedRevision, version.revision);
    const quarantines = await change.quarantines(model.name);
    if (!quarantines.some((one) => one.version === version.number && one.pool === pool))
      return { entries: [], result: version.revision };
    await change.touchVersion(model.name, version.number);
    await change.endQuarantine(model.name, version.number, pool);
    await change.settle(model.name);
    const entry = {
      action: 'version.quarantine.lifted',
      object: `model/${model.name}/version/${version.number}`,
      body: { model: model.name, version: version.number, pool },
    };
    return { entries: [entry], result: change.revision };
  });
}
