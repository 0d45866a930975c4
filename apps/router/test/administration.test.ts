import { execFile } from 'node:child_process';
import { tmpdir } from 'node:os';
import { dirname, resolve } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { wireModel, wireRoutes } from './routes.ts';
import { temporaryFolder, testRegistry, testRouter, testRuntime, whenUp } from './world.ts';

const run = promisify(execFile);
const buf = resolve(import.meta.dirname, '../../../node_modules/.bin/buf');

/** A stranger's client: it knows the address and nothing else. */
async function curl(...args: string[]): Promise<string> {
  const env = { PATH: dirname(process.execPath), HOME: tmpdir() };
  const { stdout } = await run(buf, ['curl', '--protocol', 'grpc', '--http2-prior-knowledge', ...args], { env });
  return stdout;
}

async function setUp() {
  const runtime = await testRuntime({ id: 'r1', loaded: [['digits', 3, true]] });
  const digits = wireModel({ aliases: { champion: 3 }, release: 3, placed: [3] });
  const registry = await testRegistry(wireRoutes(7, [digits], { addresses: [runtime.address] }));
  const settings = { SLUICE_REGISTRY: registry.address, SLUICE_STATE_DIR: await temporaryFolder() };
  const router = await testRouter(settings);
  await whenUp(router, 1);
  const at = (port: 'port' | 'adminPort', path = ''): string => `http://127.0.0.1:${router.ports[port]!}${path}`;
  return { router, runtime, at };
}

const common = [
  'grpc.health.v1.Health',
  'grpc.reflection.v1.ServerReflection',
  'grpc.reflection.v1alpha.ServerReflection',
];

describe.each(['grpc-v1', 'grpc-v1alpha'])('a router to somebody with reflection %s', (version) => {
  const reflect = ['--reflect', '--reflect-protocol', version];

  it('shows its services, answers on health and on both ports', async () => {
    const { at } = await setUp();
    const services = async (port: 'port' | 'adminPort'): Promise<string[]> =>
      (await curl(...reflect, '--list-services', at(port))).trim().split('\n').sort();
    expect(await services('port')).toEqual([...common, 'inference.GRPCInferenceService']);
    expect(await services('adminPort')).toEqual([...common, 'sluice.admin.v1.AdminService']);
    for (const port of ['port', 'adminPort'] as const) {
      const health = await curl(...reflect, '-d', '{}', at(port, '/grpc.health.v1.Health/Check'));
      expect(JSON.parse(health)).toEqual({ status: 'SERVING' });
    }
    const ready = '/inference.GRPCInferenceService/ModelReady';
    expect(JSON.parse(await curl(...reflect, '-d', '{"name":"digits"}', at('port', ready)))).toEqual({ ready: true });
    const state = await curl(...reflect, '-d', '{}', at('adminPort', '/sluice.admin.v1.AdminService/GetState'));
    const { service, instanceId, stateJson } = JSON.parse(state) as Record<string, string>;
    expect([service, instanceId]).toEqual(['router', 'router-1']);
    expect(JSON.parse(stateJson!)).toMatchObject({ ready: true, revision: 7, models: [{ name: 'digits' }] });
  });

  it('has no administration on its public port', async () => {
    const { at } = await setUp();
    const asked = curl(...reflect, '-d', '{}', at('port', '/sluice.admin.v1.AdminService/GetState'));
    await expect(asked).rejects.toThrow(/sluice\.admin\.v1\.AdminService/);
  });
});
