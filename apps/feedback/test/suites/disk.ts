import { execFileSync } from 'node:child_process';
import { chownSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '@sluice/testkit/eventually';
import type { TestPostgres } from '@sluice/testkit/postgres';
import { dayOf } from '../../src/evidence/days.ts';
import { blockOf, someIds } from '../evidence.ts';
import type { Replica } from '../harness.ts';
import { deliver, Sender, Site } from '../harness.ts';

/** A database without room. @param cluster the Postgres, on which it gets a database of its own */
export function diskSuite(cluster: () => TestPostgres): void {
  let site: Site;
  let replica: Replica;

  beforeAll(async () => {
    site = await Site.open(cluster());
    replica = await site.start();
  });
  afterAll(() => site.close());

  const blockOfSize = (id: string): Buffer =>
    blockOf({ predictionId: id, request: randomBytes(60_000), requestState: 'captured' });

  /** Sends block after block until the stream ends; ids that were acknowledged, and what it ended with. */
  async function sendUntilFull(): Promise<{ stored: string[]; error: unknown }> {
    const ids = someIds(200);
    const sender = await Sender.open(replica.address);
    ids.forEach((id, index) => sender.block(index + 1, blockOfSize(id)));
    const { acknowledged, error } = await sender.rest();
    sender.close();
    // What came is stored all the same; whoever changes tables meanwhile may be in its way.
    await eventually(async () =>
      expect(await replica.adminState()).toMatchObject({ blocksWaiting: 0, batchesUnderWay: 0 }),
    );
    return { stored: ids.slice(0, acknowledged), error };
  }

  const refused = {
    ...{ kind: 'resource-exhausted', message: expect.stringMatching(/out of disk/) as string },
  };

  describe('a full database', () => {
    it('ends streams with RESOURCE_EXHAUSTED on a real disk, loses nothing that was acknowledged, and goes on with room', async ({
      skip,
    }) => {
      const folder = mkdtempSync(join(tmpdir(), 'sluice-small-disk-'));
      try {
        execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', folder], { stdio: 'pipe' });
      } catch (error) {
        rmSync(folder, { recursive: true });
        skip(`mounting a tmpfs is not allowed here: ${String(error).split('\n')[0]}`);
        return;
      }
      const part = `feedback.evidence_standard_${dayOf(Date.now()).replaceAll('-', '')}`;
      try {
        const [data] = await site.query<{ data_directory: string }>('SHOW data_directory');
        const { uid, gid } = statSync(data!.data_directory);
        chownSync(folder, uid, gid);
        await site.query(`CREATE TABLESPACE small LOCATION '${folder}'`);
        await site.query(`ALTER TABLE ${part} SET TABLESPACE small`);
        const { stored, error } = await sendUntilFull();
        expect(error).toMatchObject(refused);
        expect(stored.length).toBeLessThan(100);
        expect(await site.count(stored)).toEqual({ rows: stored.length, predictions: stored.length });
        execFileSync('mount', ['-o', 'remount,size=64m', folder]);
        const ids = someIds(5);
        await deliver(replica.address, ids.map(blockOfSize));
        expect(await site.count(ids)).toEqual({ rows: 5, predictions: 5 });
        expect(await site.query('SELECT count(*)::int AS letters FROM feedback.dead_letter')).toEqual([{ letters: 0 }]);
        await site.query(`ALTER TABLE ${part} SET TABLESPACE pg_default`);
        await site.query('DROP TABLESPACE small');
      } finally {
        execFileSync('umount', ['-l', folder]);
        rmSync(folder, { recursive: true });
      }
    });

    it('is told from one that refuses the data, wherever the error comes from', async () => {
      await site.query(
        `CREATE FUNCTION feedback.full() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
           RAISE EXCEPTION 'no room' USING ERRCODE = 'disk_full';
         END $$`,
      );
      await site.query(
        'CREATE TRIGGER full_disk BEFORE INSERT ON feedback.evidence FOR EACH ROW EXECUTE FUNCTION feedback.full()',
      );
      const { stored, error } = await sendUntilFull();
      await site.query('DROP FUNCTION feedback.full() CASCADE');
      expect([stored, error]).toMatchObject([[], refused]);
      expect(await site.query('SELECT count(*)::int AS letters FROM feedback.dead_letter')).toEqual([{ letters: 0 }]);
      const ids = someIds(2);
      await deliver(replica.address, ids.map(blockOfSize));
      expect(await site.count(ids)).toEqual({ rows: 2, predictions: 2 });
    });
  });
}
