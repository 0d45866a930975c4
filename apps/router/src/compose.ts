import { mkdir } from 'node:fs/promises';
import { createRegistryClient } from '@sluice/client/registry-client';
import type { RegistryClient } from '@sluice/client/registry-client';
import { inferenceService } from '@sluice/contracts/services';
import type { Clock, Random } from '@sluice/domain/clock';
import { inferStreamCodec } from '@sluice/inference/infer-stream';
import { createBreaker } from '@sluice/resilience/breaker';
import { Sampler } from '@sluice/resilience/sampler';
import { raw, rawStream } from '@sluice/rpc/handlers';
import type { RawMethod, RawStreamMethod } from '@sluice/rpc/handlers';
import { hopBytes } from '@sluice/rpc/options';
import { createRpcServer } from '@sluice/rpc/server';
import { openSidePorts } from '@sluice/rpc/side-ports';
import type { SidePorts } from '@sluice/rpc/side-ports';
import type { RpcServer } from '@sluice/rpc/server';
import { publicConfig } from '@sluice/service-kit/config';
import type { Logger } from '@sluice/service-kit/logger';
import type { Running } from '@sluice/service-kit/service';
import { openTls } from '@sluice/service-kit/tls/open-tls';
import type { Tls } from '@sluice/service-kit/tls/open-tls';
import { createMetrics } from '@sluice/telemetry/metrics';
import type { Metrics } from '@sluice/telemetry/metrics';
import { adminState } from './admin-state.ts';
import { configSpec } from './config.ts';
import type { RouterConfig } from './config.ts';
import { connectFleet } from './connect-fleet.ts';
import { openEvidence } from './evidence/open-evidence.ts';
import { followRegistry } from './follow-registry.ts';
import type { Follower } from './follow-registry.ts';
import type { AttemptObserver } from './route/attempt-observer.ts';
import { Forwarder } from './route/forward.ts';
import type { SendingOptions } from './route/forward.ts';
import { composeShadows } from './compose-shadows.ts';
import { InFlight } from './route/in-flight.ts';
import { inferHandler, predictionTrailer } from './route/infer.ts';
import { PredictionIds } from './route/prediction-id.ts';
import { capturePolicyOf } from './route/resolve.ts';
import { RouterRetryBudget } from './route/retry-tokens.ts';
import { composeSequences } from './compose-sequences.ts';
import { ModelControl } from './repository/model-control.ts';
import { Readiness } from './repository/readiness.ts';
import { routerMetrics } from './router-metrics.ts';
import { inferenceHandlers } from './rpc/inference.ts';
import { loadVersion } from './rpc/load-version.ts';
import { registryPort } from './rpc/registry-port.ts';
import { registryRepository } from './rpc/registry-repository.ts';
import { runtimeCalls } from './rpc/runtime-calls.ts';
import { Breakers } from './runtimes/breakers.ts';
import type { Fleet } from './runtimes/fleet.ts';
import { FleetStatistics } from './runtimes/statistics.ts';
import { softwareVersion } from './software-version.ts';

export interface Outside {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/** Makes the router of its parts, top to bottom, and starts it. */
export async function compose(config: RouterConfig, outside: Outside): Promise<Running> {
  const { clock } = outside;
  const metrics = createMetrics({ service: 'router', instanceId: config.instanceId });
  await mkdir(config.stateDir, { recursive: true });
  const tls = await openTls(config, outside);

  let address = '';
  const registry = registryPort(config.registry, () => ({ routerId: config.instanceId, address }), {
    clock,
    maxMessageBytes: config.maxMessageBytes,
    silentMs: config.leaseTtlMs,
    tls: tls.client,
  });
  const fleet = connectFleet(config, { ...outside, tls: tls.client });
  const follower = followRegistry(config, outside, { registry, fleet, metrics });
  const changes = createRegistryClient(config.registry.join(), { clock, random: outside.random, tls: tls.client });
  const control = composeControl(outside, { fleet, follower, changes });
  const evidence = await openEvidence(config, {
    ...{ ...outside, metrics, tls: tls.client },
    policyOf: (model) => capturePolicyOf(follower.table(), model),
  });
  const observer = evidence?.recorder;
  const inference = composeInference(config, outside, { fleet, follower, metrics, observer });
  const ready = (): boolean => follower.table() !== undefined && fleet.anyUp;
  const server = openServer(config, outside, { fleet, follower, metrics, tls, ...inference.methods, control, ready });

  await follower.load();
  const port = await server.bind(config.host, config.port);
  address = `${config.host.includes(':') ? `[${config.host}]` : config.host}:${port}`;
  const { breakers, inFlight, budget, sequences, shadows } = inference;
  const state = (): unknown =>
    adminState({
      ...{ fleet, breakers, inFlight, shadows, ready },
      table: () => follower.table(),
      sequences: () => sequences.known,
      retryTokens: () => budget.tokens,
      registry: () => follower.state(),
      evidence: () => evidence?.state(),
    });
  const sides = await openSides(config, outside, { metrics, tls, server, state });
  follower.start();
  evidence?.start();
  return {
    ports: { port, ...sides.ports },
    async stopAccepting() {
      server.stopAccepting();
      // `alias set` need not wait for a router that takes no new requests.
      await follower.releaseLease();
    },
    finish: (signal) => server.finish(signal),
    async close() {
      // Live requests have ended by now.
      shadows.stop();
      await evidence?.stop();
      await follower.stop();
      fleet.close();
      registry.close();
      changes.close();
      await sides.close();
      tls.close();
    },
    busy: () => server.busy(),
  };
}

interface Shared {
  readonly fleet: Fleet;
  readonly follower: Follower;
  readonly metrics: Metrics;
}

/** Loads and unloads; they wait for what the routes and the links say. */
function composeControl(
  { clock }: Outside,
  { fleet, follower, changes }: Omit<Shared, 'metrics'> & { readonly changes: RegistryClient },
): ModelControl {
  const readiness = new Readiness({
    table: () => follower.table(),
    runtimes: () => fleet.links,
    wake: (version, signal) => loadVersion(fleet.onDemandFor(version), version, { nowMs: clock.now(), signal }),
  });
  follower.onTable(() => readiness.changed());
  fleet.onChange(() => readiness.changed());
  return new ModelControl(registryRepository(changes, clock), readiness);
}

/** All that a request passes through. */
function composeInference(
  config: RouterConfig,
  { clock, random, logger }: Outside,
  { fleet, follower, metrics, observer }: Shared & { readonly observer: AttemptObserver | undefined },
) {
  const inFlight = new InFlight({ requests: config.maxInFlight, bytes: config.maxInFlightBytes });
  const budget = new RouterRetryBudget();
  const breakers = new Breakers({
    // What reaches a breaker as a failure was judged before: it is one.
    create: (runtime, key) => createBreaker({ name: `${runtime} ${key}`, clock, isFailure: () => true }),
  });
  const table = () => follower.table();
  const observed = routerMetrics(metrics, {
    ...{ inFlight, fleet, breakers, table, sequences: () => sequences.known, shadows: () => shadows },
  });
  fleet.onChange(() => breakers.retain(fleet.links));
  follower.onTable(() => fleet.routesChanged());
  const sending: SendingOptions = {
    readyFor: (key) => fleet.readyFor(key),
    onDemandFor: (version) => fleet.onDemandFor(version),
    whyNotLoaded: (key) => fleet.whyNotLoaded(key),
    onCannotLoad: (link, key, error) => fleet.cannotLoad(link, key, error.message),
    breakerOf: (link, key) => breakers.of(link, key),
    budget,
    onFailedAttempt: (version, failure, retried) => observed.attemptFailed(version, failure, retried),
  };
  const forwarder = new Forwarder({ ...sending, random });
  const sequences = composeSequences(config, clock, { sending, fleet, table: () => follower.table() });
  const shadows = composeShadows(config, { clock, random }, { fleet, observer, onEnded: observed.mirrored });
  const ids = new PredictionIds(clock, random);
  const failures = new Sampler({ clock });
  const infer = inferHandler({
    ids,
    random,
    clock,
    table: () => follower.table(),
    forwarder,
    sequences,
    shadows,
    inFlight,
    observer,
    mustStore: (model) => capturePolicyOf(table(), model)?.durability === 'durable',
    onDefect(predictionId, version, error) {
      const unlogged = failures.take(version.key);
      if (unlogged === undefined) return;
      const { model, number } = version;
      logger.warn({ prediction_id: predictionId, model, version: number, unlogged, err: error }, 'inference failed');
    },
    onAnswer: observed.inferred,
    onFallback: observed.fellBack,
  });
  // A call that never reaches the handler is a prediction too: one that failed.
  const refusalTrailers = () => ({ [predictionTrailer]: ids.next() });
  const method = raw(infer, refusalTrailers);
  const maxInFlight = config.maxStreamRequests;
  const streamInfer = rawStream(infer, { codec: inferStreamCodec, maxInFlight, refusalTrailers });
  return { methods: { infer: method, streamInfer }, inFlight, budget, breakers, sequences, shadows };
}

/** The public port, not yet bound; its health follows what is ready. */
function openServer(
  config: RouterConfig,
  { clock, logger }: Outside,
  parts: Shared & {
    readonly infer: RawMethod;
    readonly streamInfer: RawStreamMethod;
    readonly control: ModelControl;
    readonly ready: () => boolean;
    readonly tls: Tls;
  },
): RpcServer {
  const { fleet, follower, metrics, tls, infer, streamInfer, control, ready } = parts;
  const { transport, answerCompression, maxMessageBytes, defaultDeadlineMs, repositoryControl, serverName } = config;
  const maxAnswerBytes = maxMessageBytes + hopBytes;
  const limits = { maxMessageBytes, maxAnswerBytes, defaultDeadlineMs };
  const stack = { transport, answerCompression, tls: tls.server };
  const server = createRpcServer({ logger, metrics, clock, ...stack, ...limits });
  const calls = runtimeCalls(clock);
  const handlers = inferenceHandlers({
    infer,
    streamInfer,
    table: () => follower.table(),
    ready,
    versionReady: (key) => fleet.readyFor(key).length > 0,
    fleet,
    calls,
    statistics: new FleetStatistics((link, scope) => calls.statistics(link, scope)),
    version: softwareVersion,
    serverName,
    control,
    repositoryControl,
  });
  server.addService(inferenceService, handlers);
  server.addHealth();
  server.addReflection();
  const sayReady = (): void => {
    for (const service of ['', inferenceService.name]) server.health.set(service, ready());
  };
  fleet.onChange(sayReady);
  follower.onTable(sayReady);
  return server;
}

/** Opens the metrics and the administrative port. */
function openSides(
  config: RouterConfig,
  { clock, logger }: Outside,
  parts: {
    readonly metrics: Metrics;
    readonly tls: Tls;
    readonly server: RpcServer;
    readonly state: () => unknown;
  },
): Promise<SidePorts> {
  const { metrics, tls, server, state } = parts;
  const { host, metricsPort, adminPort, instanceId } = config;
  return openSidePorts({
    ...{ host, metricsPort, adminPort, instanceId, logger, metrics, clock, state, tls: tls.server },
    service: 'router',
    version: softwareVersion,
    config: publicConfig(configSpec, config),
    health: server.health,
  });
}
