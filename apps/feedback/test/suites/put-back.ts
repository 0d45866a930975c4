import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { predictionService } from '@sluice/contracts/services';
import { buildInferRequest } from '@sluice/inference/request-builder';
import { encodeTensor } from '@sluice/inference/tensor-data';
import { createRpcClient } from '@sluice/rpc/client';
import { systemClock } from '@sluice/service-kit/clock';
import { eventually } from '@sluice/testkit/eventually';
import type { TestPostgres } from '@sluice/testkit/postgres';
import { blockOf, ofSubject as of, someIds } from '../evidence.ts';
import type { Replica } from '../harness.ts';
import { deliver, Site } from '../harness.ts';

const request = buildInferRequest({
  modelName: 'digits',
  inputs: [{ name: 'pixels', datatype: 'FP32', shape: [1, 2], data: encodeTensor('FP32', [0.5, 1]) }],
});

/** What a replica shows of the request of a prediction. */
async function requestOf(replica: Replica, predictionId: string) {
  const client = createRpcClient(predictionService, replica.address, { clock: systemClock, actor: 'anna' });
  try {
    const { prediction } = await client.getPrediction({ predictionId, withPayload: true });
    const { state, tensors } = prediction!.attempts[0]!.request!;
    return { state, values: tensors.map(({ contents }) => contents!.fp32Contents) };
  } finally {
    client.close();
  }
}

/** Orders that a database has lost. @param cluster the Postgres, on which it gets databases of its own */
export function putBackSuite(cluster: () => TestPostgres): void {
  describe('a database that was put back', () => {
    it('has no key that was destroyed since when it serves again, and gives no number twice', async () => {
      const admin = new Site(cluster(), 'postgres');
      const first = await Site.open(cluster());
      const before = await first.start();
      const [jim, kim] = someIds(2) as [string, string];
      const [ofJim, ofKim] = [of('jim', { predictionId: jim, request }), of('kim', { predictionId: kim, request })];
      await deliver(before.address, [blockOf(ofJim, ofKim)]);
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
      // It is all there for a replica that knows of no order since.
      const unknowing = await restored.start();
      const readable = { state: 'captured', values: [[0.5, 1]] };
      const erased = { state: 'erased', values: [] };
      expect([await requestOf(unknowing, jim), await requestOf(unknowing, kim)]).toEqual([readable, erased]);
      await unknowing.stop();
      const after = await restored.start({ SLUICE_ARTIFACT_DIR: first.artifactDir });
      expect(await restored.query(keys)).toEqual([{ keys: 0 }]);
      expect([await requestOf(after, jim), await requestOf(after, kim)]).toEqual([erased, erased]);
      const { erasures } = await after.privacy.listErasures({});
      expect(erasures.map(({ number, reason }) => [number, reason])).toEqual([
        ['3', 'another'],
        ['2', 'a letter'],
        ['1', 'an older letter'],
      ]);
      const actions = await restored.query(
        `SELECT action FROM feedback.audit_outbox WHERE action <> 'ReadPayloads' ORDER BY id`,
      );
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

    it('is erased again where the artifact store was away when it was put back, which then has all orders', async () => {
      const admin = new Site(cluster(), 'postgres');
      const first = await Site.open(cluster());
      const before = await first.start();
      await deliver(before.address, [blockOf(of('nia'), of('oli'), of('pia'))]);
      await before.stop();
      await admin.query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1', [first.database]);
      const copy = await cluster().createDatabase(first.database);
      const since = await first.start();
      for (const subject of ['nia', 'oli'])
        await since.privacy.eraseSubject({ subject, reason: `of ${subject}`, requestId: subject });
      await since.stop();

      const restored = new Site(cluster(), copy);
      const away = await restored.start();
      // Numbers and request ids are given twice.
      await away.privacy.eraseSubject({ subject: 'pia', reason: 'of pia', requestId: 'nia' });
      await away.stop();
      const alive = 'SELECT count(*)::int AS keys FROM feedback.subject_key WHERE wrapped IS NOT NULL';
      expect(await restored.query(alive)).toEqual([{ keys: 2 }]);
      const after = await restored.start({ SLUICE_ARTIFACT_DIR: first.artifactDir, SLUICE_UPKEEP_MS: '200' });
      expect(await restored.query(alive)).toEqual([{ keys: 0 }]);
      const listed = async () =>
        (await after.privacy.listErasures({})).erasures.map(({ number, reason }) => `${number} ${reason}`).toSorted();
      expect(await listed()).toEqual(['1 of pia', '2 of oli', '3 of nia']);
      const folder = join(first.artifactDir, 'erasures', '0'.repeat(13));
      const documents = async () => {
        const names = (await readdir(folder)).toSorted();
        const texts = await Promise.all(names.map((each) => readFile(join(folder, each), 'utf8')));
        return texts.map((text) => JSON.parse(text) as { number: number; reason: string });
      };
      const all = [1, 2, 3].map((number, at) => ({ number, reason: `of ${['pia', 'oli', 'nia'][at]}` }));
      await eventually(async () => expect(await documents()).toMatchObject(all));
      await after.stop();
      // A store that lost what it had has all of it again.
      await rm(join(first.artifactDir, 'erasures'), { recursive: true, maxRetries: 9 });
      await restored.start({ SLUICE_ARTIFACT_DIR: first.artifactDir, SLUICE_UPKEEP_MS: '200' });
      await eventually(async () => expect(await documents()).toMatchObject(all));
      await restored.close();
      await first.close();
      await admin.close();
    });
  });
}
