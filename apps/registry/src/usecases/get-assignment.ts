import { isForPool, whereItGoes } from '@sluice/domain/device';
import { notFound } from '@sluice/domain/errors';
import { quarantinedError } from '@sluice/domain/quarantine';
import type { AssignedVersion } from '../watch/desired-state.ts';
import { requireModel, requireVersion } from './lookups.ts';
import type { RegistryState } from './state.ts';
import type { WatchPorts } from './watch.ts';

export interface AssignmentRequest {
  readonly model: string;
  readonly version: number;
  readonly pool: string;
}

/**
 * What a runtime needs to load a version that somebody asks it for. A placed one is as watchers are told of it; any other
 * that may be served is held by nothing.
 * @throws SluiceError not-found for a version that does not exist or may not be served, and for runtimes of pools that it is not for;
 *   failed-precondition for one that is quarantined
 */
export async function getAssignment(
  ports: { readonly state: RegistryState; readonly watch: Pick<WatchPorts, 'hub'> },
  { model, version, pool }: AssignmentRequest,
): Promise<AssignedVersion> {
  const desired = ports.watch.hub.current.desired?.models.get(model);
  const placed = desired?.placed.find((each) => each.version === version);
  if (placed) return forPool(model, placed, pool);
  const { record, quarantines } = await ports.state.read(async (reads) => {
    await requireModel(reads, model);
    return { record: await requireVersion(reads, model, version), quarantines: await reads.quarantines(model) };
  });
  const quarantine = quarantines.find((each) => each.version === version);
  if (quarantine) throw quarantinedError({ model, version, reason: quarantine.reason });
  if (record.state !== 'ready') {
    throw notFound(`version: ${model} version ${version} cannot be loaded: it is ${record.state}`);
  }
  const { digest, files, graphPath, signature, serving, admission } = record;
  const held = { version, heldBy: [], aliases: [], champion: false, pinnedOnly: false };
  const found = { ...held, digest, files, graphPath, signature, serving, modelBytes: admission?.modelBytes ?? 0 };
  return forPool(model, found, pool);
}

/** Which devices a runtime has it knows itself; which pool a version is for it does not. */
function forPool(model: string, found: AssignedVersion, pool: string): AssignedVersion {
  if (isForPool(found.serving, pool)) return found;
  throw notFound(`pool: ${model} version ${found.version} is for ${whereItGoes(found.serving)}, not for pool ${pool}`);
}
