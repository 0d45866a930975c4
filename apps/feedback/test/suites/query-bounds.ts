import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { predictionService } from '@sluice/contracts/services';
import { createDataSource } from '@sluice/persistence/data-source';
import { createRpcClient } from '@sluice/rpc/client';
import { systemClock } from '@sluice/service-kit/clock';
import type { TestPostgres } from '@sluice/testkit/postgres';
import type { DataSource } from 'typeorm';
import type { QualityQuery } from '../../src/predictions/statistics.ts';
import { PredictionStore } from '../../src/store/prediction-store.ts';
import { StatisticsStore } from '../../src/store/statistics-store.ts';
import { latestLabel } from '../../src/versions/registry-version.ts';
import { blockOf, someIds } from '../evidence.ts';
import type { Replica } from '../harness.ts';
import { deliver, Site } from '../harness.ts';
import { insertTruth } from '../truth.ts';

const hourMs = 3_600_000;
/** Every status that gRPC has. */
const statuses = 17;

/** How much one answer has at most. @param cluster the Postgres, on which it gets a database of its own */
export function queryBoundsSuite(cluster: () => TestPostgres): void {
  let site: Site;
  let replica: Replica;

  beforeAll(async () => {
    site = await Site.open(cluster());
    replica = await site.start();
  });
  afterAll(() => site.close());

  /** Connections of its own: statements with other bounds have the same names. */
  async function connected<T>(fn: (dataSource: DataSource) => Promise<T>): Promise<T> {
    const names = { url: site.serviceUrl, schema: 'feedback', applicationName: 'test', poolSize: 1 };
    const dataSource = await createDataSource(names);
    try {
      return await fn(dataSource);
    } finally {
      await dataSource.destroy();
    }
  }

  it('statistics of more groups than there may be are refused, of attempts and of labels, and of as many are whole', async () => {
    const ids = someIds(3);
    const nowMs = Date.now();
    const records = ids.flatMap((id, group) =>
      Array.from({ length: statuses }, (_, status) => ({
        ...{ predictionId: status === 0 ? id : someIds(1)[0]!, status, context: { model: 'many', version: group + 1 } },
      })),
    );
    await deliver(replica.address, [blockOf(...records)]);
    await insertTruth(
      site,
      ids.map((predictionId) => ({ predictionId, name: 'a', predictedName: 'a' })),
    );
    const query: QualityQuery = {
      ...{ model: 'many', versions: [], arm: undefined, bucket: 'none', byArm: false, labelAgeMs: undefined, nowMs },
      range: { fromMs: nowMs - hourMs, toMs: nowMs + hourMs },
      ...{ policy: latestLabel, positiveClasses: new Map() },
    };
    const refused = (most: number) => ({
      kind: 'resource-exhausted',
      message: `more than ${most} groups: narrow \`from\` and \`to\`, take larger buckets, or group by version`,
    });
    await connected(async (dataSource) => {
      for (const most of [1, 2]) {
        const few = new StatisticsStore(dataSource, () => undefined, most);
        await expect(few.traffic(query)).rejects.toMatchObject(refused(most));
        await expect(few.labels(query)).rejects.toMatchObject(refused(most));
      }
      const enough = new StatisticsStore(dataSource, () => undefined, 3);
      expect((await enough.traffic(query)).map((group) => [group.version, group.statuses.length])).toEqual(
        [1, 2, 3].map((version) => [version, statuses]),
      );
      expect((await enough.labels(query)).map(({ version, scored }) => [version, scored])).toEqual(
        [1, 2, 3].map((version) => [version, 1]),
      );
    });
  });

  describe('a prediction', () => {
    const ratings = (predictionId: string, count: number) =>
      site.query(
        `INSERT INTO feedback.feedback_item (class, prediction_id, feedback_id, number, row, kind, model, source, actor, request_id, payload_state, digest)
           SELECT class, prediction_id, uuidv7(), n, -1, 'rating', model, 's', 'a', '', 'none', decode(md5(n::text), 'hex')
           FROM feedback.evidence, generate_series(1, $2::int) AS n WHERE prediction_id = $1 AND attempt = 1`,
        [predictionId, count],
      );

    it('is cut where there is more of anything than is given of it, and says so', async () => {
      const [predictionId] = someIds(1) as [string];
      // Two labels, each with an outcome of both attempts.
      await deliver(replica.address, [blockOf(...[1, 2].map((attempt) => ({ predictionId, attempt })))], 'cut');
      await insertTruth(
        site,
        [0, 1].map((row) => ({ predictionId, row, name: 'a', predictedName: 'a' })),
      );
      await ratings(predictionId, 2);
      const enough = { attempts: 2, labels: 4, feedback: 2 };
      const foundWith = (own: Partial<typeof enough>) =>
        connected(async (dataSource) => {
          const store = new PredictionStore(dataSource, () => undefined, { ...enough, ...own });
          const { attempts, labels, outcomes, feedback, cut } = await store.find(predictionId);
          return [attempts.length, labels.length, outcomes.length, feedback.length, cut];
        });
      expect(await foundWith({})).toEqual([2, 2, 4, 2, false]);
      expect(await foundWith({ attempts: 1 })).toEqual([1, 2, 4, 2, true]);
      expect(await foundWith({ labels: 3 })).toEqual([2, 2, 3, 2, true]);
      expect(await foundWith({ labels: 1 })).toEqual([2, 1, 1, 2, true]);
      expect(await foundWith({ feedback: 1 })).toEqual([2, 2, 4, 1, true]);
    });

    it('has at most 1,000 items of feedback in an answer, which says that there are more', async () => {
      const [whole, more] = someIds(2) as [string, string];
      await deliver(replica.address, [blockOf({ predictionId: whole }, { predictionId: more })], 'items');
      await ratings(whole, 1_000);
      await ratings(more, 1_001);
      const client = createRpcClient(predictionService, replica.address, { clock: systemClock });
      const shown = async (predictionId: string) => {
        const { prediction } = await client.getPrediction({ predictionId });
        return [prediction!.feedback.length, prediction!.cut];
      };
      expect([await shown(whole), await shown(more)]).toEqual([
        [1_000, false],
        [1_000, true],
      ]);
      client.close();
    });
  });
}
