import { notFound } from '@sluice/domain/errors';
import { quarantinedError } from '@sluice/domain/quarantine';
import type { PlacedVersion } from '../watch/desired-state.ts';
import { requireModel, requireVersion } from './lookups.ts';
import type { RegistryState } from './state.ts';
import type { WatchPorts } from './watch.ts';
import { defaultPool } from './watch.ts';

export interface AssignmentRequest {
  readonly model: string;
  readonly version: number;
  readonly pool: string;
}

/**
 * What a runtime needs to load a version that somebody asks it for. A placed one is as watchers are told of it; any other
 * that may be served is held by nothing.
 * @throws SluiceError not-found for a version that does not exist or may not be served, and for runtimes of other pools;
 *   failed-precondition for one that is quarantined
 */
export async function getAssignment(
  ports: { readonly state: RegistryState; readonly watch: Pick<WatchPorts, 'hub'> },
  { model, version, pool }: AssignmentRequest,
): Promise<PlacedVersion> {
  if (pool !== defaultPool)
    throw notFound(`pool: ${pool} has no models; runtimes of pool ${defaultPool} load ${model}`);
  const desired = ports.watch.hub.current.desired?.models.get(model);
  const placed = desired?.placed.find((each) => each.version === version);
  if (placed) return placed;
  const { record, quarantines } = await ports.state.read(async (reads) => {
    await requireModel(reads, model);
    return { record: await requireVersion(reads, model, version), quarantines: await reads.quarantines(model) };
  });
  const quarantine = quarantines.find((each) => each.version === version && each.pool === pool);
  if (quarantine) throw quarantinedError({ model, version, reason: quarantine.reason });
  if (record.state !== 'ready') {
    throw notFound(`version: ${model} version ${version} cannot be loaded: it is ${record.state}`);
  }
  const { digest, files, graphPath, signature, serving, admission } = record;
  const held = { version, heldBy: [], aliases: [], champion: false, pinnedOnly: false };
  return { ...held, digest, files, graphPath, signature, serving, modelBytes: admission?.modelBytes ?? 0 };
}
