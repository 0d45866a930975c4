import { inferenceService, runtimeService } from '@sluice/contracts/services';
import type { GRPCInferenceServiceMethods, Service } from '@sluice/contracts/services';
import { SluiceError, errorKinds } from '@sluice/domain/errors';
import type { ErrorKind } from '@sluice/domain/errors';
import type { Signature } from '@sluice/domain/signature';
import { parseInferRequest } from '@sluice/inference/infer-request';
import { buildInferResponse } from '@sluice/inference/infer-response';
import { raw, unimplemented, watch } from '@sluice/rpc/handlers';
import type { Handlers, RawCall } from '@sluice/rpc/handlers';
import { linkHandler } from '@sluice/rpc/link/link-handler';
import { createRpcServer } from '@sluice/rpc/server';
import { systemClock } from '@sluice/service-kit/clock';
import { createMetrics } from '@sluice/telemetry/metrics';
import { recordingLogger } from './doubles.ts';
import { RuntimeSequences } from './runtime-sequences.ts';

const inferMethod = `${inferenceService.name}/ModelInfer`;

/** A version that a runtime says it has: model, number, ready, and why not if loading it has failed. */
export type Loaded = readonly (readonly [string, number, boolean | 'on demand', string?])[];

export interface RuntimeSettings {
  readonly id: string;
  readonly loaded: Loaded;
  readonly port?: number;
  /** False for a runtime of before the link: its router makes a call per inference. */
  readonly link?: boolean;
  /** Requests for versions that are not placed are answered too. */
  readonly loadsOnDemand?: boolean;
  /** What `test_exit` does. */
  readonly exit?: () => void;
  /** Answers of other methods of the inference service. */
  readonly methods?: Partial<Handlers<GRPCInferenceServiceMethods>>;
}

/** What a runtime saw. */
export interface Seen {
  requests: number;
  cancelled: number;
  deadlines: number[];
  versions: string[];
  traceparents: (string | undefined)[];
}

export interface TestRuntime {
  readonly port: number;
  readonly address: string;
  readonly seen: Seen;
  /** The bytes of the last request, as they came, and those of its answer. */
  readonly last: { request: Buffer; answer: Buffer };
  readonly sequences: RuntimeSequences;
  setStatus(loaded: Loaded, draining?: boolean): void;
  /** Links that stand. */
  links(): number;
  /** Answers every request that waits. */
  releaseAll(): void;
  /** Stops as a runtime does: what it has is finished first. */
  drain(): Promise<string[]>;
  stop(): Promise<void>;
}

const tensor = (name: string) => ({
  name,
  datatype: 'FP32' as const,
  shape: [-1, 2],
  dimNames: ['', ''],
  features: [],
});
export const signature: Signature = { inputs: [tensor('x')], outputs: [tensor('y')], batched: true };

/**
 * A runtime over real gRPC that answers y = x. Request parameters tell it to misbehave: `test_wait` holds the answer
 * until `releaseAll`, `test_fail` answers with an error of that kind (for `test_version` alone, where that is said, and as one whose
 * request must not be sent again with `test_never_again`), `test_exit` ends it. Of a sequence it answers the
 * sum of its rows so far.
 */
export async function startRuntime(settings: RuntimeSettings): Promise<TestRuntime> {
  const status = new Status(settings.loaded);
  const seen: Seen = { requests: 0, cancelled: 0, deadlines: [], versions: [], traceparents: [] };
  const last: TestRuntime['last'] = { request: Buffer.alloc(0), answer: Buffer.alloc(0) };
  const waiting = new Set<() => void>();
  const sequences = new RuntimeSequences(settings.id);
  const { logger } = recordingLogger();
  const metrics = createMetrics({ service: 'runtime', instanceId: settings.id, processMetrics: false });
  const server = createRpcServer({ logger, metrics, clock: systemClock });
  const infer = (bytes: Buffer, call: RawCall): void => {
    seen.requests++;
    last.request = Buffer.from(bytes);
    const request = parseInferRequest(bytes, signature);
    seen.versions.push(request.modelVersion);
    seen.deadlines.push(call.deadlineMs - systemClock.now());
    seen.traceparents.push(call.metadata('traceparent'));
    if (request.parameters.has('test_exit')) {
      settings.exit?.();
      return;
    }
    const fail = request.parameters.get('test_fail');
    const only = request.parameters.get('test_version');
    if (fail?.kind === 'string' && (only?.kind !== 'string' || only.value === request.modelVersion)) {
      const kind: ErrorKind = errorKinds.find((each) => each === fail.value) ?? 'internal';
      const neverAgain = request.parameters.has('test_never_again');
      throw new SluiceError(kind, `${settings.id} answers ${kind}`, { retryAfterMs: 7, neverAgain });
    }
    const input = request.inputs[0]!;
    const state = sequences.take(request);
    const answer = (): void => {
      waiting.delete(answer);
      const { modelName, modelVersion, id } = request;
      const data = state ?? Uint8Array.from(input.raw ?? new Uint8Array(input.byteLength));
      const output = { name: 'y', datatype: 'FP32', shape: input.shape, data } as const;
      last.answer = buildInferResponse({ modelName, modelVersion, id, outputs: [output] });
      call.respond(last.answer);
    };
    if (!request.parameters.has('test_wait')) {
      answer();
      return;
    }
    waiting.add(answer);
    call.onCancel(() => {
      seen.cancelled++;
      waiting.delete(answer);
    });
  };
  server.addService(runtimeService, {
    watchStatus: watch(async function* (_request, ctx) {
      for await (const { loaded, draining } of status.follow(ctx.signal)) {
        const versions = loaded.map(([model, version, ready, reason = '']) => ({
          model,
          version: String(version),
          ready: ready === true,
          onDemand: ready === 'on demand',
          reason,
        }));
        const loadsOnDemand = settings.loadsOnDemand ?? false;
        yield { runtimeId: settings.id, versions, draining, protocolVersion: 1, loadsOnDemand };
      }
    }),
    locateSequence: async (request) => sequences.locate(request),
    loadVersion: unimplemented('no loads here'),
    link: settings.link === false ? unimplemented('no link here') : linkHandler({ [inferMethod]: infer }),
  });
  server.addService(inferenceService, {
    ...unimplementedOf(inferenceService),
    ...settings.methods,
    modelInfer: raw(infer),
  });
  const port = await server.bind('127.0.0.1', settings.port ?? 0);
  return {
    port,
    address: `127.0.0.1:${port}`,
    seen,
    last,
    sequences,
    setStatus: (loaded, draining = false) => status.set(loaded, draining),
    links: () => metrics.method(`${runtimeService.name}/Link`).inFlight,
    drain: () => server.tryShutdown(5_000),
    releaseAll() {
      for (const answer of waiting) answer();
    },
    stop: async () => {
      await server.tryShutdown(0);
    },
  };
}

/** Handlers that refuse every method of a service. */
export function unimplementedOf<Methods>(service: Service<Methods>): Handlers<Methods> {
  const names = Object.values(service.definition).map((method) => method.originalName!);
  return Object.fromEntries(
    names.map((name) => [name, unimplemented(`${name} is not in this test`)]),
  ) as Handlers<Methods>;
}

/** A value that streams follow: the one of now, then every later one. */
class Status {
  #value: { readonly loaded: Loaded; readonly draining: boolean };
  readonly #wake = new Set<() => void>();

  constructor(loaded: Loaded) {
    this.#value = { loaded, draining: false };
  }

  set(loaded: Loaded, draining: boolean): void {
    this.#value = { loaded, draining };
    for (const wake of this.#wake) wake();
  }

  async *follow(signal: AbortSignal) {
    let sent: unknown;
    while (!signal.aborted) {
      const value = this.#value;
      if (value !== sent) {
        sent = value;
        yield value;
        continue;
      }
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          this.#wake.delete(wake);
          signal.removeEventListener('abort', wake);
          resolve();
        };
        this.#wake.add(wake);
        signal.addEventListener('abort', wake, { once: true });
      });
    }
  }
}
