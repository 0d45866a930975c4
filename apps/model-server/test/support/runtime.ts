import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inferenceService, runtimeService, adminService } from '@sluice/contracts/services';
import type { Datatype } from '@sluice/domain/datatype';
import type { Signature, TensorSpec } from '@sluice/domain/signature';
import { buildInferRequest } from '@sluice/inference/request-builder';
import { readInferResponse, type InferResponse } from '@sluice/inference/infer-response';
import { encodeTensor, type PlainValue } from '@sluice/inference/tensor-data';
import { createRawClient, type RawClient, type RawOutcome } from '@sluice/rpc/raw-client';
import { createRpcClient } from '@sluice/rpc/client';
import { systemClock, systemRandom } from '@sluice/service-kit/clock';
import { parseConfig } from '@sluice/service-kit/config';
import { transportSetting } from '@sluice/testkit/transport';
import { createLogger } from '@sluice/service-kit/logger';
import type { Running } from '@sluice/service-kit/service';
import { eventually } from '@sluice/testkit/eventually';
import { compose } from '../../src/compose.ts';
import { configSpec } from '../../src/config.ts';
import type { DevicePorts } from '../../src/runtime/find-devices.ts';

const inferPath = '/inference.GRPCInferenceService/ModelInfer';

/** A model server in this process: real sessions, real ports. */
export class TestRuntime {
  readonly running: Running;
  readonly raw: RawClient;
  readonly address: string;
  readonly log: Record<string, unknown>[];
  readonly inference;
  readonly status;
  readonly admin;

  constructor(running: Running, log: Record<string, unknown>[]) {
    this.running = running;
    this.log = log;
    this.address = `127.0.0.1:${running.ports['port']}`;
    this.raw = createRawClient(this.address);
    this.inference = createRpcClient(inferenceService, this.address, { clock: systemClock });
    this.status = createRpcClient(runtimeService, this.address, { clock: systemClock });
    this.admin = createRpcClient(adminService, `127.0.0.1:${running.ports['adminPort']}`, { clock: systemClock });
  }

  /** Sends request bytes; resolves with how the call ended. */
  send(bytes: Uint8Array, timeoutMs = 20_000): Promise<RawOutcome> {
    return new Promise((resolve) => {
      this.raw.call(inferPath, bytes, { deadlineMs: Date.now() + timeoutMs }, resolve);
    });
  }

  /** Sends request bytes; the answer, or its error thrown. */
  async infer(bytes: Uint8Array): Promise<InferResponse> {
    const outcome = await this.send(bytes);
    if (outcome.error) throw outcome.error;
    return readInferResponse(outcome.message!);
  }

  async ready(timeoutMs = 60_000): Promise<this> {
    await eventually(async () => {
      const { ready } = await this.inference.serverReady({});
      if (!ready) throw new Error('not ready');
    }, timeoutMs);
    return this;
  }

  async modelReady(name: string, version = ''): Promise<void> {
    await eventually(async () => {
      const { ready } = await this.inference.modelReady({ name, version });
      if (!ready) throw new Error(`${name} ${version} is not ready`);
    }, 20_000);
  }

  async state(): Promise<{ versions: Record<string, unknown>[]; [key: string]: unknown }> {
    const { stateJson } = await this.admin.getState({});
    return JSON.parse(stateJson) as { versions: Record<string, unknown>[] };
  }

  async metrics(): Promise<string> {
    const response = await fetch(`http://127.0.0.1:${this.running.ports['metricsPort']}/metrics`);
    return response.text();
  }

  async stop(): Promise<void> {
    for (const client of [this.raw, this.inference, this.status, this.admin]) client.close();
    await this.running.stopAccepting();
    await this.running.finish(AbortSignal.timeout(15_000));
    await this.running.close();
  }
}

export interface RuntimeOptions {
  readonly registry: string;
  readonly stateDir: string;
  readonly args?: readonly string[];
  /** Devices that it offers, of kinds that the setting may not name, and what there is. */
  readonly devices?: { readonly names: readonly string[]; readonly ports: DevicePorts };
}

export async function startRuntime({ registry, stateDir, args = [], devices }: RuntimeOptions): Promise<TestRuntime> {
  const defaults = ['--port=0', '--metrics-port=0', '--admin-port=0', '--threads=2'];
  const open = defaults.filter((flag) => !args.some((given) => given.split('=')[0] === flag.split('=')[0]));
  const argv = ['--registry', registry, '--state-dir', stateDir, ...open, ...args];
  const config = parseConfig(configSpec, { env: transportSetting(), argv });
  const log: Record<string, unknown>[] = [];
  const stream = { write: (line: string) => void log.push(JSON.parse(line) as Record<string, unknown>) };
  const logger = createLogger({ service: 'model-server', instance: config.instanceId, level: 'debug', stream });
  const endProcess = (): void => void log.push({ msg: 'the process would have ended' });
  const ports = devices && { devices: devices.ports };
  const outside = { clock: systemClock, random: systemRandom, logger, endProcess, ...ports };
  const settings = devices ? { ...config, devices: [...devices.names] } : config;
  return new TestRuntime(await compose(settings, outside), log);
}

const folders: string[] = [];
process.once('exit', () => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** A folder that is gone at the end of the process. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-model-server-'));
  folders.push(folder);
  return folder;
}

export function spec(name: string, datatype: Datatype, shape: readonly number[]): TensorSpec {
  return { name, datatype, shape, dimNames: shape.map(() => ''), features: [] };
}

/** The signature of the builder's identity model. */
export function identitySignature(datatype: Datatype, shape: readonly number[]): Signature {
  return {
    inputs: [spec('x', datatype, shape)],
    outputs: [spec('y', datatype, shape)],
    batched: shape[0] === -1,
  };
}

/** A request with one input named `x`. */
export function requestOf(
  model: string,
  datatype: Datatype,
  shape: readonly number[],
  values: readonly PlainValue[],
  more: {
    readonly version?: string;
    readonly id?: string;
    readonly input?: string;
    readonly outputs?: readonly string[];
  } = {},
): Buffer {
  return buildInferRequest({
    modelName: model,
    modelVersion: more.version ?? '',
    id: more.id ?? '',
    inputs: [{ name: more.input ?? 'x', datatype, shape, data: encodeTensor(datatype, values) }],
    outputs: more.outputs ?? [],
  });
}
