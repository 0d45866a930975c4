import { readdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { env } from 'node:process';
import { createRegistryClient } from '@sluice/client/registry-client';
import type { RegistryClient } from '@sluice/client/registry-client';
import { digestFile } from '@sluice/client/files';
import type { TlsSource } from '@sluice/rpc/tls/source';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { databaseAddresses } from '../src/database.ts';
import { openSecrets } from '../src/secrets.ts';
import { Load } from './load.ts';
import { Printed, RunningPlatform, freeOffset, killStarted, makeHome, root } from './running-platform.ts';
import { secured } from './secured.ts';

let home: string;
let platform: RunningPlatform;
let router: string;
let callers: TlsSource;
let alice: RegistryClient;
let bob: RegistryClient;

beforeAll(async () => {
  home = await makeHome('sluice-promotion-');
  // What moves a champion here is secured throughout: clients, registry, router, links.
  const { args, client: tls } = await secured(home);
  callers = tls;
  platform = new RunningPlatform({ home, offset: await freeOffset(), args });
  await platform.up();
  router = `127.0.0.1:${platform.ports.router.port}`;
  const registry = `127.0.0.1:${platform.ports.registry.port}`;
  alice = createRegistryClient(registry, { actor: 'alice', tls });
  bob = createRegistryClient(registry, { actor: 'bob', tls });
  await alice.registry.updateModel({ name: 'digits', approvalsRequired: 1 });
});
afterAll(async () => {
  alice.close();
  bob.close();
  await platform.stop();
  await killStarted();
  await rm(home, { recursive: true, force: true });
});

/** Pushes an example's graph as a new version; `note` makes its files new ones. Returns its number and a file's digest. */
async function push(
  client: RegistryClient,
  file: string,
  note: string,
): Promise<{ version: number; noteSha256: string }> {
  const graph = path.join(root, 'examples', 'models', 'digits', file);
  const manifest = path.join(home, 'sluice.yaml');
  await writeFile(manifest, `description: ${note}\n`);
  const files: { path: string; sha256: string; size: number }[] = [];
  for (const [name, at] of [
    ['model.onnx', graph],
    ['sluice.yaml', manifest],
  ] as const) {
    await client.uploadFile(at);
    files.push({ path: name, ...(await digestFile(at)) });
  }
  const call = client.registry.createVersion({ model: 'digits', files, graphPath: 'model.onnx' });
  for await (const { version } of call)
    if (version !== null) {
      expect([version.state, version.rejection]).toEqual(['VERSION_STATE_READY', '']);
      return { version: Number(version.number), noteSha256: files[1]!.sha256 };
    }
  throw new Error('no version came');
}

/** What `sluice alias set` does: requests the move and waits until it has ended and every live router has applied it. */
async function moveChampion(client: RegistryClient, version: number, timeoutMs = 30_000) {
  const { move } = await client.registry.moveAlias({ model: 'digits', alias: 'champion', version, timeoutMs });
  for await (const progress of client.registry.watchAliasMove({ moveId: move!.id })) if (progress.done) return progress;
  throw new Error('the move ended without its last message');
}

const versionsOf = (load: Load): string[] => [...new Set(load.answers.map(({ version }) => version))].sort();

async function artifactFile(sha256: string): Promise<string> {
  const folder = path.join(home, 'artifacts');
  const found = (await readdir(folder, { recursive: true })).find((name) =>
    name.replaceAll(/[^0-9a-f]/g, '').endsWith(sha256),
  );
  if (found === undefined) throw new Error(`artifact ${sha256} is not below ${folder}`);
  return path.join(folder, found);
}

describe('champion moves under load', { timeout: 120_000 }, () => {
  it('needs an approval by another person, fails no request, and leaves no answer to the old version', async () => {
    const { version } = await push(alice, 'mlp.onnx', 'a better one');
    await expect(moveChampion(alice, version)).rejects.toThrow(/sluice approve digits 4/);
    await expect(alice.registry.approve({ model: 'digits', version, alias: 'champion' })).rejects.toThrow(/alice/);
    await bob.registry.approve({ model: 'digits', version, alias: 'champion' });

    const load = new Load(router, { concurrency: 64, retryForMs: 0, tls: callers });
    const progress = await moveChampion(alice, version);
    const returned = performance.now();
    expect(progress.move?.state).toBe('ALIAS_MOVE_STATE_EFFECTIVE');
    expect(progress.routers.map(({ applied }) => applied)).toEqual([true]);
    await platform.prints(/an alias move ended/, 10_000);
    const sofar = load.answers.length;
    await expect.poll(() => load.answers.length, { timeout: 10_000 }).toBeGreaterThan(sofar + 500);
    await load.stop();

    expect(load.failures).toEqual([]);
    expect(versionsOf(load)).toEqual(['3', '4']);
    const late = load.answers.filter(({ sentAt }) => sentAt >= returned);
    expect(late.length).toBeGreaterThan(100);
    expect(late.filter((answer) => answer.version !== '4')).toEqual([]);
  });

  it('is withdrawn when the version fails to load everywhere, and the champion never stops', async () => {
    const { version, noteSha256 } = await push(alice, 'linear.onnx', 'damaged in the store after its admission');
    await bob.registry.approve({ model: 'digits', version, alias: 'champion' });
    await writeFile(await artifactFile(noteSha256), 'description: something else that is here now!!\n');
    const load = new Load(router, { concurrency: 64, retryForMs: 0, tls: callers });
    const progress = await moveChampion(alice, version, 10_000);
    await load.stop();
    expect(progress.move?.state).toBe('ALIAS_MOVE_STATE_WITHDRAWN');
    expect(progress.move?.reasons.join(' ')).toMatch(/runtime-1/);
    expect(load.failures).toEqual([]);
    expect(versionsOf(load)).toEqual(['4']);
  });

  it('goes back at once with a rollback, which needs no new approval', async () => {
    const load = new Load(router, { concurrency: 64, retryForMs: 0, tls: callers });
    const started = performance.now();
    const { move } = await alice.registry.rollback({ model: 'digits' });
    for await (const progress of alice.registry.watchAliasMove({ moveId: move!.id })) if (progress.done) break;
    const returned = performance.now();
    expect(returned - started).toBeLessThan(10_000);
    const sofar = load.answers.length;
    await expect.poll(() => load.answers.length, { timeout: 10_000 }).toBeGreaterThan(sofar + 200);
    await load.stop();
    expect(load.failures).toEqual([]);
    const late = load.answers.filter(({ sentAt }) => sentAt >= returned);
    expect(new Set(late.map((answer) => answer.version))).toEqual(new Set(['3']));
  });
});

/** Changes one byte of an entry as the superuser, who can turn the triggers off; the same call takes it back. */
async function flipByte(leaf: number): Promise<void> {
  const secrets = await openSecrets(path.join(home, 'secrets'));
  const { ownerUrl } = databaseAddresses(platform.ports.postgres, secrets);
  const database = new pg.Client({ connectionString: ownerUrl });
  await database.connect();
  try {
    await database.query('SET session_replication_role = replica');
    const { rowCount } = await database.query(
      'UPDATE registry.audit_entry SET leaf_hash = set_byte(leaf_hash, 0, get_byte(leaf_hash, 0) # 1) WHERE leaf_index = $1',
      [leaf],
    );
    expect(rowCount).toBe(1);
  } finally {
    await database.end();
  }
}

it('sluice audit verify passes, fails on one changed byte and names its entry, and passes again', async () => {
  const registry = `127.0.0.1:${platform.ports.registry.port}`;
  const files = ['ca', 'cert', 'key'].map((name) => [`--tls-${name}-file`, path.join(home, `${name}.pem`)]);
  const flags = files.flat();
  const verify = () => new Printed('npx', ['sluice', 'audit', 'verify', '--registry', registry, ...flags], root, env);
  const whole = verify();
  expect([await whole.ended, whole.out]).toEqual([0, expect.stringContaining('the audit log is whole')]);
  await flipByte(3);
  const changed = verify();
  expect(await changed.ended).toBe(1);
  expect(changed.out).toMatch(/does NOT verify:\n {2}entry 3 \(/);
  await flipByte(3);
  const again = verify();
  expect([await again.ended, again.out]).toEqual([0, expect.stringContaining('the audit log is whole')]);
});
