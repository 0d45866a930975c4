import { checkActor } from '@sluice/domain/model';
import { requireModel, requireReadyVersion, requireVersion } from './lookups.ts';
import type { RegistryState } from './state.ts';

export interface PinRequest {
  readonly model: string;
  readonly version: number;
}

/** Keeps a version loaded; answers the revision. Pinning what is pinned changes nothing. */
export async function pinVersion(state: RegistryState, actor: string, request: PinRequest): Promise<number> {
  checkActor(actor);
  return state.change(actor, async (change) => {
    const model = await requireModel(change, request.model);
    const version = await requireReadyVersion(change, model.name, request.version);
    if ((await change.pins(model.name)).includes(version.number)) return { entries: [], result: model.revision };
    await change.insertPin(model.name, version.number);
    await change.settle(model.name);
    return { entries: [pinEntry('version.pinned', model.name, version.number)], result: change.revision };
  });
}

/** Lets go of a pinned version; answers the revision. Unpinning what is not pinned changes nothing. */
export async function unpinVersion(state: RegistryState, actor: string, request: PinRequest): Promise<number> {
  checkActor(actor);
  return state.change(actor, async (change) => {
    const model = await requireModel(change, request.model);
    const version = await requireVersion(change, model.name, request.version);
    if (!(await change.pins(model.name)).includes(version.number)) return { entries: [], result: model.revision };
    await change.deletePin(model.name, version.number);
    await change.settle(model.name);
    return { entries: [pinEntry('version.unpinned', model.name, version.number)], result: change.revision };
  });
}

const pinEntry = (action: string, model: string, version: number) => ({
  action,
  object: `model/${model}/version/${version}`,
  body: { model, version },
});
