import { readFile, rm, writeFile } from 'node:fs/promises';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { predictionService, privacyService } from '@sluice/contracts/services';
import { createRpcClient } from '@sluice/rpc/client';
import { systemClock } from '@sluice/service-kit/clock';
import { eventually } from '@sluice/testkit/eventually';
import type { TestPostgres } from '@sluice/testkit/postgres';
import { locks } from '../../src/store/locks.ts';
import { blockOf, idAt, ofSubject as of } from '../evidence.ts';
import type { Replica } from '../harness.ts';
import { deliver, Sender, Site } from '../harness.ts';

const laterMs = 120_000;

/** Orders to erase. @param cluster the Postgres, on which it gets databases of its own */
export function privacySuite(cluster: () => TestPostgres): void {
  let site: Site;
  let replica: Replica;

  beforeAll(async () => {
    site = await Site.open(cluster());
    replica = await site.start({ SLUICE_UPKEEP_MS: '200' });
  });
  afterAll(() => site.close());

  const rowsOf = (subject: string, table = 'evidence') =>
    site.query<{ id: string; keyId: string | null; request: Buffer | null; state: string; arm: string }>(
      `SELECT prediction_id AS id, payload_key_id AS "keyId", request, request_state AS state, arm
         FROM feedback.${table} WHERE subject = $1 ORDER BY prediction_id`,
      [subject],
    );

  /** Requests of a subject, as far as anybody can read them. */
  async function requestsOf(subject: string): Promise<(string | undefined)[]> {
    const { payloads } = await site.keys();
    const rows = await rowsOf(subject);
    const opened = await payloads.openAll(
      rows.map(({ id, keyId, request, arm }) => ({
        ...{ keyId: keyId ?? undefined, bytes: request ?? Buffer.alloc(0), context: `evidence/${id}/${arm}/1/request` },
      })),
    );
    return opened.map((bytes) => bytes && Buffer.from(bytes).toString());
  }

  const erase = async (subject: string, over: object = {}) =>
    (await replica.privacy.eraseSubject({ subject, reason: 'a request by letter', ...over })).erasure!;

  const documentOf = async (number: string | number): Promise<string> =>
    readFile(join(site.artifactDir, 'erasures', '0'.repeat(13), `${String(number).padStart(16, '0')}.json`), 'utf8');

  describe('an order to erase', () => {
    it('makes payloads unreadable at once, for all replicas, keeps the rows, and stays so for what comes late', async () => {
      const other = await site.start();
      const ids = [4, 3, 2, 1].map((ms) => idAt(Date.now() - ms)) as [string, string, string, string];
      await deliver(replica.address, [blockOf(of('ann', { predictionId: ids[0] }), of('bob'))], 'known');
      expect(await requestsOf('ann')).toEqual(['a secret of ann']);
      const erasure = await erase('ann', { requestId: 'letter 1' });
      expect(erasure).toMatchObject({
        ...{ number: '1', state: 'ERASURE_STATE_PENDING', reason: 'a request by letter', actor: 'officer' },
        ...{ keysDestroyed: 1, requestId: 'letter 1', doneAt: null, exports: [] },
        pending: { spoolCount: '1', spools: [{ spoolId: 'known', routerId: 'router-1' }], document: false },
      });
      expect(await requestsOf('ann')).toEqual([undefined]);
      const [key] = await site.query('SELECT wrapped, kek_id FROM feedback.subject_key WHERE erased_at IS NOT NULL');
      expect(key).toEqual({ wrapped: null, kek_id: null });
      // What was made before the order comes late, here or there; what was made after it has another key. A time that is to come says
      // nothing of when it was made.
      const late = of('ann', { predictionId: ids[1], receivedMs: Date.now() - laterMs });
      const next = of('ann', { predictionId: ids[2] });
      const wrong = of('ann', { predictionId: ids[3], receivedMs: Date.now() + laterMs });
      await site.query(`UPDATE feedback.erasure SET ordered_at = ordered_at - interval '90 s'`);
      await deliver(other.address, [blockOf(late, next, wrong)], 'known');
      expect((await rowsOf('ann')).map(({ state, keyId }) => [state, keyId === null])).toEqual([
        ['captured', false],
        ['erased', true],
        ['captured', false],
        ['erased', true],
      ]);
      expect(await requestsOf('ann')).toEqual([undefined, '', 'a secret of ann', '']);
      expect(await requestsOf('bob')).toEqual(['a secret of bob']);
      const predictions = createRpcClient(predictionService, replica.address, { clock: systemClock, actor: 'anna' });
      const found = ids.map((predictionId) => predictions.getPrediction({ predictionId, withPayload: true }));
      const requests = (await Promise.all(found)).map(({ prediction }) => prediction!.attempts[0]!.request!);
      expect(requests.map(({ state }) => state)).toEqual(['erased', 'erased', 'captured', 'erased']);
      // Nobody need ask for what is not there to be told so.
      const { prediction: bare } = await predictions.getPrediction({ predictionId: ids[0] });
      expect([bare!.attempts[0]!.request!.state, bare!.attempts[0]!.response!.state]).toEqual(['erased', 'erased']);
      expect(requests[2]!.sizeBytes).toBe(String('a secret of ann'.length));
      predictions.close();
      await other.stop();
    });

    it('is one however often it is asked for with the same id, and refuses what makes no sense', async () => {
      const again = await erase('ann', { requestId: 'letter 1' });
      expect(again).toMatchObject({ number: '1', requestId: 'letter 1' });
      await expect(erase('bob', { requestId: 'letter 1' })).rejects.toThrow(/"letter 1" was used for another subject/);
      await expect(erase('')).rejects.toThrow(/subject: empty/);
      await expect(erase('x\uFFFD')).rejects.toThrow(/subject: expected at most 1020 bytes/);
      await expect(erase('Jürg')).rejects.toThrow(/subject: expected printable ASCII/);
      await expect(erase('bob', { reason: '' })).rejects.toThrow(/reason: 0 bytes given; expected 1 to 1024/);
      await expect(erase('bob', { requestId: 'r'.repeat(129) })).rejects.toThrow(/request_id: 129 bytes/);
      await expect(replica.privacy.getErasure({ erasureId: 'x' })).rejects.toThrow(/expected a UUID/);
      const erasureId = '00000000-0000-4000-8000-000000000000';
      await expect(replica.privacy.getErasure({ erasureId })).rejects.toThrow(/there is no erasure/);
      expect(await requestsOf('bob')).toEqual(['a secret of bob']);
    });

    it('is in the outbox and in the artifact store before it is answered, without the subject or a key', async () => {
      const [entry] = await site.query(
        `SELECT actor, action, object, details FROM feedback.audit_outbox WHERE action = 'EraseSubject'`,
      );
      const hash = (await site.keys()).ring.hashSubject('ann').toString('hex');
      expect(entry).toMatchObject({
        ...{ actor: 'officer', action: 'EraseSubject' },
        details: { number: 1, subject_hash: hash, keys_destroyed: 1, reason: 'a request by letter' },
      });
      const document = await documentOf(1);
      expect(JSON.parse(document)).toMatchObject({ number: 1, subject_hash: hash, actor: 'officer' });
      expect(document).not.toContain('ann');
      // Also of a subject that nobody has seen: what comes of it later was made before.
      const unseen = await erase('zoe');
      expect([unseen.keysDestroyed, unseen.number]).toEqual([0, '2']);
      await deliver(replica.address, [blockOf(of('zoe'))], 'known');
      expect((await rowsOf('zoe')).map(({ state }) => state)).toEqual(['erased']);
    });

    it('is pending until every spool that is known has followed it, or is forgotten', async () => {
      const other = await site.start();
      const [here, there] = [await Sender.open(replica.address, 'known'), await Sender.open(other.address, 'away')];
      await deliver(replica.address, [blockOf(of('cid'))], 'gone');
      const { erasureId, number } = await erase('cid');
      const state = async () => (await replica.privacy.getErasure({ erasureId })).erasure!;
      const waitedFor = async () => (await state()).pending!.spools.map(({ spoolId }) => spoolId).toSorted();
      // Those that are connected are told, by whichever replica.
      expect(await here.announced(Number(number))).toBe(Number(number));
      expect(await there.announced(Number(number))).toBe(Number(number));
      expect(await waitedFor()).toEqual(['away', 'gone', 'known']);
      here.applied(Number(number));
      await eventually(async () => expect(await waitedFor()).toEqual(['away', 'gone']));
      there.applied(Number(number) - 1);
      there.applied(Number(number) + 5);
      await eventually(async () => expect(await waitedFor()).toEqual(['gone']));
      expect(await state()).toMatchObject({ state: 'ERASURE_STATE_PENDING', doneAt: null });
      const reason = 'its disk is gone';
      const forgotten = await replica.privacy.forgetSpool({ spoolId: 'gone', reason });
      expect(forgotten.spool).toMatchObject({ spoolId: 'gone', erasuresApplied: '0' });
      expect(forgotten.spool!.forgottenAt).not.toBeNull();
      expect(await state()).toMatchObject({ state: 'ERASURE_STATE_DONE', pending: { spoolCount: '0' } });
      await expect(replica.privacy.forgetSpool({ spoolId: 'never', reason })).rejects.toThrow(
        /there is no spool never/,
      );
      const [entry] = await site.query(
        `SELECT object, details FROM feedback.audit_outbox WHERE action = 'ForgetSpool'`,
      );
      expect(entry).toMatchObject({ object: 'spool/gone', details: { reason, router_id: 'router-1' } });
      // One that was told of it does not count as one that has followed those after it.
      const [away] = (await replica.privacy.listSpools({ pageSize: 1 })).spools;
      expect(away).toMatchObject({ spoolId: 'away', erasuresApplied: number });
      // The first orders went with this one; a new stream is told at once.
      const { erasures } = await replica.privacy.listErasures({ state: 'ERASURE_STATE_PENDING' });
      expect(erasures).toEqual([]);
      const back = await Sender.open(replica.address, 'gone');
      expect(await back.announced(Number(number))).toBe(Number(number));
      back.applied(Number(number));
      for (const sender of [here, there, back]) sender.close();
      await other.stop();
    });

    it('lists pages, the newest first, and names exports', async () => {
      const hash = (await site.keys()).ring.hashSubject('cid');
      await site.query(
        `INSERT INTO feedback.export_subject (subject_hash, digest, data_set, version) VALUES ($1, $2, 'digits-labelled', 4)`,
        [hash, Buffer.alloc(32, 1)],
      );
      const numbers = [];
      let pageToken = '';
      do {
        const page = await replica.privacy.listErasures({ pageSize: 2, pageToken });
        numbers.push(...page.erasures.map(({ number }) => number));
        pageToken = page.nextPageToken;
      } while (pageToken !== '');
      expect(numbers).toEqual(['3', '2', '1']);
      const [newest] = (await replica.privacy.listErasures({ pageSize: 1, state: 'ERASURE_STATE_DONE' })).erasures;
      const { erasure } = await replica.privacy.getErasure({ erasureId: newest!.erasureId });
      expect(erasure!.exports).toMatchObject([{ dataSet: 'digits-labelled', version: '4', digest: '01'.repeat(32) }]);
    });

    it('takes payloads from dead letters, which can still be stored, and waits for those that nobody can read', async () => {
      await site.query(`ALTER TABLE feedback.evidence ADD CONSTRAINT refuses CHECK (caller <> 'bad')`);
      const unreadable = blockOf(of('eve')).subarray(0, -3);
      const block = blockOf(of('eve', { caller: 'bad' }));
      await deliver(replica.address, [block, unreadable], 'known');
      const { erasureId, number } = await erase('eve');
      for (const spool of ['known', 'away', 'gone']) {
        const sender = await Sender.open(replica.address, spool);
        sender.applied(Number(number));
        await eventually(async () => {
          const { erasure } = await replica.privacy.getErasure({ erasureId });
          expect(erasure!.pending!.spools.map(({ spoolId }) => spoolId)).not.toContain(spool);
        });
        sender.close();
      }
      const { erasure } = await replica.privacy.getErasure({ erasureId });
      expect(erasure).toMatchObject({ state: 'ERASURE_STATE_PENDING', pending: { unreadableDeadLetters: '1' } });
      const letters = await site.query('SELECT bytes, sealed FROM feedback.dead_letter WHERE NOT of_anybody');
      expect(letters).toMatchObject([{ sealed: null }]);
      expect((letters[0]!['bytes'] as Buffer).includes('secret')).toBe(false);
      // Sent once more, it is the same letter; stored, it has no payload.
      await deliver(replica.address, [block], 'known');
      await site.query('ALTER TABLE feedback.evidence DROP CONSTRAINT refuses');
      expect(await replica.feedback.replayDeadLetters({})).toMatchObject({ replayed: 1, failed: 1 });
      expect((await rowsOf('eve')).map(({ state }) => state)).toEqual(['erased']);
      await erase('nobody', { destroyUnreadable: true });
      expect((await replica.privacy.getErasure({ erasureId })).erasure!.state).toBe('ERASURE_STATE_DONE');
      expect(await site.query('SELECT FROM feedback.dead_letter')).toEqual([]);
    });

    it('leaves nothing readable of what two replicas store meanwhile', async () => {
      const other = await site.start();
      const orders: Promise<unknown>[] = [];
      const sent = [replica, other].map(async ({ address }, index) => {
        for (let round = 0; round < 12; round += 1) {
          await deliver(address, [blockOf(of('fay'), of('fay'), of(`fay-${index}`))], `racing-${index}`);
          if (round === 4 + index) orders.push(erase('fay'));
        }
      });
      await Promise.all(sent);
      await Promise.all(orders);
      const requests = await requestsOf('fay');
      expect(requests).toHaveLength(48);
      expect(requests.filter((text) => text !== undefined && text !== '')).toEqual([]);
      expect((await requestsOf('fay-1')).every((text) => text === 'a secret of fay-1')).toBe(true);
      await other.stop();
    });
  });

  describe('keys that are taken', () => {
    const waiting = async (call: string): Promise<void> =>
      eventually(async () => {
        const rows = await site.query(
          `SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND starts_with(query, $1)`,
          [`SELECT ${call}($1)`],
        );
        expect(rows).toHaveLength(1);
      });

    it('are not destroyed before what they encrypt is committed, nor taken while they are', async () => {
      const storing = await site.hold(`SELECT pg_advisory_xact_lock_shared(${locks.subjects})`);
      const ordered = erase('quo');
      await waiting('pg_advisory_xact_lock');
      await storing.release();
      await ordered;
      const ordering = await site.hold(`SELECT pg_advisory_xact_lock(${locks.subjects})`);
      const stored = deliver(replica.address, [blockOf(of('quo'))], 'known');
      await waiting('pg_advisory_xact_lock_shared');
      // What has no payload of a subject waits for nobody.
      await deliver(replica.address, [blockOf({ subject: 'quo' }, of(''))], 'other');
      await ordering.release();
      await stored;
    });
  });

  describe('an order whose replica is killed', () => {
    /** Orders on a replica of its own, which is killed once `hangs` says so. */
    async function killedWhile(subject: string, hangs: () => Promise<boolean>): Promise<void> {
      const { child, address } = await site.spawn();
      const client = createRpcClient(privacyService, address, { clock: systemClock, actor: 'officer' });
      const ordered = client.eraseSubject({ subject, reason: 'a letter', requestId: subject });
      const failed = expect(ordered).rejects.toThrow();
      await eventually(async () => expect(await hangs()).toBe(true), 20_000);
      child.kill('SIGKILL');
      await once(child, 'exit');
      await failed;
      client.close();
    }

    const waits = async (statement: string): Promise<boolean> => {
      const rows = await site.query(
        `SELECT FROM pg_stat_activity WHERE wait_event_type IN ('Lock', 'Timeout') AND query LIKE $1`,
        [`%${statement}%`],
      );
      return rows.length > 0;
    };

    it('before its commit changes nothing, and is given when it is asked for again', async () => {
      await deliver(replica.address, [blockOf(of('gil'))], 'known');
      const held = await site.hold('LOCK TABLE feedback.audit_outbox IN ACCESS EXCLUSIVE MODE');
      await killedWhile('gil', () => waits('INSERT INTO feedback.audit_outbox'));
      await held.release();
      expect(await requestsOf('gil')).toEqual(['a secret of gil']);
      await erase('gil', { requestId: 'gil' });
      expect(await requestsOf('gil')).toEqual([undefined]);
    });

    it('after its commit is there, and comes to the artifact store by another replica', async () => {
      await deliver(replica.address, [blockOf(of('hal'))], 'known');
      const [{ number }] = (await site.query<{ number: string }>(
        'SELECT max(number) + 1 AS number FROM feedback.erasure',
      )) as [{ number: string }];
      // The document is written, and the row that says so is not.
      await site.query(
        `CREATE FUNCTION feedback.stall() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(30); RETURN NEW; END $$`,
      );
      await site.query(
        `CREATE TRIGGER stall BEFORE UPDATE OF document_at ON feedback.erasure FOR EACH ROW EXECUTE FUNCTION feedback.stall()`,
      );
      await killedWhile('hal', () => waits('UPDATE feedback.erasure SET document_at'));
      // Until the document is lost below, no replica gets to say that it is safe.
      await site.query(
        `CREATE OR REPLACE FUNCTION feedback.stall() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'not yet'; END $$`,
      );
      await site.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%SET document_at%' AND pid <> pg_backend_pid()`,
      );
      expect(await requestsOf('hal')).toEqual([undefined]);
      expect(JSON.parse(await documentOf(number))).toMatchObject({ number: Number(number), request_id: 'hal' });
      // Lost before it was safe: it is written again, maybe while the folder is being removed, which is tried again then.
      await rm(join(site.artifactDir, 'erasures'), { recursive: true, maxRetries: 9 });
      await site.query('DROP FUNCTION feedback.stall CASCADE');
      await eventually(async () => expect(await documentOf(number)).toContain('"hal"'));
      expect(await erase('hal', { requestId: 'hal' })).toMatchObject({ number, keysDestroyed: 1 });
    });

    it('is not given while the artifact store cannot be read', async () => {
      await deliver(replica.address, [blockOf(of('ida'))], 'known');
      await rm(join(site.artifactDir, 'erasures'), { recursive: true, maxRetries: 9 });
      await writeFile(join(site.artifactDir, 'erasures'), 'in the way');
      await expect(erase('ida')).rejects.toThrow(/the orders to erase in the artifact store cannot be read/);
      await rm(join(site.artifactDir, 'erasures'));
      expect(await requestsOf('ida')).toEqual(['a secret of ida']);
    });
  });

  describe('keys', () => {
    it('go when the days of all their payloads have gone, and dead letters that nobody can read after their time', async () => {
      await deliver(replica.address, [blockOf(of('ned'), of('oda'))], 'known');
      const [ned, oda] = [await rowsOf('ned'), await rowsOf('oda')].map(([row]) => row!.keyId);
      await deliver(replica.address, [Buffer.from('no block')], 'known');
      await site.query(`UPDATE feedback.dead_letter SET first_at = now() - interval '31 days'`);
      await site.query(`UPDATE feedback.subject_key SET last_day = current_date - 1000 WHERE key_id = $1`, [ned]);
      await eventually(async () => {
        const left = await site.query('SELECT key_id FROM feedback.subject_key WHERE key_id = ANY ($1)', [[ned, oda]]);
        expect(left).toEqual([{ key_id: oda }]);
        expect(await site.query('SELECT FROM feedback.dead_letter')).toEqual([]);
      });
      // A key that is used again lasts longer.
      await site.query(`UPDATE feedback.subject_key SET last_day = current_date - 20 WHERE key_id = $1`, [oda]);
      await deliver(replica.address, [blockOf(of('oda'))], 'known-2');
      const [key] = await site.query(
        `SELECT last_day = (now() AT TIME ZONE 'UTC')::date AS today FROM feedback.subject_key WHERE key_id = $1`,
        [oda],
      );
      expect(key).toEqual({ today: true });
    });
  });
}
