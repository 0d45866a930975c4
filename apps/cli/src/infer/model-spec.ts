import { isDatatype } from '@sluice/domain/datatype';
import { parseVersionRef } from '@sluice/domain/names';
import { RpcError } from '@sluice/rpc/status';
import { manifestOf, type ManifestView } from '../commands/versions.ts';
import { type CliContext, progress } from '../context.ts';
import { CliError, exitCodes } from '../exit-codes.ts';
import type { InputSpec, ModelSpec } from './columns.ts';

/** What this program needs to know of a version to talk to it. */
export interface KnownModel extends ModelSpec {
  readonly maxBatchSize: number;
  readonly task: ManifestView['task'] | undefined;
  /** False when the registry did not answer and the router's metadata had to do: no feature names, no task. */
  readonly isComplete: boolean;
}

/**
 * Inputs, feature names and task of a version: from the registry, or from the router when the registry is away or does
 * not have it, since inference must not depend on the registry.
 */
export async function knownModel(context: CliContext, model: string, version: string): Promise<KnownModel> {
  const ref = parseVersionRef(version, '--model-version');
  try {
    const text = ref.kind === 'release' ? 'champion' : version;
    return await fromRegistry(context, model, text);
  } catch (error) {
    const isAway = error instanceof RpcError && (error.kind === 'unavailable' || error.kind === 'deadline-exceeded');
    const hasNoChampion = error instanceof RpcError && error.kind === 'not-found' && ref.kind === 'release';
    if (!isAway && !hasNoChampion) throw error;
    if (isAway) progress(context, 'the registry does not answer: feature names and task are not known');
    return fromRouter(context, model, version);
  }
}

async function fromRegistry(context: CliContext, model: string, text: string): Promise<KnownModel> {
  const { version } = await context.services.registry.getVersion({ model, version: text }, { signal: context.signal });
  const signature = version?.signature;
  if (!version || !signature) throw new CliError(exitCodes.refused, `${model} version ${text} has no signature`);
  return {
    inputs: signature.inputs.map((spec) => toSpec(spec.name, spec.datatype, spec.shape, spec.features)),
    batched: signature.batched,
    maxBatchSize: version.serving?.maxBatchSize ?? 0,
    task: manifestOf(version.manifestJson).task,
    isComplete: true,
  };
}

async function fromRouter(context: CliContext, model: string, version: string): Promise<KnownModel> {
  const metadata = await context.services.inference.modelMetadata(model, version, { signal: context.signal });
  const inputs = metadata.inputs.map((spec) => toSpec(spec.name, spec.datatype, spec.shape, []));
  const batched = inputs.length > 0 && [...inputs, ...metadata.outputs].every((spec) => Number(spec.shape[0]) === -1);
  return { inputs, batched, maxBatchSize: 0, task: undefined, isComplete: false };
}

/** @throws CliError failed for a datatype that this program does not know */
export function toSpec(
  name: string,
  datatype: string,
  shape: readonly string[],
  features: readonly { name: string; nullable: boolean }[],
): InputSpec {
  if (!isDatatype(datatype)) {
    throw new CliError(
      exitCodes.failed,
      `input "${name}" has the datatype ${datatype}, which this program does not know`,
    );
  }
  return { name, datatype, shape: shape.map(Number), features };
}
