import { registryService } from '@sluice/contracts/services';
import { notFound, SluiceError } from '@sluice/domain/errors';
import { unimplemented } from '@sluice/rpc/handlers';
import { createRpcServer } from '@sluice/rpc/server';

import { systemClock } from '@sluice/service-kit/clock';
import { createLogger } from '@sluice/service-kit/logger';
import { createMetrics } from '@sluice/telemetry/metrics';

/** What a registry of a test answers with. Undefined: there is none. */
export interface RegistryAnswers {
  readonly version?: (model: string, version: number) => object | undefined;
  readonly model?: (name: string) => { model: object; release: object | null } | undefined;
  readonly stateAsOf?: (model: string, ms: number) => object;
}

/** The part of a registry that feedback asks, over real gRPC, with answers of a test. */
export async function startTestRegistry(answers: RegistryAnswers): Promise<{ address: string; stop(): Promise<void> }> {
  const logger = createLogger({ service: 'test', instance: 'test', level: 'silent' });
  const metrics = createMetrics({ service: 'test', instanceId: 'test', processMetrics: false });
  const server = createRpcServer({ logger, metrics, clock: systemClock });
  const none = unimplemented('this registry only answers what feedback asks');
  const handlers = Object.fromEntries(
    Object.values(registryService.definition).map(({ originalName }) => [originalName!, none]),
  );
  const orNotFound = <T>(found: T | undefined, what: string): T => {
    if (found === undefined) throw notFound(`there is no ${what}`);
    return found;
  };
  server.addService(registryService, {
    ...handlers,
    getVersion: async ({ model, version }: { model: string; version: string }) => ({
      version: orNotFound(answers.version?.(model, Number(version)), `${model} version ${version}`),
    }),
    getModel: async ({ name }: { name: string }) => orNotFound(answers.model?.(name), `model ${name}`),
    getStateAsOf: async ({ model, time }: { model: string; time: { seconds: string; nanos: number } }) => {
      if (!answers.stateAsOf) throw new SluiceError('unavailable', 'away');
      return answers.stateAsOf(model, Number(time.seconds) * 1000 + time.nanos / 1e6);
    },
  } as never);
  const port = await server.bind('127.0.0.1', 0);
  return {
    address: `127.0.0.1:${port}`,
    stop: async () => {
      await server.tryShutdown(0);
    },
  };
}
