import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { TestPostgres } from '@sluice/testkit/postgres';
import { blockOf, ofSubject as of } from '../evidence.ts';
import { deliver, Site } from '../harness.ts';

/** Orders that a database has lost. @param cluster the Postgres, on which it gets databases of its own */
export function putBackSuite(cluster: () => TestPostgres): void {
  describe('a database that was put back', () => {
    it('has no key that was destroyed since when it serves again, and gives no number twice', async () => {
      const admin = new Site(cluster(), 'postgres');
      const first = await Site.open(cluster());
      const before = await first.start();
      await deliver(before.address, [blockOf(of('jim'), of('kim'))]);
      await before.privacy.eraseSubject({ subject: 'kim', reason: 'an older letter' });
      await before.stop();
      await admin.query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1', [first.database]);
      const copy = await cluster().createDatabase(first.database);
      const since = await first.start();
      await since.privacy.eraseSubject({ subject: 'jim', reason: 'a letter' });
      await since.privacy.eraseSubject({ subject: 'lee', reason: 'another' });
      await since.stop();

      const restored = new Site(cluster(), copy);
      const keys = 'SELECT count(*)::int AS keys FROM feedback.subject_key WHERE wrapped IS NOT NULL';
      expect(await restored.query(keys)).toEqual([{ keys: 1 }]);
      const after = await restored.start({ SLUICE_ARTIFACT_DIR: first.artifactDir });
      expect(await restored.query(keys)).toEqual([{ keys: 0 }]);
      const { erasures } = await after.privacy.listErasures({});
      expect(erasures.map(({ number, reason }) => [number, reason])).toEqual([
        ['3', 'another'],
        ['2', 'a letter'],
        ['1', 'an older letter'],
      ]);
      const actions = await restored.query(`SELECT action FROM feedback.audit_outbox ORDER BY id`);
      expect(actions.map(({ action }) => action)).toEqual(['EraseSubject', 'ReapplyErasure', 'ReapplyErasure']);
      const next = await after.privacy.eraseSubject({ subject: 'mia', reason: 'a third' });
      expect(next.erasure!.number).toBe('4');
      await after.stop();
      // A document that cannot be read may be an order that must be followed.
      await writeFile(join(first.artifactDir, 'erasures', '0'.repeat(13), '0000000000000005.json'), '{}');
      await expect(restored.start({ SLUICE_ARTIFACT_DIR: first.artifactDir })).rejects.toThrow(
        /0000000000000005.json is not an order to erase/,
      );
      await restored.close();
      await first.close();
      await admin.close();
    });
  });
}
