import type { GRPCInferenceServiceMethods, ResponseInput } from '@sluice/contracts/services';
import { SluiceError } from '@sluice/domain/errors';
import type { Signature } from '@sluice/domain/signature';
import { settingHandlers, sharedMemoryHandlers } from '@sluice/rpc/absent-extensions';
import type { Handlers, RawMethod, RawStreamMethod } from '@sluice/rpc/handlers';
import { existingVersion, findModel, placedVersion, versionNumber } from '../route/resolve.ts';
import type { RouteTable } from '../route/table.ts';
import { repositoryHandlers } from './repository-handlers.ts';
import type { RepositoryHandlerOptions } from './repository-handlers.ts';
import { tritonHandlers } from './triton-handlers.ts';
import type { TritonHandlerOptions } from './triton-handlers.ts';

export interface InferenceRpcOptions extends TritonHandlerOptions, RepositoryHandlerOptions {
  readonly infer: RawMethod;
  readonly streamInfer: RawStreamMethod;
  /** True when requests can be served: there is a table and a runtime that is up. */
  readonly ready: () => boolean;
  /** True when some runtime has the version ready. */
  readonly versionReady: (key: string) => boolean;
  /** Version of the software. */
  readonly version: string;
  /** What ServerMetadata calls this server. */
  readonly serverName: string;
}

/** What this server answers of Triton's extensions, by the names that ServerMetadata uses. */
const extensions: readonly string[] = [
  'classification',
  'model_configuration',
  'model_repository',
  'model_repository(unload_dependents)',
  'parameters',
  'schedule_policy',
  'sequence',
  'statistics',
];

/** The public service. Only ModelInfer and ModelStreamInfer are hot; the others use generated messages. */
export function inferenceHandlers(options: InferenceRpcOptions): Handlers<GRPCInferenceServiceMethods> {
  return {
    modelInfer: options.infer,
    serverLive: async () => ({ live: true }),
    serverReady: async () => ({ ready: options.ready() }),
    modelReady: async ({ name, version }) => ({ ready: modelReady(options, name, version) }),
    serverMetadata: async () => ({ name: options.serverName, version: options.version, extensions: [...extensions] }),
    modelMetadata: async ({ name, version }) => modelMetadata(options.table(), name, version),
    modelStreamInfer: options.streamInfer,
    ...tritonHandlers(options),
    ...repositoryHandlers(options),
    ...sharedMemoryHandlers(),
    ...settingHandlers(),
  };
}

/** Whether an inference would be served now. What does not exist is not ready; only a malformed version is an error. */
function modelReady(options: InferenceRpcOptions, name: string, versionText: string): boolean {
  try {
    const model = findModel(options.table(), name);
    return options.versionReady(existingVersion(model, versionNumber(model, versionText)).key);
  } catch (error) {
    if (error instanceof SluiceError && error.kind !== 'invalid-argument') return false;
    throw error;
  }
}

type Metadata = ResponseInput<GRPCInferenceServiceMethods['modelMetadata']>;

function modelMetadata(table: RouteTable | undefined, name: string, versionText: string): Metadata {
  const model = findModel(table, name);
  const version = placedVersion(model, versionNumber(model, versionText));
  return {
    name: model.name,
    versions: [...model.placed.keys()].sort((left, right) => left - right).map(String),
    platform: 'onnxruntime_onnx',
    inputs: tensors(version.signature.inputs),
    outputs: tensors(version.signature.outputs),
    properties: { version: version.text, digest: version.digest },
  };
}

function tensors(specs: Signature['inputs']): NonNullable<Metadata['inputs']> {
  return specs.map(({ name, datatype, shape }) => ({ name, datatype, shape: [...shape] }));
}
