import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readBlock } from '@sluice/evidence/read-block';
import { eventually } from '@sluice/testkit/eventually';
import type { TestPostgres } from '@sluice/testkit/postgres';
import type { Given } from '../evidence.ts';
import { blockOf, blockOfIds, someIds } from '../evidence.ts';
import type { Replica } from '../harness.ts';
import { deliver, Site, testKey } from '../harness.ts';

interface Row {
  readonly subject: string;
  readonly keyId: string | undefined;
  readonly request: Buffer;
  readonly response: Buffer;
  readonly states: string;
}

/** Payloads of subjects, under their keys. @param cluster the Postgres, on which it gets a database of its own */
export function payloadsSuite(cluster: () => TestPostgres): void {
  let site: Site;
  let replica: Replica;

  beforeAll(async () => {
    site = await Site.open(cluster());
    replica = await site.start({ SLUICE_UPKEEP_MS: '200' });
  });
  afterAll(() => site.close());

  const of = (subject: string, request = 'a secret request'): Given => ({
    ...{ subject, requestState: 'captured', request: Buffer.from(request) },
    ...{ responseState: 'captured', response: [Buffer.from('a secret '), Buffer.from('response')] },
  });

  async function rowOf(id: string): Promise<Row> {
    const [row] = await site.query<Omit<Row, 'keyId'> & { key: string | null }>(
      `SELECT subject, payload_key_id AS key, request, response, request_state || ' ' || response_state AS states
         FROM feedback.evidence WHERE prediction_id = $1`,
      [id],
    );
    return { ...row!, keyId: row!.key ?? undefined };
  }

  async function openedOf(id: string): Promise<(string | undefined)[]> {
    const opened = await site.opened(id, 'cnn', 1, await rowOf(id));
    return opened.map((bytes) => bytes && Buffer.from(bytes).toString());
  }

  describe('payloads', () => {
    it('of a subject are encrypted under a key of its own, those of nobody are not', async () => {
      const [ann, again, bob, nobody] = someIds(4) as [string, string, string, string];
      await deliver(replica.address, [
        blockOf(
          { predictionId: ann, ...of('ann') },
          { predictionId: again, ...of('ann') },
          { predictionId: bob, ...of('bob') },
          { predictionId: nobody, ...of('') },
        ),
      ]);
      const [first, second, other, plain] = await Promise.all([ann, again, bob, nobody].map(rowOf));
      expect(first!.keyId).toMatch(/^[0-9a-f-]{36}$/);
      expect([second!.keyId, other!.keyId === first!.keyId, plain!.keyId]).toEqual([first!.keyId, false, undefined]);
      expect(Buffer.concat([first!.request, first!.response]).includes('secret')).toBe(false);
      expect(first!.request.equals(second!.request)).toBe(false);
      expect([first!.states, plain!.request.toString()]).toEqual(['captured captured', 'a secret request']);
      for (const id of [ann, again, bob, nobody])
        expect(await openedOf(id)).toEqual(['a secret request', 'a secret response']);
      // Bytes that were moved from one row to another are not taken for its own.
      const { payloads } = await site.keys();
      const moved = { keyId: first!.keyId, bytes: first!.request, context: `evidence/${again}/cnn/1/request` };
      await expect(payloads.openAll([moved])).rejects.toThrow(/a payload is not what was stored as evidence/);
      const text = JSON.stringify(await site.query('SELECT * FROM feedback.subject_key'));
      expect([text.includes('ann'), text.includes(Buffer.from('ann').toString('hex'))]).toEqual([false, false]);
    });

    it('are encrypted out of time and beside what is there already too, and a key is made for no one without payload', async () => {
      const [twice, old, bare] = [...someIds(1), ...someIds(1, Date.now() - 9_000 * 86_400_000), ...someIds(1)] as [
        ...[string, string, string],
      ];
      const block = blockOf(
        { predictionId: twice, ...of('cid') },
        { predictionId: old, ...of('cid') },
        { predictionId: bare, subject: 'dan' },
      );
      await deliver(replica.address, [block]);
      await deliver(replica.address, [block], 'spool-2');
      expect(await openedOf(twice)).toEqual(['a secret request', 'a secret response']);
      const [skewed] = await site.query<{ request: Buffer; response: Buffer; keyId: string }>(
        'SELECT request, response, payload_key_id AS "keyId" FROM feedback.evidence_skewed WHERE prediction_id = $1',
        [old],
      );
      const opened = await site.opened(old, 'cnn', 1, skewed!);
      expect(Buffer.from(opened[0]!).toString()).toBe('a secret request');
      const { ring } = await site.keys();
      const hashes = ['cid', 'dan'].map((subject) => ring.hashSubject(subject));
      const keys = await site.query('SELECT FROM feedback.subject_key WHERE subject_hash = ANY ($1)', [hashes]);
      expect(keys).toHaveLength(1);
    });

    it('are not kept of a subject that may be two', async () => {
      const ids = someIds(3) as [string, string, string];
      const subjects = ['s'.repeat(1_024), 'half \uFFFD', 'nul \0'];
      await deliver(replica.address, [
        blockOf(...ids.map((predictionId, index) => ({ predictionId, ...of(subjects[index]!) }))),
      ]);
      for (const id of ids)
        expect(await rowOf(id)).toMatchObject({ states: 'erased erased', request: null, response: null });
    });

    it('of a new subject that comes to two replicas at once are under one key', async () => {
      const other = await site.start();
      const blocks = [replica, other].map(() =>
        Array.from({ length: 8 }, (_, index) => blockOf(of(`twin-${index}`), of(`twin-${(index + 3) % 8}`))),
      );
      await Promise.all([
        deliver(replica.address, blocks[0]!, 'spool-a'),
        deliver(other.address, blocks[1]!, 'spool-b'),
      ]);
      const rows = await site.query<{ subject: string; keys: number; rows: number }>(
        `SELECT subject, count(DISTINCT payload_key_id)::int AS keys, count(*)::int AS rows
           FROM feedback.evidence WHERE subject LIKE 'twin-%' GROUP BY subject ORDER BY subject`,
      );
      expect(rows).toEqual(Array.from({ length: 8 }, (_, index) => ({ subject: `twin-${index}`, keys: 1, rows: 4 })));
      await other.stop();
    });

    it('are encrypted in dead letters, and come back when these are tried again', async () => {
      await site.query(`ALTER TABLE feedback.evidence ADD CONSTRAINT refuses CHECK (caller <> 'bad')`);
      const [id] = someIds(1) as [string];
      const unreadable = Buffer.concat([blockOf(of('eve')).subarray(0, -3)]);
      await deliver(replica.address, [blockOf({ predictionId: id, caller: 'bad', ...of('eve') }), unreadable]);
      await deliver(replica.address, [unreadable], 'spool-3');
      const letters = await site.query<{ kind: string; bytes: Buffer; sealed: Buffer; attempts: string }>(
        'SELECT kind, bytes, sealed, attempts FROM feedback.dead_letter ORDER BY kind',
      );
      expect(letters.map(({ kind, attempts }) => [kind, attempts])).toEqual([
        ['block', '2'],
        ['record', '1'],
      ]);
      for (const { bytes, sealed } of letters) expect(Buffer.concat([bytes, sealed]).includes('secret')).toBe(false);
      // What is in plain is the record without its payloads.
      const [record] = readBlock(letters[1]!.bytes);
      expect(record).toMatchObject({ predictionId: id, subject: 'eve', request: undefined, requestState: 'erased' });

      await site.query('ALTER TABLE feedback.evidence DROP CONSTRAINT refuses');
      expect(await replica.feedback.replayDeadLetters({})).toMatchObject({ replayed: 1, failed: 1 });
      expect(await openedOf(id)).toEqual(['a secret request', 'a secret response']);
      await site.query('DELETE FROM feedback.dead_letter');
    });
  });

  describe('the feedback key', () => {
    const refusal = (settings: Readonly<Record<string, string>>): Promise<unknown> =>
      site.start(settings).then(
        () => 'started',
        (error: unknown) => (error as Error).message,
      );

    it('is refused when it is not the one of the database, is none, or may be read by others', async () => {
      expect(await refusal({ SLUICE_FEEDBACK_KEY: 'cd'.repeat(32) })).toMatch(
        /keys in this database are wrapped by feedback key [0-9a-f]{16}, and only [0-9a-f]{16} was given: give its file/,
      );
      expect(await refusal({ SLUICE_FEEDBACK_KEY: 'cd' })).toMatch(/SLUICE_FEEDBACK_KEY does not hold 64 hex digits/);
      expect(await refusal({ SLUICE_FEEDBACK_KEY: '' })).toMatch(
        /give SLUICE_FEEDBACK_KEY_FILE or SLUICE_FEEDBACK_KEY/,
      );
      const file = join(site.artifactDir, 'open.key');
      await writeFile(file, testKey, { mode: 0o644 });
      expect(await refusal({ SLUICE_FEEDBACK_KEY: '', SLUICE_FEEDBACK_KEY_FILE: file })).toMatch(/mode 644/);
      // Nothing was changed by that.
      expect(await site.query('SELECT FROM feedback.root_key')).toHaveLength(1);
    });

    it('is replaced while it serves: all keys are wrapped anew, and the old one is not needed any more', async () => {
      const [id] = someIds(1) as [string];
      await deliver(replica.address, [blockOf({ predictionId: id, ...of('fay') })]);
      const former = join(site.artifactDir, 'former.key');
      await writeFile(former, `${testKey}\n`, { mode: 0o600 });
      const next = 'ef'.repeat(32);
      const second = await site.start({
        ...{ SLUICE_FEEDBACK_KEY: next, SLUICE_FEEDBACK_FORMER_KEY_FILES: former, SLUICE_UPKEEP_MS: '200' },
      });
      await eventually(async () => {
        const keks = await site.query('SELECT DISTINCT kek_id FROM feedback.subject_key WHERE erased_at IS NULL');
        const roots = await site.query('SELECT kek_id FROM feedback.root_key');
        expect(keks).toEqual(roots);
      });
      await second.stop();
      await replica.stop();
      replica = await site.start({ SLUICE_FEEDBACK_KEY: next });
      await deliver(replica.address, [blockOfIds(someIds(1), of('fay'))], 'spool-4');
      const keys = await site.query(`SELECT DISTINCT payload_key_id FROM feedback.evidence WHERE subject = 'fay'`);
      expect(keys).toHaveLength(1);
    });
  });
}
