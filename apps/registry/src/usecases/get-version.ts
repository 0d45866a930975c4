import { invalidArgument, notFound } from '@sluice/domain/errors';
import { parseVersionRef } from '@sluice/domain/names';
import { requireModel, requireVersion } from './lookups.ts';
import type { VersionView } from './records.ts';
import type { RegistryState, StateReads } from './state.ts';

/** A version by number or alias, tombstones too. */
export async function getVersion(
  state: RegistryState,
  request: { readonly model: string; readonly version: string },
): Promise<VersionView> {
  const ref = parseVersionRef(request.version, 'version');
  if (ref.kind === 'release') throw invalidArgument('version: empty; expected a number or an alias');
  return state.read(async (reads) => {
    const model = await requireModel(reads, request.model);
    const number = ref.kind === 'number' ? ref.number : await versionOfAlias(reads, model.name, ref.alias);
    const [view] = await reads.versionViews(model.name, { numbers: [number], deleted: true });
    if (view) return view;
    await requireVersion(reads, model.name, number);
    throw notFound(`version: ${model.name} has no version ${number}`);
  });
}

async function versionOfAlias(reads: StateReads, model: string, alias: string): Promise<number> {
  const found = await reads.alias(model, alias);
  if (found?.version === undefined) {
    throw notFound(`version: ${model} has no alias ${alias}; \`sluice show ${model}\` lists those it has`);
  }
  return found.version;
}
