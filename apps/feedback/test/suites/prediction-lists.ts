import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PredictionServiceMethods } from '@sluice/contracts/services';
import { predictionService } from '@sluice/contracts/services';
import { createDataSource } from '@sluice/persistence/data-source';
import type { RpcClient } from '@sluice/rpc/client';
import { createRpcClient } from '@sluice/rpc/client';
import { systemClock } from '@sluice/service-kit/clock';
import type { TestPostgres } from '@sluice/testkit/postgres';
import type { ListPlace } from '../../src/predictions/list-predictions.ts';
import { PredictionListStore } from '../../src/store/prediction-list-store.ts';
import { blockOf, idAt } from '../evidence.ts';
import type { Replica } from '../harness.ts';
import { deliver, Site } from '../harness.ts';
import { insertTruth } from '../truth.ts';

/** Lists of predictions. @param cluster the Postgres, on which it gets a database of its own */
export function predictionListsSuite(cluster: () => TestPostgres): void {
  let site: Site;
  let replica: Replica;
  let client: RpcClient<PredictionServiceMethods>;

  beforeAll(async () => {
    site = await Site.open(cluster());
    replica = await site.start();
    client = createRpcClient(predictionService, replica.address, { clock: systemClock });
  });
  afterAll(async () => {
    client.close();
    await site.close();
  });

  describe('the list of predictions', () => {
    const base = Date.now() - 3_600_000;
    const ids = Array.from({ length: 7 }, (_, index) => idAt(base + index * 1_000));
    const listed = async (asked: object = {}) =>
      (await client.listPredictions({ model: 'listed', ...asked })).predictions.map(
        ({ predictionId, arm }) => `${ids.indexOf(predictionId)} ${arm}`,
      );

    beforeAll(async () => {
      const context = { model: 'listed' };
      await deliver(replica.address, [
        blockOf(
          ...ids.map((predictionId, index) => ({
            ...{ predictionId, receivedMs: base + index * 1_000, requestId: index === 2 ? 'mine\0' : '' },
            ...{ status: index === 3 ? 14 : 0, subject: index > 4 ? 'anna' : '' },
            context: { ...context, version: index < 2 ? 1 : 2, retentionClass: index % 2 === 0 ? 'standard' : 'short' },
          })),
          {
            predictionId: ids[6]!,
            context: { ...context, arm: 'shade', role: 'shadow', version: 3, retentionClass: 'long' },
            answered: false,
          },
          { predictionId: idAt(base), context: { model: 'another' } },
        ),
      ]);
      await insertTruth(site, [{ predictionId: ids[4]!, name: 'odd' }]);
    });

    it('has the newest first, page by page', async () => {
      const all = ['6 shade', '6 cnn', '5 cnn', '4 cnn', '3 cnn', '2 cnn', '1 cnn', '0 cnn'];
      expect(await listed()).toEqual(all);
      const found: string[] = [];
      for (let pageToken = ''; ;) {
        const page = await client.listPredictions({ model: 'listed', pageSize: 3, pageToken });
        found.push(...page.predictions.map(({ predictionId, arm }) => `${ids.indexOf(predictionId)} ${arm}`));
        pageToken = page.nextPageToken;
        if (pageToken === '') break;
        expect(page.predictions).toHaveLength(3);
      }
      expect(found).toEqual(all);
      const [first] = (await client.listPredictions({ model: 'listed', pageSize: 1 })).predictions;
      expect(first).toMatchObject({ model: 'listed', version: '3', role: 'shadow', statusName: 'OK', labelled: false });
    });

    it('is narrowed by version, arm, time, status, labels, request id and subject', async () => {
      expect(await listed({ versions: [1, 3] })).toEqual(['6 shade', '1 cnn', '0 cnn']);
      expect(await listed({ arm: 'shade' })).toEqual(['6 shade']);
      expect(await listed({ status: 'STATUS_FILTER_FAILED' })).toEqual(['3 cnn']);
      expect(await listed({ status: 'STATUS_FILTER_OK', versions: [2] })).toEqual(['6 cnn', '5 cnn', '4 cnn', '2 cnn']);
      expect(await listed({ label: 'LABEL_FILTER_LABELLED' })).toEqual(['4 cnn']);
      expect(await listed({ label: 'LABEL_FILTER_UNLABELLED', subject: 'anna' })).toEqual(
        ['6 shade', '6 cnn', '5 cnn'].slice(1),
      );
      expect(await listed({ requestId: 'mine\0' })).toEqual(['2 cnn']);
      expect(await listed({ requestId: 'yours' })).toEqual([]);
      const at = (ms: number) => ({ seconds: Math.floor(ms / 1000), nanos: (ms % 1000) * 1e6 });
      expect(await listed({ from: at(base + 1_000), to: at(base + 4_000) })).toEqual(['3 cnn', '2 cnn', '1 cnn']);
      expect(await listed({ to: at(base + 1) })).toEqual(['0 cnn']);
    });

    it('knows the label of a prediction by each of its records, whatever their classes are', async () => {
      await insertTruth(site, [{ predictionId: ids[6]!, name: 'even' }]);
      expect(await listed({ label: 'LABEL_FILTER_LABELLED' })).toEqual(['6 shade', '6 cnn', '4 cnn']);
      await site.query('DELETE FROM feedback.label WHERE prediction_id = $1', [ids[6]]);
    });

    it('looks at so many records for a page and no more, and goes on behind them', async () => {
      const dataSource = await createDataSource({ url: site.serviceUrl, schema: 'feedback', applicationName: 'test' });
      try {
        const store = new PredictionListStore(dataSource, () => undefined, 3);
        const filter = { model: 'listed', versions: [1], arm: undefined, status: 'any', label: 'any' } as const;
        const asked = { ...filter, requestId: '', subject: '' };
        const range = { fromMs: base, toMs: base + 10_000 };
        const pages: [string[], boolean][] = [];
        for (let after: ListPlace | undefined; ;) {
          const { predictions, next } = await store.page(asked, range, after, 10);
          pages.push([predictions.map(({ predictionId }) => String(ids.indexOf(predictionId))), next !== undefined]);
          if (!next) break;
          after = next;
        }
        // Of nine records, one is of another model: 6 6 5, then 4 3 2, then 1 and those of the first second.
        expect(pages.map(([found]) => found).flat()).toEqual(['1', '0']);
        expect(pages.map(([found, more]) => [found.length > 0, more]).slice(0, 3)).toEqual([
          [false, true],
          [false, true],
          [true, true],
        ]);
        expect(pages.length).toBeLessThanOrEqual(4);
      } finally {
        await dataSource.destroy();
      }
    });

    it('refuses what makes no sense, by name', async () => {
      const refused = (asked: object, message: string) =>
        expect(client.listPredictions({ model: 'listed', ...asked })).rejects.toThrow(message);
      await refused({ model: 'No' }, 'model: "No" is not a model name');
      await refused({ pageToken: 'x' }, 'page_token: "x" is not a token that this call gave');
      await refused({ pageSize: 1_001 }, 'page_size: 1001 given; expected at most 1000');
      await refused({ status: 9 }, 'status: 9 given; expected one of');
      await refused({ versions: Array.from({ length: 101 }, () => 1) }, 'versions: 101 given; expected at most 100');
      await refused({ from: { seconds: 10 }, to: { seconds: 10 } }, 'from: not before to');
      await refused({ arm: 'a\0' }, 'arm: the text has a NUL');
    });
  });
}
