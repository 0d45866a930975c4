import { generateKeyPairSync } from 'node:crypto';
import { readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { startPostgres } from '@sluice/testkit/postgres';
import type { TestPostgres } from '@sluice/testkit/postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BuiltFolder, oldNode } from './built-folder.ts';

const anyPorts = ['--port', '0', '--metrics-port', '0', '--admin-port', '0'];
const ready = /"msg":"ready"/;

const apps = ['registry', 'model-server', 'router', 'cli', 'platform'] as const;
type App = (typeof apps)[number];
const copies = new Map<App, BuiltFolder>();
const copyOf = (app: App): BuiltFolder => copies.get(app)!;
const wordOfHelp: Record<App, string> = {
  registry: 'SLUICE_AUDIT_KEY_FILE',
  'model-server': 'SLUICE_THREADS',
  router: 'SLUICE_REPOSITORY_CONTROL',
  cli: 'push',
  platform: 'SLUICE_PORT_OFFSET',
};
let postgres: TestPostgres;

beforeAll(async () => {
  postgres = await startPostgres();
  for (const app of apps) copies.set(app, await BuiltFolder.copyOf(app));
});
afterAll(async () => {
  await postgres.stop();
  for (const copy of copies.values()) await copy.remove();
});

describe.for(apps)('the built %s', (app) => {
  it('prints its help in an empty folder', async () => {
    const { code, out, err } = await copyOf(app).run(['--help']);
    expect(err).toBe('');
    expect(code).toBe(0);
    expect(out).toContain(wordOfHelp[app]);
  });

  it('says one line on an older Node', async () => {
    const { code, out, err } = await copyOf(app).run([], { nodeArgs: oldNode });
    expect([code, out]).toEqual([1, '']);
    expect(err).toBe(`sluice ${app}: this is Node 20.20.2; it needs Node 24 or newer\n`);
  });

  it('holds no sources, tests or type declarations', async () => {
    const files = await readdir(copyOf(app).folder, { recursive: true });
    expect(files.filter((file) => /\.(ts|tsbuildinfo|map)$/.test(file))).toEqual([]);
    expect(files.filter((file) => /^app\/.*\.test\.js$|@sluice\/.*\.test\.js$/.test(file))).toEqual([]);
    expect(files.filter((file) => /onnxruntime/.test(file) && /darwin|win32/.test(file))).toEqual([]);
  });
});

describe('built services serve', () => {
  it.for(['model-server', 'router'] as const)('%s, with the registry away', async (app) => {
    const state = ['--state-dir', path.join(copyOf(app).folder, 'state'), '--registry', '127.0.0.1:1'];
    const { code, out, err } = await copyOf(app).run([...anyPorts, ...state, '--drain-ms', '500'], { until: ready });
    expect(out + err).toMatch(ready);
    expect(code).toBe(0);
  });

  it('registry, after its migration, against a real Postgres', async () => {
    const built = copyOf('registry');
    const database = await postgres.createDatabase();
    const keyFile = path.join(built.folder, 'key.pem');
    const { privateKey } = generateKeyPairSync('ed25519');
    await writeFile(keyFile, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
    const env = {
      SLUICE_OWNER_DATABASE_URL: postgres.ownerUrl(database),
      SLUICE_DATABASE_URL: postgres.urlFor('sluice_registry', 'secret', database),
    };
    const migrated = await built.run([], { entry: 'migrate.js', env });
    expect(migrated.out + migrated.err).toContain('schema is up to date');
    expect(migrated.code).toBe(0);
    const args = [...anyPorts, '--artifact-dir', path.join(built.folder, 'artifacts'), '--audit-key-file', keyFile];
    const { code, out, err } = await built.run([...args, '--drain-ms', '500'], { env, until: ready });
    expect(out + err).toMatch(ready);
    expect(code).toBe(0);
  });

  it('and say what is missing when they are not told', async () => {
    const { code, err } = await copyOf('registry').run([]);
    expect(code).toBe(2);
    expect(err).toContain('registry: databaseUrl is not set: give SLUICE_DATABASE_URL');
  });
});
