import { execFile } from 'node:child_process';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { inferenceService } from '@sluice/contracts/services';
import type { GRPCInferenceServiceMethods } from '@sluice/contracts/services';
import { systemClock } from '@sluice/service-kit/clock';
import { createLogger } from '@sluice/service-kit/logger';
import { createMetrics } from '@sluice/telemetry/metrics';
import { transportName } from '@sluice/testkit/transport';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mountAdmin } from '../src/admin.ts';
import type { Admin } from '../src/admin.ts';
import { unimplemented } from '../src/handlers.ts';
import type { Handlers } from '../src/handlers.ts';
import { createRpcServer } from '../src/server.ts';
import type { RpcServer } from '../src/server.ts';

const run = promisify(execFile);
const buf = path.resolve(import.meta.dirname, '../../../node_modules/.bin/buf');
let [server, admin, port]: [RpcServer | undefined, Admin | undefined, number] = [undefined, undefined, 0];

/** A stranger's client: it knows the address and nothing else. */
async function curl(...args: string[]): Promise<string> {
  const all = ['curl', '--protocol', 'grpc', '--http2-prior-knowledge', ...args];
  const env = { PATH: path.dirname(process.execPath), HOME: tmpdir() };
  const { stdout } = await run(buf, all, { env }).catch((error: unknown) => {
    throw new Error((error as { stderr: string }).stderr);
  });
  return stdout;
}

beforeAll(async () => {
  const shared = {
    logger: createLogger({ service: 'router', instance: 'router-1', level: 'silent' }),
    metrics: createMetrics({ service: 'router', instanceId: 'router-1', processMetrics: false }),
    clock: systemClock,
    transport: transportName(),
  };
  server = createRpcServer(shared);
  const names = Object.values(inferenceService.definition).map((method) => method.originalName!);
  const others = Object.fromEntries(names.map((name) => [name, unimplemented('not here')]));
  const handlers = { ...others, serverLive: async () => ({ live: true }) } as unknown;
  server.addService(inferenceService, handlers as Handlers<GRPCInferenceServiceMethods>);
  server.addHealth();
  server.addReflection();
  port = await server.bind('127.0.0.1', 0);
  admin = await mountAdmin({
    ...shared,
    host: '127.0.0.1',
    port: 0,
    service: 'router',
    instanceId: 'router-1',
    version: '1.2.3',
    config: { databaseUrl: '[hidden]' },
    state: () => ({ table: new Map([['digits', new Set([1, 2])]]), revision: 7n }),
    health: server.health,
  });
});
afterAll(async () => {
  await admin?.close();
  await server?.tryShutdown(0);
});
const at = (target: number, rest: string): string => `http://127.0.0.1:${target}${rest}`;

describe.each(['grpc-v1', 'grpc-v1alpha'])('reflection %s', (version) => {
  const reflect = ['--reflect', '--reflect-protocol', version];

  it('lists the services of the public port, and no others', async () => {
    const listed = await curl(...reflect, '--list-services', at(port, ''));
    expect(listed.trim().split('\n').sort()).toEqual([
      'grpc.health.v1.Health',
      'grpc.reflection.v1.ServerReflection',
      'grpc.reflection.v1alpha.ServerReflection',
      'inference.GRPCInferenceService',
    ]);
  });

  it('calls a method by what reflection says of it', async () => {
    const url = at(port, '/inference.GRPCInferenceService/ServerLive');
    expect(JSON.parse(await curl(...reflect, url))).toEqual({ live: true });
  });

  it('describes field names as the protos have them', async () => {
    const url = at(port, '/inference.GRPCInferenceService/ModelInfer');
    const data = JSON.stringify({ model_name: 'digits', raw_input_contents: ['AA=='] });
    await expect(curl(...reflect, '--data', data, url)).rejects.toThrow(/not here/);
    await expect(curl(...reflect, '--data', '{"modelNom": 1}', url)).rejects.toThrow(/modelNom/);
  });
});

describe('health', () => {
  const check = async (target: number, service: string): Promise<unknown> => {
    const data = JSON.stringify({ service });
    const url = at(target, '/grpc.health.v1.Health/Check');
    const { status } = JSON.parse(await curl('--reflect', '--data', data, url)) as { status?: string };
    return status;
  };

  it('answers for the server and each service, on both ports', async () => {
    expect(await check(port, '')).toBe('NOT_SERVING');
    server!.health.set('', true);
    server!.health.set(inferenceService.name, true);
    for (const target of [port, admin!.port]) {
      expect(await check(target, '')).toBe('SERVING');
      expect(await check(target, inferenceService.name)).toBe('SERVING');
    }
    expect(await check(admin!.port, 'sluice.admin.v1.AdminService')).toBe('SERVING');
    await expect(check(port, 'no.Such')).rejects.toThrow(/not_found|NotFound/i);
  });
});

describe('the administrative port', () => {
  it('lists itself and shows configuration and state', async () => {
    const listed = await curl('--reflect', '--list-services', at(admin!.port, ''));
    expect(listed.trim().split('\n').sort()).toEqual([
      'grpc.health.v1.Health',
      'grpc.reflection.v1.ServerReflection',
      'grpc.reflection.v1alpha.ServerReflection',
      'sluice.admin.v1.AdminService',
    ]);
    const url = at(admin!.port, '/sluice.admin.v1.AdminService/GetState');
    const state = JSON.parse(await curl('--reflect', url)) as Record<string, string>;
    expect(state).toMatchObject({ service: 'router', instanceId: 'router-1', version: '1.2.3' });
    expect(JSON.parse(state['configJson']!)).toEqual({ databaseUrl: '[hidden]' });
    expect(JSON.parse(state['stateJson']!)).toEqual({ table: { digits: [1, 2] }, revision: '7' });
    expect(state['nodeVersion']).toBe(process.versions.node);
  });
});
