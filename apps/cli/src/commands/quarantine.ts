import { type CliContext, show } from '../context.ts';
import { CliError, exitCodes } from '../exit-codes.ts';
import { showQuarantines } from './show-quarantine.ts';
import { numberOf } from './versions.ts';

/** `sluice quarantine list` */
export async function listQuarantines(context: CliContext): Promise<void> {
  const { quarantined } = await context.services.registry.listLeases({}, { signal: context.signal });
  show(context, quarantined, () =>
    quarantined.length === 0 ? 'nothing is quarantined' : showQuarantines(quarantined),
  );
}

/**
 * `sluice quarantine lift MODEL VERSION`
 * @param options `pool` '' means every pool; `expectedRevision` of the version, where the person has seen it
 * @throws CliError refused when the version is still in quarantine afterwards, in other pools than was said
 */
export async function liftQuarantine(
  context: CliContext,
  model: string,
  text: string,
  { pool, expectedRevision }: { readonly pool: string; readonly expectedRevision?: string | undefined },
): Promise<void> {
  const { registry } = context.services;
  const { signal } = context;
  const version = await numberOf(context, model, text);
  const { revision } = await registry.liftQuarantine(
    { model, version, pool, ...(expectedRevision !== undefined && { expectedRevision }) },
    { signal },
  );
  const quarantines = (await registry.getVersion({ model, version }, { signal })).version?.quarantines ?? [];
  const lifted = { model, version, pool, revision, quarantines };
  if (quarantines.length === 0) {
    show(context, lifted, () => `${model} version ${version} may be loaded again`);
    return;
  }
  if (context.json) show(context, lifted, () => '');
  const pools = quarantines.map((one) => `pool ${one.pool} (${one.reason})`).join(' and ');
  throw new CliError(
    exitCodes.refused,
    `${model} version ${version} is still quarantined, by what it did in ${pools}`,
    pool === '' ? '' : 'Without --pool all of its quarantines end.',
  );
}
