import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { adminService, inferenceService, watchService } from '@sluice/contracts/services';
import type { GRPCInferenceServiceMethods } from '@sluice/contracts/services';
import type { ParameterValue } from '@sluice/inference/parameters';
import { readInferResponse } from '@sluice/inference/infer-response';
import type { InferResponse } from '@sluice/inference/infer-response';
import { buildInferRequest } from '@sluice/inference/request-builder';
import { createRpcClient } from '@sluice/rpc/client';
import type { RpcClient } from '@sluice/rpc/client';
import { watch } from '@sluice/rpc/handlers';
import { createRawClient } from '@sluice/rpc/raw-client';
import type { RawCallOptions, RawOutcome } from '@sluice/rpc/raw-client';
import { createRpcServer } from '@sluice/rpc/server';
import { systemClock, systemRandom } from '@sluice/service-kit/clock';
import { parseConfig } from '@sluice/service-kit/config';
import { transportSetting } from '@sluice/testkit/transport';
import { createMetrics } from '@sluice/telemetry/metrics';
import { eventually } from '@sluice/testkit/eventually';
import { keptPort } from '@sluice/testkit/kept-port';
import { expect } from 'vitest';
import { compose } from '../src/compose.ts';
import { configSpec } from '../src/config.ts';
import { inferPath } from '../src/route/forward.ts';
import type { WireRoutes } from '../src/watch/decode-routes.ts';
import { cleanups } from './cleanups.ts';
import { recordingLogger } from './doubles.ts';
import type { Placement } from './placement.ts';
import { startRuntime, unimplementedOf } from './runtime.ts';
import type { Loaded, RuntimeSettings, Seen, TestRuntime } from './runtime.ts';

/** Runs at the end of the test, the last one first. */
export function onEnd(cleanup: () => unknown): void {
  cleanups.push(cleanup);
}

export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-router-'));
  onEnd(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** A registry over real gRPC that says what the test tells it. */
export class TestRegistry {
  port = 0;
  readonly renewals: { readonly routerId: string; readonly appliedRevision: number }[] = [];
  readonly released: string[] = [];
  readonly resumeTokens: string[] = [];
  #state: WireRoutes;
  #changes: WireRoutes[] = [];
  readonly #wake = new Set<() => void>();
  readonly #placement: Placement | undefined;
  #stop: (() => Promise<unknown>) | undefined;

  /** @param placement for real model-servers */
  constructor(snapshot: WireRoutes, placement?: Placement) {
    this.#state = snapshot;
    this.#placement = placement;
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  async start(): Promise<void> {
    const { logger } = recordingLogger();
    const metrics = createMetrics({ service: 'registry', instanceId: 'g', processMetrics: false });
    const server = createRpcServer({ logger, metrics, clock: systemClock });
    const placement = this.#placement;
    placement?.serveFiles(server);
    server.addService(watchService, {
      ...unimplementedOf(watchService),
      ...(placement && {
        watchAssignments: watch((_request, ctx) => placement.watch(ctx.signal)),
        renewRuntimeLease: async ({ ttlMs }) => ({ ttlMs }),
      }),
      watchRoutes: watch((request: { readonly resumeToken: string }, ctx) => {
        this.resumeTokens.push(request.resumeToken);
        return this.#follow(ctx.signal);
      }),
      renewRouterLease: async ({ routerId, appliedRevision, ttlMs }) => {
        this.renewals.push({ routerId, appliedRevision: Number(appliedRevision) });
        return { ttlMs };
      },
      releaseLease: async ({ holderId }) => {
        this.released.push(holderId);
        return {};
      },
    });
    this.port = await server.bind('127.0.0.1', this.port || (await keptPort()));
    this.#stop = () => server.tryShutdown(0);
    onEnd(() => this.stop());
  }

  async stop(): Promise<void> {
    const stop = this.#stop;
    this.#stop = undefined;
    await stop?.();
  }

  /** Sends a change to every watcher; who connects later gets `snapshot`. */
  publish(change: WireRoutes, snapshot: WireRoutes): void {
    this.#state = snapshot;
    this.#changes.push(change);
    for (const wake of this.#wake) wake();
  }

  async *#follow(signal: AbortSignal): AsyncGenerator<WireRoutes> {
    let next = this.#changes.length;
    yield* inParts(this.#state);
    while (!signal.aborted) {
      if (next < this.#changes.length) yield* inParts(this.#changes[next++]!);
      else {
        await new Promise<void>((resolve) => {
          const wake = (): void => {
            this.#wake.delete(wake);
            resolve();
          };
          this.#wake.add(wake);
          signal.addEventListener('abort', wake, { once: true });
        });
      }
    }
  }
}

/** A large update comes in parts; here each model is one. */
function* inParts(update: WireRoutes): Generator<WireRoutes> {
  for (const model of update.models.slice(0, -1)) yield { ...update, models: [model], runtimes: null, more: true };
  yield { ...update, models: update.models.slice(-1) };
}

export async function testRegistry(snapshot: WireRoutes, placement?: Placement): Promise<TestRegistry> {
  const registry = new TestRegistry(snapshot, placement);
  await registry.start();
  return registry;
}

export async function testRuntime(settings: RuntimeSettings): Promise<TestRuntime> {
  const runtime = await startRuntime(settings);
  onEnd(() => runtime.stop());
  return runtime;
}

/** A runtime that can be killed. */
export interface RuntimeProcess {
  readonly address: string;
  readonly child: ChildProcess;
  seen(): Promise<Seen>;
  /** Answers every request that waits. */
  release(): Promise<Seen>;
  /** kill -9, and waits until it is gone. */
  kill(): Promise<void>;
}

export async function runtimeProcess(id: string, loaded: Loaded, port = 0): Promise<RuntimeProcess> {
  const script = join(import.meta.dirname, 'runtime-process.ts');
  const child = fork(script, [id, String(port), JSON.stringify(loaded)], {
    execArgv: ['--conditions=@sluice/source'],
  });
  onEnd(() => child.kill('SIGKILL'));
  const [{ port: bound }] = (await once(child, 'message')) as [{ port: number }];
  const ask = async (what: string): Promise<Seen> => {
    child.send({ ask: what });
    const [answer] = (await once(child, 'message')) as [{ seen: Seen }];
    return answer.seen;
  };
  return {
    address: `127.0.0.1:${bound}`,
    child,
    seen: () => ask('seen'),
    release: () => ask('release'),
    async kill() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
    },
  };
}

export interface TestRouter {
  readonly ports: Readonly<Record<string, number>>;
  readonly client: RpcClient<GRPCInferenceServiceMethods>;
  readonly lines: Record<string, unknown>[];
  infer(options?: InferOptions): Promise<InferResult>;
  /** Sends bytes as they are. */
  send(message: Uint8Array, options?: Partial<RawCallOptions>): Promise<RawOutcome>;
  /** Sends bytes, and gives up when told. */
  start(message: Uint8Array): { readonly outcome: Promise<RawOutcome>; cancel(): void };
  state(): Promise<RouterState>;
  stop(): Promise<void>;
}

/** What GetState shows; the fields that tests look at. */
export interface RouterState {
  readonly ready: boolean;
  readonly registry: { readonly watching: boolean; readonly leaseHeld: boolean };
  readonly revision: number | null;
  readonly models: readonly { readonly name: string }[];
  readonly runtimes: readonly {
    readonly address: string;
    readonly state: string;
    readonly inFlight: number;
    readonly ready: readonly string[];
    readonly breakers: Readonly<Record<string, string>>;
  }[];
  readonly inFlight: { readonly requests: number; readonly bytes: number };
  readonly sequences: number;
  readonly shadows: {
    readonly waiting: number;
    readonly inFlight: number;
    readonly bytes: number;
    readonly dropped: Readonly<Record<string, number>>;
  };
}

export interface InferOptions {
  readonly model?: string;
  readonly version?: string;
  readonly id?: string;
  readonly parameters?: Readonly<Record<string, ParameterValue>>;
  readonly metadata?: Readonly<Record<string, string>>;
  readonly values?: readonly number[];
  /** Length of a row; the version takes 2. */
  readonly columns?: number;
  readonly deadlineMs?: number;
}

export interface InferResult {
  readonly predictionId: string | undefined;
  /** `ok` or the kind of failure. */
  readonly outcome: string;
  readonly message: string;
  readonly retryAfterMs: number | undefined;
  readonly response: InferResponse | undefined;
  readonly values: readonly number[];
}

export function inferBytes(options: InferOptions = {}): Buffer {
  const values = options.values ?? [1, 2];
  const columns = options.columns ?? 2;
  return buildInferRequest({
    modelName: options.model ?? 'digits',
    modelVersion: options.version ?? '',
    id: options.id ?? '',
    parameters: new Map(Object.entries(options.parameters ?? {})),
    inputs: [
      {
        name: 'x',
        datatype: 'FP32',
        shape: [values.length / columns, columns],
        data: new Uint8Array(Float32Array.from(values).buffer),
      },
    ],
  });
}

export function resultOf(outcome: RawOutcome): InferResult {
  const response = outcome.message ? readInferResponse(outcome.message) : undefined;
  const data = response?.outputs[0]?.data;
  return {
    predictionId: outcome.trailer('sluice-prediction-id'),
    outcome: outcome.error?.kind ?? 'ok',
    message: outcome.error?.message ?? '',
    retryAfterMs: outcome.error?.retryAfterMs,
    response,
    values: data ? [...new Float32Array(Uint8Array.from(data).buffer)] : [],
  };
}

/** A router in this process, over real sockets, with settings as a person would give them. */
export async function testRouter(settings: Readonly<Record<string, string>>): Promise<TestRouter> {
  const zero = { SLUICE_PORT: '0', SLUICE_METRICS_PORT: '0', SLUICE_ADMIN_PORT: '0', SLUICE_INSTANCE_ID: 'router-1' };
  const config = parseConfig(configSpec, { env: { ...zero, ...transportSetting(), ...settings }, argv: [] });
  const { logger, lines } = recordingLogger();
  const running = await compose(config, { clock: systemClock, random: systemRandom, logger });
  const address = `127.0.0.1:${running.ports['port']!}`;
  const client = createRpcClient(inferenceService, address, { clock: systemClock });
  const raw = createRawClient(address);
  const admin = createRpcClient(adminService, `127.0.0.1:${running.ports['adminPort']!}`, { clock: systemClock });
  let stopped: Promise<void> | undefined;
  const end = async (): Promise<void> => {
    client.close();
    raw.close();
    admin.close();
    await running.stopAccepting();
    await running.finish(AbortSignal.timeout(2_000));
    await running.close();
  };
  const stop = (): Promise<void> => (stopped ??= end());
  onEnd(stop);
  const start = (message: Uint8Array, options: Partial<RawCallOptions> = {}) => {
    const { promise, resolve } = Promise.withResolvers<RawOutcome>();
    const call = raw.call(inferPath, message, { deadlineMs: systemClock.now() + 20_000, ...options }, resolve);
    return { outcome: promise, cancel: () => call.cancel() };
  };
  const send = (message: Uint8Array, options?: Partial<RawCallOptions>) => start(message, options).outcome;
  return {
    ports: running.ports,
    client,
    lines,
    send,
    start,
    async infer(options = {}) {
      const { metadata, deadlineMs } = options;
      const callOptions = { ...(metadata && { metadata }), ...(deadlineMs !== undefined && { deadlineMs }) };
      return resultOf(await send(inferBytes(options), callOptions));
    },
    state: async () => JSON.parse((await admin.getState({})).stateJson) as RouterState,
    stop,
  };
}

/** Waits until the router reaches so many runtimes. */
export async function whenUp(router: TestRouter, runtimes: number): Promise<void> {
  await eventually(async () => {
    const state = await router.state();
    expect(state.runtimes.filter((runtime) => runtime.state === 'up')).toHaveLength(runtimes);
    expect(state.revision).not.toBeNull();
  });
}
