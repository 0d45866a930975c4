import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { TestPostgres } from '@sluice/testkit/postgres';
import { TreeBuilder } from '@sluice/domain/merkle';
import { verifyConsistency, verifyInclusion } from '@sluice/domain/merkle-proof';
import { utf8 } from '../src/audit/canonical-json.ts';
import { hasher } from '../src/audit/tree-hash.ts';
import { consistencyProof, inclusionProof } from '../src/usecases/audit-proofs.ts';
import { listAuditEntries } from '../src/usecases/list-audit-entries.ts';
import { verifyAudit } from '../src/usecases/verify-audit.ts';
import { AuditHarness, newKey } from './audit-harness.ts';
import { openPostgres } from './registry-database.ts';

let postgres: TestPostgres;
let audit: AuditHarness;
const key = newKey();

const tables = ['audit_entry', 'audit_node', 'audit_key', 'checkpoint'];

/** A log of 20 entries (the first sets the key) with checkpoints at 8, 15 and 20, and a copy of its rows. */
beforeAll(async () => {
  postgres = await openPostgres();
  audit = await AuditHarness.create(postgres);
  await audit.open(key);
  for (const count of [7, 7, 5]) {
    await audit.grow(count);
    expect(await audit.sign(key)).toMatchObject({ state: 'signing' });
    audit.clock.advance(3_600_000);
  }
  for (const table of tables) await audit.superuser.query(`CREATE TABLE intact_${table} AS TABLE registry.${table}`);
});
/** Takes the harm back. */
afterEach(async () => {
  await audit.tamper(
    ...tables.flatMap((table) => [
      `DELETE FROM registry.${table}`,
      `INSERT INTO registry.${table} SELECT * FROM intact_${table}`,
    ]),
  );
});
afterAll(async () => {
  await audit.close();
  await postgres.stop();
});

describe('verify', () => {
  it('passes an honest log, and counts its checkpoints in both places', async () => {
    expect(await audit.verify()).toMatchObject({ ok: true, treeSize: 20, checkpointsChecked: 6, problems: [] });
  });

  it('tells how far it is', async () => {
    const seen: number[] = [];
    const ports = { log: audit.log, sink: audit.sink, hasher, pageSize: 8 };
    for await (const { checked, total } of verifyAudit(ports, new AbortController().signal)) {
      expect(total).toBe(20);
      seen.push(checked);
    }
    expect(seen).toEqual([8, 16, 20]);
  });

  it.each([
    [
      'canonical_json',
      `overlay(canonical_json placing CASE substr(canonical_json, 20, 1) WHEN 'x' THEN 'y' ELSE 'x' END from 20 for 1)`,
    ],
    ['leaf_hash', 'set_byte(leaf_hash, 7, get_byte(leaf_hash, 7) # 1)'],
    ['actor', `'alicf'`],
    ['actor_kind', `'system'`],
    ['action', `'model.updatee'`],
    ['object', `'model/n'`],
    ['effective_at', `effective_at + interval '1 microsecond'`],
  ])('finds one byte changed in %s and names the entry', async (column, value) => {
    await audit.tamper(`UPDATE registry.audit_entry SET ${column} = ${value} WHERE leaf_index = 11`);
    const { ok, problems } = await audit.verify();
    expect(ok).toBe(false);
    expect(problems.length).toBeGreaterThan(0);
    for (const problem of problems) expect(problem).toMatch(/^entry 11 \(/);
  });

  it('finds what was changed in the role of a replica, where triggers do not fire', async () => {
    const runner = audit.superuser.createQueryRunner();
    await runner.query(`SET session_replication_role = replica`);
    await runner.query(`UPDATE registry.audit_entry SET actor = 'alicf' WHERE leaf_index = 4`);
    await runner.query(`RESET session_replication_role`);
    await runner.release();
    expect((await audit.verify()).problems).toEqual([expect.stringMatching(/^entry 4 .*column actor differs/)]);
  });

  it('finds an entry whose leaf hash was made to fit', async () => {
    await forge(12);
    const { problems } = await audit.verify();
    expect(problems).toEqual([expect.stringMatching(/^entry 12 .*not the entry that the tree was built on/)]);
  });

  it('finds an entry whose whole tree was made to fit, by the checkpoint after it', async () => {
    await forge(12);
    await rebuildTree();
    const { ok, problems } = await audit.verify();
    expect(ok).toBe(false);
    expect(problems[0]).toMatch(/^checkpoint of 15 entries in the database: .*one of entries 8 to 14 was changed/);
    expect(problems.some((line) => line.includes('in the artifact store'))).toBe(true);
  });

  it('finds it also when the checkpoints of the database were removed with it', async () => {
    await forge(12);
    await rebuildTree();
    await audit.tamper('DELETE FROM registry.checkpoint WHERE tree_size > 8');
    const { problems } = await audit.verify();
    expect(problems).toEqual([
      expect.stringMatching(/^checkpoint of 15 entries in the artifact store: the tree has another root/),
      expect.stringMatching(/^checkpoint of 20 entries in the artifact store: the tree has another root/),
    ]);
  });

  it('finds a missing entry in the middle, and missing ones at the end', async () => {
    await audit.tamper('DELETE FROM registry.audit_entry WHERE leaf_index = 5');
    expect((await audit.verify()).problems).toEqual(['entry 5 is missing']);
    await audit.tamper(
      'DELETE FROM registry.audit_node WHERE last_leaf >= 18',
      'DELETE FROM registry.audit_entry WHERE leaf_index >= 18',
      'DELETE FROM registry.checkpoint WHERE tree_size > 18',
    );
    expect((await audit.verify()).problems).toContain(
      'checkpoint of 20 entries in the artifact store: the log has only 18, later entries are gone',
    );
  });

  it('finds changed, missing and foreign tree nodes', async () => {
    await audit.tamper(`UPDATE registry.audit_node SET hash = set_byte(hash, 0, get_byte(hash, 0) # 1)
                        WHERE last_leaf = 7 AND level = 2`);
    expect((await audit.verify()).problems).toEqual(['entry 7: the tree node over entries 4 to 7 is wrong']);
    await audit.tamper('DELETE FROM registry.audit_node WHERE last_leaf = 7 AND level = 2');
    expect((await audit.verify()).problems).toEqual(['entry 7: the tree node over entries 4 to 7 is missing']);
    await audit.tamper(
      `INSERT INTO registry.audit_node SELECT 7, 2, hash FROM registry.audit_node WHERE last_leaf = 7 AND level = 3`,
      `INSERT INTO registry.audit_node SELECT 8, 9, hash FROM registry.audit_node WHERE last_leaf = 7 AND level = 3`,
    );
    expect((await audit.verify()).problems).toContain('entry 8: a tree node of level 9 does not belong');
  });

  it.each([
    ['root_hash', 'set_byte(root_hash, 3, get_byte(root_hash, 3) # 1)'],
    ['signature', 'set_byte(signature, 3, get_byte(signature, 3) # 1)'],
    ['body', `overlay(body placing CASE substr(body, 40, 1) WHEN 'x' THEN 'y' ELSE 'x' END from 40 for 1)`],
    ['key_id', `'0123456789abcdef'`],
    ['signed_at', `signed_at + interval '1 microsecond'`],
  ])('finds one byte changed in %s of a checkpoint', async (column, value) => {
    await audit.tamper(`UPDATE registry.checkpoint SET ${column} = ${value} WHERE tree_size = 15`);
    const { problems } = await audit.verify();
    expect(problems).toEqual([expect.stringMatching(/^checkpoint of 15 entries in the database: /)]);
  });

  it('finds a key that was replaced', async () => {
    const other = newKey();
    await audit.tamper(
      `UPDATE registry.audit_key SET key_id = '${other.keyId}', public_key_pem = '${other.publicKeyPem}'`,
    );
    const { problems } = await audit.verify();
    expect(problems[0]).toBe('entry 0: the key that it set is not the one in the table of keys');
    expect(problems.filter((line) => line.includes('it names key'))).toHaveLength(6);
  });
});

describe('large entries', () => {
  it('come in pages of bounded size, none is left out', async () => {
    const body = { text: 'x'.repeat(3 * 1024 * 1024) };
    const entries = [1, 2, 3, 4, 5].map((at) => ({ action: 'test.large', object: 'large', body: { at, ...body } }));
    await audit.changes.change('alice', async () => ({ entries, result: undefined }));
    const page = await listAuditEntries(audit.log, { from: 18, pageSize: 1000, object: '', descending: false });
    expect(page.entries.map(({ leafIndex }) => leafIndex)).toEqual([18, 19, 20, 21]);
    expect(page.next).toBe(22);
    const down = await listAuditEntries(audit.log, { from: undefined, pageSize: 3, object: 'large', descending: true });
    expect(down.entries.map(({ leafIndex }) => leafIndex)).toEqual([24, 23]);
    expect(down.next).toBe(22);
    expect(await audit.verify(500)).toMatchObject({ ok: true, treeSize: 25, problems: [] });
  });
});

describe('proofs of the stored log', () => {
  it('are accepted by a verifier that knows nothing of it, and tie old checkpoints to new ones', async () => {
    const checkpoint = await audit.log.read((reads) => reads.latestCheckpoint());
    for (let leafIndex = 0; leafIndex < 20; leafIndex++) {
      const proof = await inclusionProof(audit.log, hasher, { leafIndex, treeSize: 0 });
      expect(Buffer.from(proof.root)).toEqual(checkpoint?.rootHash);
      expect(verifyInclusion(hasher, proof)).toBe(true);
    }
    for (let oldSize = 0; oldSize <= 20; oldSize++)
      expect(verifyConsistency(hasher, await consistencyProof(audit.log, hasher, { oldSize, newSize: 0 }))).toBe(true);
  });

  it('are refused for what the log does not have', async () => {
    await expect(inclusionProof(audit.log, hasher, { leafIndex: 20, treeSize: 0 })).rejects.toMatchObject({
      kind: 'not-found',
    });
    await expect(inclusionProof(audit.log, hasher, { leafIndex: 0, treeSize: 21 })).rejects.toMatchObject({
      kind: 'invalid-argument',
    });
    await expect(consistencyProof(audit.log, hasher, { oldSize: 9, newSize: 8 })).rejects.toMatchObject({
      kind: 'invalid-argument',
    });
  });
});

/** Replaces an entry by one that is well-formed and has the right leaf hash. */
async function forge(leaf: number): Promise<void> {
  const [entry] = await audit.log.read((reads) =>
    reads.entries({ from: leaf, limit: 1, object: '', descending: false }),
  );
  const text = entry!.canonicalJson.replace('"alice"', '"mallory"');
  await audit.tamper(
    `UPDATE registry.audit_entry SET actor = 'mallory', canonical_json = '${text}',
       leaf_hash = '\\x${Buffer.from(hasher.leaf(utf8(text))).toString('hex')}' WHERE leaf_index = ${leaf}`,
  );
}

/** Writes all tree nodes anew from the leaf hashes. */
async function rebuildTree(): Promise<void> {
  const entries = await audit.log.read((reads) =>
    reads.entries({ from: 0, limit: 1000, object: '', descending: false }),
  );
  const tree = new TreeBuilder(hasher);
  const rows = entries.flatMap(({ leafIndex, leafHash }) =>
    tree
      .append(leafHash)
      .map(({ level, hash }) => `(${leafIndex}, ${level}, '\\x${Buffer.from(hash).toString('hex')}')`),
  );
  await audit.tamper('DELETE FROM registry.audit_node', `INSERT INTO registry.audit_node VALUES ${rows.join(', ')}`);
}
