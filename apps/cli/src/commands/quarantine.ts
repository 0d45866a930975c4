import { type CliContext, show } from '../context.ts';
import { showQuarantines } from './show-quarantine.ts';
import { numberOf } from './versions.ts';

/** `sluice quarantine list` */
export async function listQuarantines(context: CliContext): Promise<void> {
  const { quarantined } = await context.services.registry.listLeases({}, { signal: context.signal });
  show(context, quarantined, () =>
    quarantined.length === 0 ? 'nothing is quarantined' : showQuarantines(quarantined),
  );
}

/** `sluice quarantine lift MODEL VERSION` */
export async function liftQuarantine(context: CliContext, model: string, text: string, pool: string): Promise<void> {
  const version = await numberOf(context, model, text);
  const { revision } = await context.services.registry.liftQuarantine(
    { model, version, pool },
    { signal: context.signal },
  );
  show(context, { model, version, pool, revision }, () => `${model} version ${version} may be loaded again`);
}
