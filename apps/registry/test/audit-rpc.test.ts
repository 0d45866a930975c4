import { createPublicKey, generateKeyPairSync, verify } from 'node:crypto';
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { auditService, type AuditServiceMethods } from '@sluice/contracts/services';
import { createDataSource } from '@sluice/persistence/data-source';
import { verifyConsistency, verifyInclusion } from '@sluice/domain/merkle-proof';
import { createRpcClient, type RpcClient } from '@sluice/rpc/client';
import { systemClock } from '@sluice/service-kit/clock';
import { eventually } from '@sluice/testkit/eventually';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readSigningKey } from '../src/audit/signing-key.ts';
import { hasher } from '../src/audit/tree-hash.ts';
import { migrateRegistry } from '../src/store/migrate-registry.ts';
import { Site, type Replica } from './harness.ts';

let site: Site;
let replica: Replica;
let audit: RpcClient<AuditServiceMethods>;

beforeAll(async () => {
  site = await Site.open();
  replica = await site.start();
  audit = createRpcClient(auditService, replica.address, { clock: systemClock });
  const ann = replica.as('ann');
  for (const name of ['a', 'ab', 'team/b', 'c']) await ann.createModel({ name });
  await ann.updateModel({ name: 'a', description: 'changed' });
  await eventually(async () => expect((await audit.getLatestCheckpoint({})).checkpoint?.treeSize).toBe('6'), 15_000);
});
afterAll(async () => {
  audit.close();
  await site.close();
});

async function verdict() {
  for await (const message of audit.verifyAudit({})) if (message.verdict) return message.verdict;
  throw new Error('the stream ended without a verdict');
}

/** Runs SQL as the superuser with the log's triggers off. */
async function tamper(...statements: string[]): Promise<void> {
  const owner = await createDataSource({ url: site.ownerUrl, schema: 'registry', applicationName: 'harm' });
  const [on, off] = ['ENABLE', 'DISABLE'].map((mode) => `ALTER TABLE registry.audit_entry ${mode} TRIGGER append_only`);
  for (const sql of [off!, ...statements, on!]) await owner.query(sql);
  await owner.destroy();
}

describe('AuditService', () => {
  it('lists entries up and down, in pages, and of one object with what is below it', async () => {
    const first = await audit.listAuditEntries({ pageSize: 4 });
    expect(first.entries.map(({ leafIndex }) => leafIndex)).toEqual(['0', '1', '2', '3']);
    const second = await audit.listAuditEntries({ pageSize: 4, fromIndex: first.nextIndex! });
    expect(second.entries.map(({ leafIndex }) => leafIndex)).toEqual(['4', '5']);
    expect(second.nextIndex).toBeUndefined();
    const newest = await audit.listAuditEntries({ pageSize: 1, descending: true });
    expect(newest.entries[0]).toMatchObject({ leafIndex: '5', actor: 'ann', object: 'model/a' });
    const ofA = await audit.listAuditEntries({ objectPrefix: 'model/a' });
    expect(ofA.entries.map(({ leafIndex }) => leafIndex)).toEqual(['1', '5']);
    const ofTeam = await audit.listAuditEntries({ objectPrefix: 'model/team/' });
    expect(ofTeam.entries.map(({ object }) => object)).toEqual(['model/team/b']);
    await expect(audit.listAuditEntries({ pageSize: 1001 })).rejects.toMatchObject({ kind: 'invalid-argument' });
  });

  it.each([1, 2, 3, 5, 6])('goes down through all entries in pages of %i, as a client does', async (pageSize) => {
    const seen: string[] = [];
    let fromIndex: string | undefined;
    // One page more than there can be: a list without end fails here and does not hang.
    for (let page = 0; page < 7; page += 1) {
      const answer = await audit.listAuditEntries({
        ...{ descending: true, pageSize },
        ...(fromIndex === undefined ? {} : { fromIndex }),
      });
      seen.push(...answer.entries.map(({ leafIndex }) => leafIndex));
      fromIndex = answer.nextIndex;
      if (fromIndex === undefined) break;
    }
    expect(seen).toEqual(['5', '4', '3', '2', '1', '0']);
    const { entries } = await audit.listAuditEntries({ descending: true, fromIndex: 0 });
    expect(entries.map(({ leafIndex }) => leafIndex)).toEqual(['0']);
  });

  it('proves to an outsider that an entry is under a checkpoint that the key signed', async () => {
    const { checkpoint } = await audit.getLatestCheckpoint({});
    const { keyId, publicKeyPem } = await audit.getAuditKey({});
    expect(checkpoint?.keyId).toBe(keyId);
    const { body, signature, rootHash } = checkpoint!;
    expect(verify(null, Buffer.from(body, 'utf8'), createPublicKey(publicKeyPem), signature)).toBe(true);
    expect(body.split('\n').slice(1, 3)).toEqual(['6', rootHash.toString('base64')]);
    const { entries } = await audit.listAuditEntries({});
    for (const { leafIndex, canonicalJson } of entries) {
      const proof = await audit.getInclusionProof({ leafIndex, treeSize: 6 });
      const leafHash = hasher.leaf(Buffer.from(canonicalJson, 'utf8'));
      const claim = { leafIndex: Number(leafIndex), treeSize: 6, leafHash, path: proof.path, root: rootHash };
      expect(verifyInclusion(hasher, claim)).toBe(true);
    }
    const { oldRoot, newRoot, path } = await audit.getConsistencyProof({ oldSize: 3 });
    expect(verifyConsistency(hasher, { oldSize: 3, newSize: 6, oldRoot, newRoot, path })).toBe(true);
    await expect(audit.getInclusionProof({ leafIndex: 6 })).rejects.toMatchObject({ kind: 'not-found' });
    await expect(audit.getConsistencyProof({ oldSize: 7 })).rejects.toMatchObject({ kind: 'invalid-argument' });
  });

  it('verifies, and names the entry in which a superuser changed one byte', async () => {
    expect(await verdict()).toMatchObject({ ok: true, treeSize: '6', problems: [] });
    const change = (from: string, to: string): Promise<void> =>
      tamper(`UPDATE registry.audit_entry SET canonical_json = replace(canonical_json, '${from}', '${to}')
              WHERE leaf_index = 3`);
    await change('team/b', 'team/d');
    const { ok, problems } = await verdict();
    expect(ok).toBe(false);
    expect(problems[0]).toMatch(/^entry 3 \(model\.created of model\/team\/b\)/);
    await change('team/d', 'team/b');
    expect(await verdict()).toMatchObject({ ok: true });
  });
});

describe('a registry', () => {
  it('refuses a key file that is missing, open to others, or of another kind', async () => {
    const file = join(site.folder, 'other.key');
    const settings = { SLUICE_AUDIT_KEY_FILE: file };
    await expect(site.start(settings)).rejects.toThrow(/does not exist: make one with `openssl genpkey/);
    const pem = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' });
    await writeFile(file, pem, { mode: 0o600 });
    expect((await readSigningKey(file)).keyId).toMatch(/^[0-9a-f]{16}$/);
    await chmod(file, 0o640);
    await expect(readSigningKey(file)).rejects.toThrow(/has mode 640, so other users may read it/);
    await chmod(file, 0o600);
    await writeFile(file, generateKeyPairSync('x25519').privateKey.export({ type: 'pkcs8', format: 'pem' }));
    await expect(readSigningKey(file)).rejects.toThrow(/holds a key of type x25519, expected ed25519/);
    await writeFile(file, 'nonsense');
    await expect(readSigningKey(file)).rejects.toThrow(/holds no private key in PEM/);
    await expect(readSigningKey(site.folder)).rejects.toMatchObject({ kind: 'failed-precondition' });
  });

  it('that holds another key than the log serves, shows it, and signs nothing', async () => {
    const file = join(site.folder, 'wrong.key');
    const pem = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' });
    await writeFile(file, pem, { mode: 0o600 });
    const other = await site.start({ SLUICE_AUDIT_KEY_FILE: file });
    await eventually(async () => expect((await other.adminState())['checkpoints']).toMatchObject({ state: 'refused' }));
    await other.as('ann').getModel({ name: 'a' });
    await other.stop();
  });

  it('does not start on a database without the entries of the last checkpoint, unless told', async () => {
    const name = await site.postgres.createDatabase();
    const serviceUrl = site.serviceUrl.replace(/[^/]+$/, name);
    await migrateRegistry({ ownerUrl: site.postgres.ownerUrl(name), serviceUrl });
    const settings = { SLUICE_DATABASE_URL: serviceUrl };
    await expect(site.start(settings)).rejects.toMatchObject({ kind: 'failed-precondition' });
    await expect(site.start(settings)).rejects.toThrow(/has 0 entries, but a checkpoint of 6 .*--accept-restore/);
    const accepted = await site.start({ ...settings, SLUICE_ACCEPT_RESTORE: 'true' });
    const client = createRpcClient(auditService, accepted.address, { clock: systemClock });
    const { entries } = await client.listAuditEntries({});
    expect(entries.map(({ action }) => action)).toEqual(['audit.restore.accepted', 'audit.key.set']);
    client.close();
    await accepted.stop();
  });
});
