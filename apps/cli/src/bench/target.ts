import { isDatatype } from '@sluice/domain/datatype';
import type { GRPCInferenceServiceMethods, ResponseOutput } from '@sluice/contracts/services';
import type { RpcClient } from '@sluice/rpc/client';
import { RpcError } from '@sluice/rpc/status';
import { CliError, exitCodes } from '../exit-codes.ts';
import type { ModelSpec } from '../infer/columns.ts';

export type OipRpc = Pick<
  RpcClient<GRPCInferenceServiceMethods>,
  'serverMetadata' | 'modelMetadata' | 'modelConfig' | 'modelStatistics'
>;

/** The server and model that are measured, as they describe themselves. */
export interface Target extends ModelSpec {
  readonly server: { readonly name: string; readonly version: string };
  /** The server counts where the time of requests goes. */
  readonly hasStatistics: boolean;
  /** 0: not known, or requests do not batch. */
  readonly maxBatchSize: number;
  readonly isStateful: boolean;
}

/**
 * Asks a server what it is and what a model takes. Only ModelMetadata has to be there; what other servers lack is taken as absent.
 *
 * @throws CliError when the model cannot be driven by this program
 */
export async function describeTarget(
  rpc: OipRpc,
  model: string,
  version: string,
  signal: AbortSignal,
): Promise<Target> {
  const metadata = await rpc.modelMetadata({ name: model, version }, { signal });
  const server = await optional(rpc.serverMetadata({}, { signal }));
  const config = (await optional(rpc.modelConfig({ name: model, version }, { signal })))?.config ?? undefined;
  if (config?.modelTransactionPolicy?.decoupled === true)
    throw new CliError(
      exitCodes.refused,
      `${model} answers a request with any number of responses (decoupled): sluice bench does not measure that`,
    );
  const inputs = metadata.inputs.map(toSpec);
  const dimensions = [...metadata.inputs, ...metadata.outputs].map(({ shape }) => Number(shape[0]));
  const looksBatched = inputs.length > 0 && dimensions.every((first) => first === -1);
  return {
    server: { name: server?.name ?? '', version: server?.version ?? '' },
    hasStatistics: server?.extensions.includes('statistics') ?? false,
    inputs,
    batched: config === undefined ? looksBatched : config.maxBatchSize > 0,
    maxBatchSize: config?.maxBatchSize ?? 0,
    isStateful: Boolean(config?.sequenceBatching),
  };
}

/** What a server says that answers the method; a refusal, for whatever reason, is no obstacle to the load. */
async function optional<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof RpcError && error.origin === 'answered') return undefined;
    throw error;
  }
}

type Metadata = ResponseOutput<GRPCInferenceServiceMethods['modelMetadata']>;

function toSpec({ name, datatype, shape }: Metadata['inputs'][number]): ModelSpec['inputs'][number] {
  if (!isDatatype(datatype))
    throw new CliError(
      exitCodes.failed,
      `input "${name}" has the datatype ${datatype}, which this program does not know`,
    );
  return { name, datatype, shape: shape.map(Number), features: [] };
}
