import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readBlock } from '@sluice/evidence/read-block';
import { eventually } from '@sluice/testkit/eventually';
import type { TestPostgres } from '@sluice/testkit/postgres';
import { blockOf, blockOfIds, someIds } from '../evidence.ts';
import type { Replica } from '../harness.ts';
import { deliver, Sender, Site } from '../harness.ts';

/** What could not be stored. @param cluster the Postgres, on which it gets a database of its own */
export function deadLettersSuite(cluster: () => TestPostgres): void {
  let site: Site;
  let replica: Replica;

  beforeAll(async () => {
    site = await Site.open(cluster());
    replica = await site.start();
  });
  afterAll(() => site.close());

  /** All dead letters, page by page. */
  async function letters(reason = '') {
    const all = [];
    let pageToken = '';
    do {
      const page = await replica.feedback.listDeadLetters({ pageSize: 2, pageToken, reason });
      expect(page.deadLetters.length).toBeLessThanOrEqual(2);
      all.push(...page.deadLetters);
      pageToken = page.nextPageToken;
    } while (pageToken !== '');
    return all;
  }

  const clear = () => site.query('DELETE FROM feedback.dead_letter');

  describe('dead letters', () => {
    it('are the records that Postgres refuses, alone, and are stored once it does not', async () => {
      const ids = someIds(101);
      // Nothing that passes our own checks is refused today; this stands for what will be.
      await site.query(`ALTER TABLE feedback.evidence ADD CONSTRAINT refuses CHECK (caller <> 'bad')`);
      const given = ids.map((predictionId, index) => ({
        predictionId,
        caller: [7, 50, 100].includes(index) ? 'bad' : 'good',
        request: Buffer.from([index]),
        requestState: 'captured' as const,
      }));
      const block = blockOf(...given);
      await deliver(replica.address, [block]);
      await deliver(replica.address, [block], 'spool-2');
      const bad = [ids[7], ids[50], ids[100]] as string[];
      expect(await site.count(ids)).toEqual({ rows: 98, predictions: 98 });
      expect(await site.count(bad)).toEqual({ rows: 0, predictions: 0 });
      const found = await letters();
      expect(found.map(({ predictionId }) => predictionId).toSorted()).toEqual(bad.toSorted());
      expect(found[0]).toMatchObject({
        ...{ kind: 'DEAD_LETTER_KIND_RECORD', reason: 'refused', detail: 'Postgres refused it with SQLSTATE 23514' },
        ...{ spoolId: 'spool-1', routerId: 'router-1', position: '1', model: 'digits' },
      });
      const kept = await site.query<{ bytes: Buffer }>('SELECT bytes FROM feedback.dead_letter ORDER BY id');
      const original = readBlock(block).filter(({ predictionId }) => bad.includes(predictionId));
      expect(kept.flatMap(({ bytes }) => readBlock(bytes))).toEqual(expect.arrayContaining(original));

      const [before] = found;
      expect(before).toMatchObject({ attempts: '2' });
      expect(await replica.feedback.replayDeadLetters({})).toMatchObject({ replayed: 0, failed: 3, nextPageToken: '' });
      const [after] = await letters();
      expect(Number(after!.attempts)).toBe(Number(before!.attempts) + 1);

      await site.query('ALTER TABLE feedback.evidence DROP CONSTRAINT refuses');
      const one = await replica.feedback.replayDeadLetters({ ids: [Number(after!.id), 999_999] });
      expect(one).toEqual({ replayed: 1, failed: 0, missingIds: ['999999'], nextPageToken: '' });
      const page = await replica.feedback.replayDeadLetters({ pageSize: 1 });
      expect(page).toMatchObject({ replayed: 1, failed: 0 });
      const last = await replica.feedback.replayDeadLetters({ pageSize: 1, pageToken: page.nextPageToken });
      expect(last).toMatchObject({ replayed: 1, nextPageToken: '' });
      expect(await letters()).toEqual([]);
      expect(await site.count(ids)).toEqual({ rows: 101, predictions: 101 });
    });

    it('are found among records that are skewed too', async () => {
      const ids = [...someIds(2), ...someIds(3, Date.now() - 9_000 * 86_400_000)];
      await site.query(`ALTER TABLE feedback.evidence_skewed ADD CONSTRAINT refuses CHECK (caller <> 'bad')`);
      const given = ids.map((predictionId, index) => ({ predictionId, caller: index === 3 ? 'bad' : 'good' }));
      await deliver(replica.address, [blockOf(...given)]);
      await site.query('ALTER TABLE feedback.evidence_skewed DROP CONSTRAINT refuses');
      expect(await site.count(ids)).toEqual({ rows: 2, predictions: 2 });
      expect(await site.count(ids, 'evidence_skewed')).toEqual({ rows: 2, predictions: 2 });
      expect(await letters()).toMatchObject([{ predictionId: ids[3], reason: 'refused' }]);
      expect(await replica.feedback.replayDeadLetters({})).toMatchObject({ replayed: 1, failed: 0 });
      expect(await site.count(ids, 'evidence_skewed')).toEqual({ rows: 3, predictions: 3 });
    });

    it('are records with values that none may have, beside good ones', async () => {
      const ids = someIds(8);
      const [good, ...others] = ids as [string, ...string[]];
      const block = blockOf(
        { predictionId: others[0]!, context: { retentionClass: 'forever' } },
        { predictionId: good },
        { predictionId: others[1]!, keepProbability: 0 },
        { predictionId: others[2]!, receivedMs: Number.NaN },
        { predictionId: others[3]!, context: { model: 'a\0b' } },
        { predictionId: others[4]!, context: { propensity: 1.5 } },
        { predictionId: others[5]!, status: 17 },
        { predictionId: others[6]!, fallbackStatus: 255 },
      );
      await deliver(replica.address, [block, block]);
      expect(await site.count(ids)).toEqual({ rows: 1, predictions: 1 });
      const found = await letters('invalid');
      expect(found.map(({ predictionId }) => predictionId).toSorted()).toEqual(others.toSorted());
      expect(found.find(({ predictionId }) => predictionId === others[3])).toMatchObject({ model: 'a\uFFFDb' });
      expect(found.map(({ detail }) => detail).toSorted()).toEqual([
        'fallbackStatus is no status of gRPC',
        'its retention class is none of short, standard, long',
        'keepProbability is not above 0 and up to 1',
        'model has a NUL character (U+0000)',
        'propensity is not within 0 and 1',
        'receivedMs is no time from 1970 to 9999',
        'status is no status of gRPC',
      ]);
      await clear();
    });

    it('are whole blocks that cannot be read, acknowledged like any other, once', async () => {
      const ids = someIds(2);
      const cut = blockOfIds(someIds(1)).subarray(0, 100);
      const newer = Buffer.from(blockOfIds([ids[1]!]));
      newer[3] = 9;
      await deliver(replica.address, [cut, blockOfIds([ids[0]!]), newer, Buffer.alloc(0), cut]);
      await deliver(replica.address, [cut], 'spool-2');
      expect(await site.count(ids)).toEqual({ rows: 1, predictions: 1 });
      const found = await letters();
      expect(found.map(({ kind, reason, sizeBytes }) => [kind, reason, Number(sizeBytes)]).toSorted()).toEqual([
        ['DEAD_LETTER_KIND_BLOCK', 'unknown-layout', newer.length],
        ['DEAD_LETTER_KIND_BLOCK', 'unreadable', 0],
        ['DEAD_LETTER_KIND_BLOCK', 'unreadable', 100],
      ]);
      expect(found.find(({ sizeBytes }) => sizeBytes === '100')).toMatchObject({ attempts: '3', predictionId: '' });
      expect(await replica.feedback.replayDeadLetters({})).toMatchObject({ replayed: 0, failed: 3 });
      // As an upgrade that can read the layout would.
      newer[3] = 1;
      await site.query('UPDATE feedback.dead_letter SET bytes = $1, sealed = NULL WHERE reason = $2', [
        newer,
        'unknown-layout',
      ]);
      expect(await replica.feedback.replayDeadLetters({})).toMatchObject({ replayed: 1, failed: 2 });
      expect(await site.count(ids)).toEqual({ rows: 2, predictions: 2 });
      await clear();
    });

    it('of a record that this software can no longer read stay when they are tried again', async () => {
      const [id] = someIds(1);
      await deliver(replica.address, [blockOf({ predictionId: id!, keepProbability: 0 })]);
      // As a newer feedback would have left it behind.
      const [kept] = await site.query<{ bytes: Buffer }>('SELECT bytes FROM feedback.dead_letter');
      kept!.bytes[3] = 9;
      const digest = (await site.keys()).ring.digest(kept!.bytes);
      await site.query('UPDATE feedback.dead_letter SET bytes = $1, digest = $2', [kept!.bytes, digest]);
      expect(await replica.feedback.replayDeadLetters({})).toMatchObject({ replayed: 0, failed: 1 });
      expect(await letters()).toMatchObject([{ kind: 'DEAD_LETTER_KIND_RECORD', predictionId: id }]);
      await clear();
    });

    it('are none where the table refuses every record: the stream ends, and what was sent is stored later', async () => {
      const ids = someIds(20);
      for (const table of ['evidence', 'evidence_skewed']) {
        // As a table of another software would.
        await site.query(`ALTER TABLE feedback.${table} ADD CONSTRAINT other CHECK (rule = 'new') NOT VALID`);
        const own =
          table === 'evidence' ? ids.slice(0, 10) : ids.slice(10).map((id) => `00000000-0000-7${id.slice(15)}`);
        const sender = await Sender.open(replica.address);
        sender.block(1, blockOfIds(own));
        const { acknowledged, error } = await sender.rest();
        sender.close();
        expect([acknowledged, error]).toMatchObject([
          0,
          { kind: 'failed-precondition', message: expect.stringMatching(/SQLSTATE 23514.*run its migrate/) as string },
        ]);
        await site.query(`ALTER TABLE feedback.${table} DROP CONSTRAINT other`);
        await deliver(replica.address, [blockOfIds(own)]);
        expect(await site.count(own, table)).toEqual({ rows: 10, predictions: 10 });
      }
      expect(await letters()).toEqual([]);
      expect(await site.query(`SELECT FROM feedback.evidence WHERE model = 'canary'`)).toEqual([]);
    });

    it('expire when they have not failed for as long as the setting says, and are counted', async () => {
      const ids = someIds(3);
      await deliver(
        replica.address,
        ids.map((predictionId) => blockOf({ predictionId, keepProbability: 0 })),
      );
      await site.query(
        `UPDATE feedback.dead_letter SET last_at = now() - interval '29 days 23 hours', first_at = now() - interval '99 days'
         WHERE prediction_id = $1`,
        [ids[0]],
      );
      await site.query(
        `UPDATE feedback.dead_letter SET last_at = now() - interval '30 days 1 hour' WHERE prediction_id = $1`,
        [ids[1]],
      );
      const keeper = await site.start({ SLUICE_DEAD_LETTER_DAYS: '30', SLUICE_UPKEEP_MS: '100' });
      await eventually(async () =>
        expect((await letters()).map(({ predictionId }) => predictionId).toSorted()).toEqual(
          [ids[0], ids[2]].toSorted(),
        ),
      );
      await eventually(async () => expect(await keeper.metric('sluice_feedback_dead_letters_expired_total')).toBe(1));
      await keeper.stop();
      await clear();
    });

    it('are deleted by id, or all of a reason', async () => {
      const ids = someIds(3);
      await deliver(replica.address, [
        ...ids.map((predictionId) => blockOf({ predictionId, keepProbability: 0 })),
        Buffer.alloc(1),
      ]);
      const { feedback } = replica;
      const [first] = await letters('invalid');
      expect(await feedback.deleteDeadLetters({ ids: [Number(first!.id), 999_999, 999_999] })).toEqual({
        ...{ deleted: '1', missingIds: ['999999'] },
      });
      expect(await feedback.deleteDeadLetters({ reason: 'invalid' })).toEqual({ deleted: '2', missingIds: [] });
      expect((await letters()).map(({ reason }) => reason)).toEqual(['unreadable']);
      const refused: [Parameters<typeof feedback.deleteDeadLetters>[0], RegExp][] = [
        [{}, /^ids: expected some, or a reason/],
        [{ ids: [1], reason: 'invalid' }, /^ids: expected some, or a reason .* not both/],
        [{ reason: 'boredom' }, /^reason: "boredom" given/],
        [{ ids: Array.from({ length: 1_001 }, (_, id) => id + 1) }, /^ids: 1001 given/],
      ];
      for (const [request, message] of refused)
        await expect(feedback.deleteDeadLetters(request)).rejects.toThrow(message);
      await clear();
    });

    it('are counted, and refuse requests that make no sense', async () => {
      expect(await replica.metric('sluice_feedback_records_total', 'outcome="dead"')).toBeGreaterThan(0);
      const { feedback } = replica;
      await expect(feedback.listDeadLetters({ pageSize: 1_001 })).rejects.toThrow(
        /page_size: 1001 given; expected at most 1000/,
      );
      await expect(feedback.listDeadLetters({ pageToken: 'x' })).rejects.toThrow(/page_token/);
      await expect(feedback.listDeadLetters({ reason: 'boredom' })).rejects.toThrow(
        /reason: "boredom" given; expected one of/,
      );
      const ids = Array.from({ length: 1_001 }, (_, id) => id + 1);
      await expect(feedback.replayDeadLetters({ ids })).rejects.toThrow(/ids: 1001 given; expected at most 1000/);
    });
  });
}
