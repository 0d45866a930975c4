import type { GRPCInferenceServiceMethods } from '@sluice/contracts/services';
import { unavailable } from '@sluice/domain/errors';
import type { TensorSpec } from '@sluice/domain/signature';
import { settingHandlers, sharedMemoryHandlers } from '@sluice/rpc/absent-extensions';
import { inferStreamCodec } from '@sluice/inference/infer-stream';
import {
  raw,
  rawStream,
  unimplemented,
  type Handlers,
  type RawUnaryHandler,
  type UnimplementedMethod,
} from '@sluice/rpc/handlers';
import { tritonHandlers, type TritonHandlerPorts } from './triton-handlers.ts';

/** What the small methods need. */
export interface InferenceHandlerPorts extends TritonHandlerPorts {
  readonly predict: RawUnaryHandler;
  /** Predictions of one stream that are under way, or answered and not read, before it is not read further. */
  readonly maxStreamRequests: number;
  /** The first placement is loaded. */
  readonly ready: () => boolean;
  readonly draining: () => boolean;
  /** Of the software. */
  readonly version: string;
}

/** Extensions of the protocol that this server has, by Triton's names: list one here when it works. */
export const extensions: readonly string[] = [
  'classification',
  'model_configuration',
  'schedule_policy',
  'sequence',
  'statistics',
];
/** What runs the models, by Triton's name. */
const platform = 'onnxruntime_onnx';

const metadataOf = ({ name, datatype, shape }: TensorSpec) => ({ name, datatype, shape: shape.map(String) });

const missing = (method: string): UnimplementedMethod =>
  unimplemented(
    `${method} is not implemented by a model server: it loads what the registry places; ask the router, or use \`sluice pin\` and \`sluice unpin\``,
  );

/** The methods of GRPCInferenceService on a runtime's own port. */
export function inferenceHandlers(ports: InferenceHandlerPorts): Handlers<GRPCInferenceServiceMethods> {
  const { table } = ports;
  return {
    serverLive: async () => ({ live: true }),
    serverReady: async () => {
      if (ports.draining()) throw unavailable('the server is stopping');
      return { ready: ports.ready() };
    },
    modelReady: async ({ name, version }) => ({ ready: table().find(name, version)?.engine !== undefined }),
    serverMetadata: async () => ({ name: 'sluice-model-server', version: ports.version, extensions: [...extensions] }),
    modelMetadata: async ({ name, version }) => {
      const { signature } = table().described(name, version).assignment;
      const loaded = table()
        .versions(name)
        .filter((other) => other.engine);
      return {
        name,
        versions: loaded.map((other) => String(other.assignment.version)),
        platform,
        inputs: signature.inputs.map(metadataOf),
        outputs: signature.outputs.map(metadataOf),
      };
    },
    modelInfer: raw(ports.predict),
    modelStreamInfer: rawStream(ports.predict, { codec: inferStreamCodec, maxInFlight: ports.maxStreamRequests }),
    ...tritonHandlers(ports),
    ...sharedMemoryHandlers(),
    ...settingHandlers(),
    ...notHere(),
  };
}

function notHere() {
  return {
    repositoryModelLoad: missing('RepositoryModelLoad'),
    repositoryModelUnload: missing('RepositoryModelUnload'),
  };
}
