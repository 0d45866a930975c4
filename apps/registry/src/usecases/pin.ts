import { championAlias } from '@sluice/domain/approval';
import { checkOffered } from '@sluice/domain/device';
import { checkActor } from '@sluice/domain/model';
import { checkAnsweringAfter } from './answering.ts';
import { checkExpectedRevision } from './expected-revision.ts';
import { requireModel, requireNotQuarantined, requireReadyVersion, requireVersion } from './lookups.ts';
import { liveOffers, type PlacingPorts } from './placing.ts';
import type { RegistryState } from './state.ts';

export interface PinRequest {
  readonly model: string;
  readonly version: number;
  /** The version's revision. */
  readonly expectedRevision?: number | undefined;
}

/**
 * Keeps a version loaded; answers the version's revision. Pinning what is pinned changes nothing. Refused, as the unpin
 * is, where it would make an unapproved version answer in place of a former `champion`, and where no live runtime offers
 * the devices that the version asks for.
 */
export async function pinVersion(ports: PlacingPorts, actor: string, request: PinRequest): Promise<number> {
  checkActor(actor);
  const leases = await ports.leases.read();
  return ports.state.change(actor, async (change) => {
    const model = await requireModel(change, request.model);
    const version = await requireReadyVersion(change, model.name, request.version);
    checkExpectedRevision(`${model.name} version ${version.number}`, request.expectedRevision, version.revision);
    const pins = await change.pins(model.name);
    if (pins.includes(version.number)) return { entries: [], result: version.revision };
    await requireNotQuarantined(change, model.name, version.number);
    checkOffered(version, liveOffers(leases));
    const champion = (await change.alias(model.name, championAlias))?.version;
    await checkAnsweringAfter(change, model, 'pin', { champion, pins: [...pins, version.number] });
    await change.touchVersion(model.name, version.number);
    await change.insertPin(model.name, version.number);
    await change.settle(model.name);
    return { entries: [pinEntry('version.pinned', model.name, version.number)], result: change.revision };
  });
}

/** Lets go of a pinned version; answers the version's revision. Unpinning what is not pinned changes nothing. */
export async function unpinVersion(state: RegistryState, actor: string, request: PinRequest): Promise<number> {
  checkActor(actor);
  return state.change(actor, async (change) => {
    const model = await requireModel(change, request.model);
    const version = await requireVersion(change, model.name, request.version);
    checkExpectedRevision(`${model.name} version ${version.number}`, request.expectedRevision, version.revision);
    const pins = await change.pins(model.name);
    if (!pins.includes(version.number)) return { entries: [], result: version.revision };
    const champion = (await change.alias(model.name, championAlias))?.version;
    const left = pins.filter((pin) => pin !== version.number);
    await checkAnsweringAfter(change, model, 'unpin', { champion, pins: left });
    await change.touchVersion(model.name, version.number);
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
