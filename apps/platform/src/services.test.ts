import { parseConfig } from '@sluice/service-kit/config';
import { describe, expect, it } from 'vitest';
import { settings } from './config.ts';
import { databaseAddresses, readPostgresLine } from './database.ts';
import { portTable } from './ports.ts';
import { lastEnd, serviceDefinitions } from './services.ts';

const secrets = {
  ...{ ownerPassword: 'o', registryPassword: 'r', feedbackPassword: 'f' },
  ...{ auditKeyFile: '/home/sluice/audit-key.pem', evidenceKeyFile: '/home/sluice/evidence-key.hex' },
  feedbackKeyFile: '/home/sluice/feedback-key.hex',
};

function definitions(argv: string[]) {
  const config = parseConfig(settings, { env: {}, argv });
  const ports = portTable(config.portOffset, config.runtimes);
  return serviceDefinitions({
    config,
    home: '/home/sluice',
    ports,
    database: databaseAddresses(ports.postgres, secrets),
    secrets,
  });
}

describe('serviceDefinitions', () => {
  it('starts a registry, a feedback, two runtimes and a router, each of these three with a state folder of its own', () => {
    const all = definitions([]);
    expect(all.map(({ name, program }) => [name, program])).toEqual([
      ['registry', 'registry'],
      ['feedback', 'feedback'],
      ['runtime-1', 'model-server'],
      ['runtime-2', 'model-server'],
      ['router', 'router'],
    ]);
    const folders = all.map(({ settings: each }) => each['SLUICE_STATE_DIR']).filter(Boolean);
    expect(new Set(folders).size).toBe(3);
  });

  it('gives the owner of the tables to nobody', () => {
    for (const { settings: each } of definitions([])) {
      expect(each).not.toHaveProperty('SLUICE_OWNER_DATABASE_URL');
      expect(Object.values(each).join(' ')).not.toContain('sluice:o@');
    }
  });

  it('points every watcher at the registry, also with an offset', () => {
    const watchers = definitions(['--port-offset', '100', '--runtimes', '3']).slice(1);
    expect(watchers).toHaveLength(5);
    for (const { settings: each } of watchers) expect(each['SLUICE_REGISTRY']).toBe('127.0.0.1:8201');
  });

  it('has the router send its evidence to feedback, under the key that all routers of the home have', () => {
    const { settings: router } = definitions(['--port-offset', '100']).at(-1)!;
    expect(router).toMatchObject({
      SLUICE_FEEDBACK: '127.0.0.1:8211',
      SLUICE_EVIDENCE_KEY_FILE: '/home/sluice/evidence-key.hex',
    });
  });

  it('gives feedback its key, and the artifact store that the registry has', () => {
    const [registry, feedback] = definitions([]).map(({ settings: each }) => each);
    expect(feedback!['SLUICE_FEEDBACK_KEY_FILE']).toBe('/home/sluice/feedback-key.hex');
    expect(feedback!['SLUICE_ARTIFACT_DIR']).toBe(registry!['SLUICE_ARTIFACT_DIR']);
  });

  it('has router and runtimes stand on the stack that was asked for', () => {
    for (const asked of ['grpc-js', 'wire'])
      for (const { settings: each } of definitions(['--transport', asked]).slice(2))
        expect(each['SLUICE_TRANSPORT']).toBe(asked);
  });

  it('never gives a runtime less than one thread', () => {
    for (const { settings: each } of definitions(['--runtimes', '8']).slice(2, 10))
      expect(Number(each['SLUICE_THREADS'])).toBeGreaterThanOrEqual(1);
  });
});

describe('readPostgresLine', () => {
  it('keeps routine lines off the terminal and names the severity of the others', () => {
    expect(readPostgresLine('2026-01-01 10:00:00.000 UTC [12] LOG:  checkpoint starting')).toEqual({
      severity: 'debug',
      msg: 'checkpoint starting',
    });
    expect(readPostgresLine('2026-01-01 10:00:00.000 UTC [12] FATAL:  sorry').severity).toBe('error');
    expect(readPostgresLine('\tat character 5').severity).toBe('debug');
  });

  it('tells a model-server alone how it ended last, once it has', () => {
    expect(lastEnd('model-server', 'signal SIGSEGV')).toEqual({ SLUICE_LAST_END: 'signal SIGSEGV' });
    expect(lastEnd('model-server', '')).toEqual({});
    expect(lastEnd('router', 'signal SIGKILL')).toEqual({});
  });
});
