import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '@sluice/testkit/eventually';
import type { TestPostgres } from '@sluice/testkit/postgres';
import { contentDigest, waitingKey } from '../../src/labels/digest.ts';
import type { Item } from '../../src/labels/item.ts';
import { plainPayloads } from '../../src/payloads/payload-cipher.ts';
import { blockOf, idAt, ofSubject as of } from '../evidence.ts';
import type { Replica } from '../harness.ts';
import { deliver, Site } from '../harness.ts';

/** Texts of feedback of a subject that is erased. @param cluster the Postgres, on which it gets a database of its own */
export function erasedTextsSuite(cluster: () => TestPostgres): void {
  let site: Site;
  let replica: Replica;

  beforeAll(async () => {
    site = await Site.open(cluster());
    replica = await site.start({ SLUICE_UPKEEP_MS: '200', SLUICE_JOIN_MS: '20' });
  });
  afterAll(() => site.close());

  const erase = async (subject: string) =>
    (await replica.privacy.eraseSubject({ subject, reason: 'a request by letter' })).erasure!;

  describe('an order to erase', () => {
    it('takes texts of feedback with it, and waits for those whose prediction is not there', async () => {
      const [id, unknown] = [idAt(Date.now()), idAt(Date.now())];
      await deliver(replica.address, [blockOf(of('pat', { predictionId: id }))], 'known');
      const text = (predictionId: string) => ({ predictionId, source: 'desk', text: `pat says of ${predictionId}` });
      const { answers } = await replica.labels.recordFeedback({ items: [text(id), text(unknown)] });
      expect(answers.map(({ result }) => result)).toEqual(['ITEM_RESULT_JOINED', 'ITEM_RESULT_WAITING']);
      const texts = async () => {
        const rows = await site.query<{ id: string; payload: Buffer; key: string }>(
          `SELECT feedback_id AS id, payload, payload_key_id AS key FROM feedback.feedback_item WHERE prediction_id = $1`,
          [id],
        );
        const { payloads } = await site.keys();
        return payloads.openAll(
          rows.map(({ id: feedbackId, payload, key }) => ({
            ...{ keyId: key, bytes: payload, context: `feedback/${feedbackId}` },
          })),
        );
      };
      expect((await texts()).map(String)).toEqual([`pat says of ${id}`]);
      const { pending } = await erase('pat');
      expect(await texts()).toEqual([undefined]);
      expect(pending!.waitingFeedback).toBe('1');
      // Its prediction comes late.
      await deliver(replica.address, [blockOf(of('pat', { predictionId: unknown }))], 'known');
      await eventually(async () => {
        const rows = await site.query(
          'SELECT payload_state, payload FROM feedback.feedback_item WHERE prediction_id = $1',
          [unknown],
        );
        expect(rows).toEqual([{ payload_state: 'erased', payload: null }]);
      });
      // It lay in plain, in a row that is deleted by now: others may overwrite it.
      const vacuumed = `SELECT FROM pg_stat_user_tables WHERE relname = 'label_waiting' AND vacuum_count > 0`;
      await eventually(async () => expect(await site.query(vacuumed)).toHaveLength(1));
    });

    it('takes texts from before it also where the subject has another key by the time that their prediction comes', async () => {
      const unknown = idAt(Date.now());
      const text = { predictionId: unknown, source: 'desk', text: 'yes' };
      await deliver(replica.address, [blockOf(of('tom'))], 'known');
      const said = await replica.labels.recordFeedback({ items: [text] });
      expect(said.answers.map(({ result }) => result)).toEqual(['ITEM_RESULT_WAITING']);
      await erase('tom');
      // Made after the order: there is another key.
      await site.query(`UPDATE feedback.erasure SET ordered_at = ordered_at - interval '90 s'`);
      await site.query(`UPDATE feedback.label_waiting SET recorded_at = recorded_at - interval '120 s'`);
      await deliver(replica.address, [blockOf(of('tom'))], 'known');
      expect(await site.query('SELECT FROM feedback.subject_key WHERE erased_at IS NULL')).toHaveLength(1);
      const receivedMs = Date.now() - 120_000;
      await deliver(replica.address, [blockOf(of('tom', { predictionId: unknown, receivedMs }))], 'known');
      await eventually(async () => {
        const rows = await site.query(
          'SELECT payload_state, payload, payload_key_id FROM feedback.feedback_item WHERE prediction_id = $1',
          [unknown],
        );
        expect(rows).toEqual([{ payload_state: 'erased', payload: null, payload_key_id: null }]);
      });
    });

    it('leaves nothing by which a guess at a text could be tested', async () => {
      const digests = async (predictionId: string, table: 'feedback_item.digest' | 'label_waiting.key') => {
        const [name, column] = table.split('.') as [string, string];
        const rows = await site.query<{ digest: Buffer }>(
          `SELECT ${column} AS digest FROM feedback.${name} WHERE prediction_id = $1`,
          [predictionId],
        );
        return rows.map(({ digest }) => digest.toString('hex'));
      };
      const ids = [idAt(Date.now()), idAt(Date.now())] as [string, string];
      const say = (predictionId: string) =>
        replica.labels.recordFeedback({ items: [{ predictionId, source: 'desk', text: 'yes' }] });
      await deliver(
        replica.address,
        [blockOf(of('una', { predictionId: ids[0] }), of('una', { predictionId: ids[1] }))],
        'known',
      );
      for (const id of ids) await say(id);
      const [again] = (await say(ids[0])).answers;
      expect(again!.result).toBe('ITEM_RESULT_DUPLICATE');
      const [first] = await digests(ids[0], 'feedback_item.digest');
      // The same text of the same subject; of another one, or of nobody, it has another digest.
      expect(await digests(ids[1], 'feedback_item.digest')).toEqual([first]);
      const item = { values: [], atMicros: undefined } as unknown as Item;
      const guess = Buffer.from('yes');
      const { ring } = await site.keys();
      const tests = [guess, plainPayloads.digest(guess), ring.digest(guess), ring.digestText(guess)];
      expect(tests.map((mark) => contentDigest(item, mark).toString('hex'))).not.toContain(first);
      const unknown = idAt(Date.now());
      await say(unknown);
      const [waits] = await digests(unknown, 'label_waiting.key');
      const waiting = {
        ...{ kind: 'text', predictionId: unknown, model: '', requestId: '', source: 'desk', row: -1, perRow: false },
        ...{ actor: '', values: [], atMicros: undefined, payload: guess },
      } as Item;
      expect(waitingKey(waiting, { digest: (text) => ring.digestText(text) }).toString('hex')).toBe(waits);
      expect(waitingKey(waiting, plainPayloads).toString('hex')).not.toBe(waits);
      await site.query('DELETE FROM feedback.label_waiting');
    });
  });
}
