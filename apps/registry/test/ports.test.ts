import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '@sluice/testkit/eventually';
import { compareWithPage } from '@sluice/testkit/metrics-page';
import type { Replica } from './harness.ts';
import { Site } from './harness.ts';

const buf = new URL('../../../node_modules/.bin/buf', import.meta.url).pathname;
const run = promisify(execFile);

let site: Site;
let replica: Replica;

beforeAll(async () => {
  site = await Site.open({ alone: true });
  replica = await site.start();
});
afterAll(async () => {
  await site.close();
});

/** Calls as a stranger does: with nothing but the address, by server reflection. */
async function curl(port: string, path: string, body: object = {}): Promise<unknown> {
  const url = `http://127.0.0.1:${replica.running.ports[port]}/${path}`;
  const flags = ['--protocol', 'grpc', '--http2-prior-knowledge', '--data', JSON.stringify(body)];
  const { stdout } = await run(buf, ['curl', ...flags, url]);
  return JSON.parse(stdout);
}

async function methods(port: string, reflection: string): Promise<string> {
  const url = `http://127.0.0.1:${replica.running.ports[port]}`;
  const flags = ['--protocol', 'grpc', '--http2-prior-knowledge', '--reflect-protocol', reflection, '--list-methods'];
  return (await run(buf, ['curl', ...flags, url])).stdout;
}

describe('the ports of a registry', () => {
  it.each(['grpc-v1', 'grpc-v1alpha'])('describe themselves by reflection %s', async (reflection) => {
    const listed = await methods('port', reflection);
    for (const service of ['RegistryService/CreateVersion', 'WatchService/WatchRoutes', 'AuditService/VerifyAudit']) {
      expect(listed).toContain(`sluice.registry.v1.${service}`);
    }
    expect(await methods('adminPort', reflection)).toContain('sluice.admin.v1.AdminService/GetState');
  });

  it('answer health and list models to a client that knows nothing', async () => {
    for (const service of ['', 'sluice.registry.v1.RegistryService', 'sluice.registry.v1.WatchService']) {
      expect(await curl('port', 'grpc.health.v1.Health/Check', { service })).toEqual({ status: 'SERVING' });
    }
    expect(await curl('port', 'sluice.registry.v1.RegistryService/ListModels')).toEqual({});
  });

  it('show the inner state on the administrative port, with secrets hidden', async () => {
    const state = (await curl('adminPort', 'sluice.admin.v1.AdminService/GetState')) as Record<string, string>;
    expect(state).toMatchObject({ service: 'registry', version: '0.0.0-test' });
    expect(JSON.parse(state['configJson']!)).toMatchObject({ databaseUrl: '[hidden]', retainMs: 1_800_000 });
    expect(JSON.parse(state['stateJson']!)).toMatchObject({ databaseUp: true, models: [], admissions: [] });
  });

  it('say NOT_SERVING for what needs the database while it is away, and SERVING for watches', async () => {
    await site.crashPostgres();
    const health = async (service: string) => curl('port', 'grpc.health.v1.Health/Check', { service });
    await eventually(async () => {
      expect(await health('sluice.registry.v1.RegistryService')).toEqual({ status: 'NOT_SERVING' });
    });
    expect(await health('sluice.registry.v1.WatchService')).toEqual({ status: 'SERVING' });
    await site.postgres.restart();
    await eventually(async () => {
      expect(await health('sluice.registry.v1.RegistryService')).toEqual({ status: 'SERVING' });
    });
  });

  it('count requests and show the database in /metrics', async () => {
    const text = await replica.metrics();
    expect(text).toMatch(/sluice_dependency_up\{dependency="postgres"[^}]*\} 1/);
    expect(text).toMatch(/sluice_registry_revision\{[^}]*\} 0/);
    expect(text).toContain('sluice.registry.v1.RegistryService/ListModels');
    const { differences, withoutSeries } = compareWithPage(text, 'registry');
    expect(differences).toEqual([]);
    // No move has ended, no version ended a runtime, and nothing streams requests here; that a call has failed depends on the tests before.
    const mayLack = [
      'sluice_registry_moves_ended_total',
      'sluice_registry_strikes_total',
      'sluice_request_failures_total',
      'nodejs_',
      'sluice_registry_strikes_total',
      'sluice_streamed_',
    ];
    expect(withoutSeries.filter((name) => !mayLack.some((each) => name.startsWith(each)))).toEqual([]);
  });
});
