import { inferenceService } from '@sluice/contracts/services';
import type { GRPCInferenceServiceMethods, ResponseOutput } from '@sluice/contracts/services';
import type { Clock, Random } from '@sluice/domain/clock';
import { SluiceError } from '@sluice/domain/errors';
import { buildInferRequest } from '@sluice/inference/request-builder';
import { readInferResponse } from '@sluice/inference/infer-response';
import { decodeTensor } from '@sluice/inference/tensor-data';
import type { TensorValues } from '@sluice/inference/tensor-data';
import { createRpcClient } from '@sluice/rpc/client';
import type { CallOptions, RpcClient } from '@sluice/rpc/client';
import { createRawClient } from '@sluice/rpc/raw-client';
import { Replicas } from '@sluice/rpc/replicas';
import type { RawClient, RawOutcome } from '@sluice/rpc/raw-client';
import type { RpcError } from '@sluice/rpc/status';
import type { TlsSource } from '@sluice/rpc/tls/source';
import type { TransportName } from '@sluice/rpc/transport/transport';
import { systemClock, systemRandom } from '@sluice/service-kit/clock';
import { parseAddresses } from './addresses.ts';
import { callerClock } from './caller-clock.ts';
import { fromParameters, toParameters } from './parameters.ts';
import type { Parameter } from './parameters.ts';
import { withRetries } from './retrying.ts';
import { toPart } from './tensors.ts';
import type { Datatype, Tensor } from './tensors.ts';

export const defaultRouterPort = 8001;
const inferPath = `/${inferenceService.name}/ModelInfer`;

export interface OipClientOptions {
  /** Of one inference with all its attempts, in milliseconds; default 30,000. */
  readonly timeoutMs?: number;
  /** How long to go on while the router is away or busy, in milliseconds; default: until the deadline. 0 sends once. */
  readonly retryForMs?: number;
  /** Largest message sent or taken, in bytes; default 64 MiB. */
  readonly maxMessageBytes?: number;
  /** What connections are secured with; without it they are plain. */
  readonly tls?: TlsSource | undefined;
  /**
   * The gRPC stack that inferences go over; default grpc-js. `wire` is Sluice's own, which costs a fraction of the processor time. All other
   * calls go over grpc-js.
   */
  readonly transport?: TransportName;
  readonly clock?: Clock;
  readonly random?: Random;
}

export interface Inference {
  readonly model: string;
  /** A number or an alias; absent means the model's release. */
  readonly version?: string;
  readonly inputs: readonly Tensor[];
  /** Names of the outputs that are wanted; absent means all. */
  readonly outputs?: readonly string[];
  /** Comes back in the answer. */
  readonly id?: string;
  readonly parameters?: Readonly<Record<string, Parameter>>;
}

export interface InferOptions {
  /** Default: that of the client. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  /** `sluice-subject`, `sluice-unit`, `sluice-arm`, `sluice-caller` and the like. */
  readonly metadata?: Readonly<Record<string, string>>;
}

export interface Output {
  readonly name: string;
  readonly datatype: Datatype;
  readonly shape: readonly number[];
  readonly values: TensorValues;
}

export interface InferResult {
  readonly model: string;
  /** The number of the version that made the answer. */
  readonly version: string;
  readonly id: string;
  /** Under which labels and feedback are sent later; empty on a runtime's own port. */
  readonly predictionId: string;
  /** The arm of the release that answered; empty on a runtime's own port. */
  readonly arm: string;
  readonly parameters: Readonly<Record<string, Parameter>>;
  readonly outputs: readonly Output[];
  /** @throws SluiceError not-found, naming the outputs that there are */
  output(name: string): Output;
}

type Metadata = ResponseOutput<GRPCInferenceServiceMethods['modelMetadata']>;

/** A client of the Open Inference Protocol, against a router or a runtime. Failures are `RpcError`s. */
export class OipClient {
  readonly #routers: Replicas;
  readonly #options: OipClientOptions;
  readonly #clock: Clock;
  readonly #rpc: RpcClient<GRPCInferenceServiceMethods>;
  readonly #raw = new Map<string, RawClient>();

  /** @param addresses `host:port`, comma separated; the next is used when one is away */
  constructor(addresses: string, options: OipClientOptions = {}) {
    this.#routers = new Replicas(parseAddresses(addresses, defaultRouterPort));
    this.#options = options;
    this.#clock = options.clock ?? callerClock;
    this.#rpc = createRpcClient(inferenceService, this.#routers, {
      clock: this.#clock,
      tls: options.tls,
      ...(options.maxMessageBytes !== undefined && { maxMessageBytes: options.maxMessageBytes }),
    });
  }

  /**
   * One inference. It is sent again when the router cannot be reached, breaks off, is not ready or is full, within the
   * deadline; a request of a sequence only when it cannot have arrived.
   *
   * @throws SluiceError invalid-argument when a tensor does not fit itself; RpcError for everything that the server says
   */
  async infer(inference: Inference, options: InferOptions = {}): Promise<InferResult> {
    const message = buildInferRequest({
      modelName: inference.model,
      ...(inference.version !== undefined && { modelVersion: inference.version }),
      ...(inference.id !== undefined && { id: inference.id }),
      ...(inference.outputs !== undefined && { outputs: inference.outputs }),
      parameters: toParameters(inference.parameters ?? {}),
      inputs: inference.inputs.map(toPart),
    });
    const deadlineMs = this.#clock.now() + (options.timeoutMs ?? this.#options.timeoutMs ?? 30_000);
    const sequence = inference.parameters?.['sequence_id'] ?? '';
    const idempotent = sequence === '' || sequence === 0 || sequence === 0n;
    const answer = await this.#retried({ idempotent, deadlineMs, signal: options.signal }, () =>
      this.#inferOnce(message, deadlineMs, options),
    );
    return toResult(answer.message!, answer.trailer('sluice-prediction-id') ?? '');
  }

  /** Whether the process answers. */
  async serverLive(options: CallOptions = {}): Promise<boolean> {
    return (await this.#rpc.serverLive({}, options)).live;
  }

  /** Whether it can serve: false while it has nothing to serve from or is stopping. */
  async serverReady(options: CallOptions = {}): Promise<boolean> {
    return (await this.#rpc.serverReady({}, options)).ready;
  }

  /** @param version a number or an alias; absent means the model's release */
  async modelReady(name: string, version = '', options: CallOptions = {}): Promise<boolean> {
    return (await this.#rpc.modelReady({ name, version }, options)).ready;
  }

  /** Inputs and outputs of a version, and the versions that there are. */
  async modelMetadata(name: string, version = '', options: CallOptions = {}): Promise<Metadata> {
    const deadlineMs = this.#clock.now() + (options.timeoutMs ?? this.#options.timeoutMs ?? 30_000);
    return this.#retried({ idempotent: true, deadlineMs, signal: options.signal }, () =>
      this.#rpc.modelMetadata({ name, version }, { deadlineMs, ...options }),
    );
  }

  /** All methods of the protocol with their own messages, without retries. */
  get rpc(): RpcClient<GRPCInferenceServiceMethods> {
    return this.#rpc;
  }

  close(): void {
    this.#rpc.close();
    for (const client of this.#raw.values()) client.close();
  }

  #retried<T>(call: Parameters<typeof withRetries>[1], attempt: () => Promise<T>): Promise<T> {
    const retryForMs = this.#options.retryForMs ?? Number.POSITIVE_INFINITY;
    return withRetries({ clock: this.#clock, random: this.#options.random ?? systemRandom, retryForMs }, call, attempt);
  }

  #inferOnce(message: Uint8Array, deadlineMs: number, options: InferOptions): Promise<RawOutcome> {
    const { address } = this.#routers;
    return new Promise((resolve, reject) => {
      if (options.signal?.aborted === true) {
        reject(new SluiceError('cancelled', 'cancelled before it was sent'));
        return;
      }
      const abort = (): void => call.cancel();
      const call = this.#client(address).call(
        inferPath,
        message,
        { deadlineMs, ...(options.metadata !== undefined && { metadata: options.metadata }) },
        (outcome) => {
          options.signal?.removeEventListener('abort', abort);
          if (outcome.error === undefined) resolve(outcome);
          else {
            this.#turnFrom(address, outcome.error);
            reject(outcome.error);
          }
        },
      );
      options.signal?.addEventListener('abort', abort, { once: true });
    });
  }

  #client(address: string): RawClient {
    const known = this.#raw.get(address);
    if (known !== undefined) return known;
    const { maxMessageBytes, transport = 'grpc-js', clock = systemClock, random = systemRandom, tls } = this.#options;
    // Not the caller's clock: what a connection waits for is no reason to keep a program alive.
    const options = { transport, clock, random, tls, maxMessageBytes };
    const client = createRawClient(address, options);
    this.#raw.set(address, client);
    return client;
  }

  #turnFrom(address: string, error: RpcError): void {
    if (error.kind === 'unavailable') this.#routers.turnFrom(address);
    // One that hangs keeps its connections: only the time of a call tells.
    else if (error.kind === 'deadline-exceeded' && error.origin === 'local') this.#routers.silent(address);
  }
}

/** @param addresses of routers (or runtimes), such as `127.0.0.1:8001` */
export function createOipClient(addresses: string, options: OipClientOptions = {}): OipClient {
  return new OipClient(addresses, options);
}

function toResult(message: Buffer, predictionId: string): InferResult {
  const response = readInferResponse(message);
  const parameters = fromParameters(response.parameters);
  const outputs = response.outputs.map(({ name, datatype, shape, data }) => ({
    name,
    datatype,
    shape,
    values: decodeTensor(datatype, data),
  }));
  return {
    model: response.modelName,
    version: response.modelVersion,
    id: response.id,
    predictionId: String(parameters['prediction_id'] ?? predictionId),
    arm: String(parameters['sluice_arm'] ?? ''),
    parameters,
    outputs,
    output(name) {
      const found = outputs.find((output) => output.name === name);
      if (found !== undefined) return found;
      const names = outputs.map((output) => output.name).join(', ');
      throw new SluiceError('not-found', `the answer has no output '${name}', it has: ${names}`);
    },
  };
}
