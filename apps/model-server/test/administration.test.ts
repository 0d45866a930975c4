import { execFile } from 'node:child_process';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { adder } from './support/adder.ts';
import { startRuntime, temporaryFolder, type TestRuntime } from './support/runtime.ts';
import { TestRegistry } from './support/test-registry.ts';

const run = promisify(execFile);
const buf = path.resolve(import.meta.dirname, '../../../node_modules/.bin/buf');

let registry: TestRegistry;
let runtime: TestRuntime;
beforeAll(async () => {
  registry = await new TestRegistry().start();
  registry.place(adder(1, ['champion']));
  runtime = await (await startRuntime({ registry: registry.address, stateDir: temporaryFolder() })).ready();
});
afterAll(async () => {
  await runtime.stop();
  await registry.stop();
});

/** A stranger's client: it knows the address and nothing else. */
async function curl(...args: string[]): Promise<string> {
  const env = { PATH: path.dirname(process.execPath), HOME: tmpdir() };
  const { stdout } = await run(buf, ['curl', '--protocol', 'grpc', '--http2-prior-knowledge', ...args], { env });
  return stdout;
}

const at = (port: 'port' | 'adminPort', method = ''): string =>
  `http://127.0.0.1:${runtime.running.ports[port]!}${method}`;

const common = [
  'grpc.health.v1.Health',
  'grpc.reflection.v1.ServerReflection',
  'grpc.reflection.v1alpha.ServerReflection',
];

describe.each(['grpc-v1', 'grpc-v1alpha'])('a model server to somebody with reflection %s', (version) => {
  const reflect = ['--reflect', '--reflect-protocol', version];

  it('shows its services on both ports', async () => {
    const services = async (port: 'port' | 'adminPort'): Promise<string[]> =>
      (await curl(...reflect, '--list-services', at(port))).trim().split('\n').sort();
    expect(await services('port')).toEqual([
      ...common,
      'inference.GRPCInferenceService',
      'sluice.runtime.v1.RuntimeService',
    ]);
    expect(await services('adminPort')).toEqual([...common, 'sluice.admin.v1.AdminService']);
  });

  it('answers health on both ports, models on the one and its state on the other', async () => {
    const health = '/grpc.health.v1.Health/Check';
    for (const port of ['port', 'adminPort'] as const) {
      for (const body of ['{}', '{"service":"inference.GRPCInferenceService"}']) {
        expect(JSON.parse(await curl(...reflect, '-d', body, at(port, health)))).toEqual({ status: 'SERVING' });
      }
    }
    const ready = at('port', '/inference.GRPCInferenceService/ModelReady');
    expect(JSON.parse(await curl(...reflect, '-d', '{"name":"adder"}', ready))).toEqual({ ready: true });
    const state = await curl(...reflect, '-d', '{}', at('adminPort', '/sluice.admin.v1.AdminService/GetState'));
    const { service, stateJson } = JSON.parse(state) as Record<string, string>;
    expect(service).toBe('model-server');
    expect(JSON.parse(stateJson!)).toMatchObject({ ready: true, versions: [{ model: 'adder', state: 'ready' }] });
  });

  it('has no administration on its public port, and no inference on the other', async () => {
    const administer = curl(...reflect, '-d', '{}', at('port', '/sluice.admin.v1.AdminService/GetState'));
    await expect(administer).rejects.toThrow(/sluice\.admin\.v1\.AdminService/);
    const infer = curl(...reflect, '-d', '{}', at('adminPort', '/inference.GRPCInferenceService/ServerLive'));
    await expect(infer).rejects.toThrow(/inference\.GRPCInferenceService/);
  });
});
