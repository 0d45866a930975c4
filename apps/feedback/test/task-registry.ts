import { registryService } from '@sluice/contracts/services';
import { notFound } from '@sluice/domain/errors';
import { buildInferResponse } from '@sluice/inference/infer-response';
import { unimplemented } from '@sluice/rpc/handlers';
import type { RpcServer } from '@sluice/rpc/server';
import { createRpcServer } from '@sluice/rpc/server';
import { systemClock } from '@sluice/service-kit/clock';
import { createLogger } from '@sluice/service-kit/logger';
import { createMetrics } from '@sluice/telemetry/metrics';

/** Tasks by model, as sluice.yaml has them. */
export const tasks: Readonly<Record<string, unknown>> = {
  digits: { kind: 'classification', prediction: 'scores', class_from: 'argmax', class_names: ['a', 'b', 'c'] },
  price: { kind: 'regression', prediction: 'price' },
  plain: { kind: 'none' },
};

/** Stands for a registry: it answers for versions of a few models, and nothing else. */
export class TaskRegistry {
  readonly server: RpcServer;
  readonly address: string;
  /** How often it was asked, by model and version. */
  readonly asked: string[];

  static async open(): Promise<TaskRegistry> {
    const logger = createLogger({ service: 'registry', instance: 'r', level: 'silent' });
    const metrics = createMetrics({ service: 'registry', instanceId: 'r', processMetrics: false });
    const server = createRpcServer({ logger, metrics, clock: systemClock });
    const none = unimplemented('this registry only has versions');
    const handlers = Object.fromEntries(
      Object.values(registryService.definition).map(({ originalName }) => [originalName!, none]),
    );
    const asked: string[] = [];
    const getVersion = async ({ model, version }: { model: string; version: string }) => {
      asked.push(`${model} ${version}`);
      const task = tasks[model];
      if (!task) throw notFound(`no model ${model}`);
      return {
        version: { digest: 'd'.repeat(64), manifestJson: JSON.stringify({ task }), signature: { batched: true } },
      };
    };
    server.addService(registryService, { ...handlers, getVersion } as never);
    return new TaskRegistry(server, await server.bind('127.0.0.1', 0), asked);
  }

  constructor(server: RpcServer, port: number, asked: string[]) {
    this.server = server;
    this.address = `127.0.0.1:${port}`;
    this.asked = asked;
  }

  async close(): Promise<void> {
    await this.server.tryShutdown(0);
  }
}

/** The answer of a version of `digits`: scores of each row. */
export const scores = (...rows: readonly (readonly number[])[]): Buffer =>
  buildInferResponse({
    ...{ modelName: 'digits', modelVersion: '3', id: '' },
    outputs: [
      {
        ...{ name: 'scores', datatype: 'FP32', shape: [rows.length, rows[0]!.length] },
        data: new Uint8Array(new Float32Array(rows.flat()).buffer),
      },
    ],
  });

/** The answer of a version of `price`. */
export const prices = (...values: readonly number[]): Buffer =>
  buildInferResponse({
    ...{ modelName: 'price', modelVersion: '1', id: '' },
    outputs: [
      {
        ...{ name: 'price', datatype: 'FP64', shape: [values.length, 1] },
        data: new Uint8Array(new Float64Array(values).buffer),
      },
    ],
  });
