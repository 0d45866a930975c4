import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { registryService } from '@sluice/contracts/services';
import { notFound } from '@sluice/domain/errors';
import type { RpcServer } from '@sluice/rpc/server';
import { createRpcServer } from '@sluice/rpc/server';
import { unimplemented } from '@sluice/rpc/handlers';
import { packBlocks } from '@sluice/evidence/packed-blocks';
import { systemClock } from '@sluice/service-kit/clock';
import { createLogger } from '@sluice/service-kit/logger';
import { createMetrics } from '@sluice/telemetry/metrics';
import { eventually } from '@sluice/testkit/eventually';
import type { TestPostgres } from '@sluice/testkit/postgres';
import { blockOf, blockOfIds, someIds } from '../evidence.ts';
import { deliver, deliverSurely, Sender, Site } from '../harness.ts';
import { killRounds } from '../property-runs.ts';

/** Streams of spools, replicas and versions. @param cluster the Postgres, on which it gets a database of its own */
export function streamsSuite(cluster: () => TestPostgres): void {
  let site: Site;

  beforeAll(async () => {
    site = await Site.open(cluster());
  });
  afterAll(() => site.close());

  /** Blocks of records with ids, `perBlock` each. */
  const blocksOf = (ids: readonly string[], perBlock: number): Buffer[] =>
    Array.from({ length: Math.ceil(ids.length / perBlock) }, (_, index) =>
      blockOfIds(ids.slice(index * perBlock, (index + 1) * perBlock), { requestId: `request ${index}` }),
    );

  describe('streams of spools', () => {
    it('store everything once when two replicas get the same blocks at once, in other orders, and one is killed', async () => {
      const here = await site.start({ SLUICE_BATCH_ROWS: '100' });
      const { child, address } = await site.spawn({ SLUICE_BATCH_ROWS: '80' });
      const ids = someIds(1_200);
      const blocks = blocksOf(ids, 10);
      const all = [
        deliverSurely([here.address], blocks, 'spool-1'),
        deliverSurely([address, here.address], blocks.toReversed(), 'spool-2'),
        deliverSurely([here.address, here.address], blocks.toReversed(), 'spool-3'),
      ];
      await eventually(async () => expect((await site.count(ids)).rows).toBeGreaterThan(200));
      child.kill('SIGKILL');
      await once(child, 'exit');
      await Promise.all(all);
      expect(await site.count(ids)).toEqual({ rows: 1_200, predictions: 1_200 });
      expect(await site.query('SELECT count(*)::int AS letters FROM feedback.dead_letter')).toEqual([{ letters: 0 }]);
      const [rows] = await site.query<{ ordered: boolean }>(
        `SELECT bool_and(recorded_xid < pg_snapshot_xmin(pg_current_snapshot())) AS ordered FROM feedback.evidence`,
      );
      expect(rows).toEqual({ ordered: true });
      await here.stop();
    });

    it('lose nothing that was acknowledged, and double nothing, when Postgres is killed', async () => {
      const replica = await site.start({ SLUICE_BATCH_ROWS: '40' });
      // So many that the kill comes before the last of them, on any machine.
      const perRound = 8_000;
      const ids = someIds(perRound * killRounds);
      const sent = deliverSurely([replica.address], blocksOf(ids, 10));
      for (let round = 0; round < killRounds; round++) {
        await eventually(
          async () => expect((await site.count(ids)).rows).toBeGreaterThan(perRound * round + 100),
          60_000,
        );
        await site.postgres.kill();
        await eventually(async () => expect(await replica.adminState()).toMatchObject({ databaseUp: false }));
        const refused = new Sender(replica.address);
        refused.send({ hello: { spoolId: 'spool-2', routerId: '', protocolVersion: 1 } });
        expect((await refused.rest()).error).toMatchObject({ kind: 'unavailable' });
        refused.close();
        await expect(replica.feedback.listDeadLetters({})).rejects.toMatchObject({ kind: 'unavailable' });
        await site.postgres.restart();
      }
      expect((await sent).failures).toBeGreaterThan(0);
      expect(await site.count(ids)).toEqual({ rows: ids.length, predictions: ids.length });
      await replica.stop();
    });

    it('acknowledge in order what is stored, and end when the sender has no more', async () => {
      const replica = await site.start();
      const sender = await Sender.open(replica.address);
      expect(sender.windowBytes).toBe(8 * 1024 * 1024);
      const ids = someIds(3);
      ids.forEach((id, index) => sender.block(10 * (index + 1), blockOfIds([id])));
      expect(await sender.acknowledged(30)).toBe(30);
      sender.block(31, blockOfIds(someIds(1)));
      sender.end();
      expect(await sender.rest()).toEqual({ acknowledged: 31, error: undefined });
      sender.close();
      await replica.stop();
    });

    it('take several blocks in one message, and acknowledge each', async () => {
      const replica = await site.start();
      const sender = await Sender.open(replica.address, 'spool-1', 2);
      const ids = someIds(5);
      const blocks = ids.map((id, index) => ({ position: 10 * (index + 1), block: blockOfIds([id]) }));
      sender.send({ blocks: packBlocks(blocks.slice(0, 3)) });
      expect(await sender.acknowledged(30)).toBe(30);
      sender.send({ block: blocks[3] });
      sender.send({ blocks: packBlocks(blocks.slice(4)) });
      sender.end();
      expect(await sender.rest()).toEqual({ acknowledged: 50, error: undefined });
      expect(await site.count(ids)).toEqual({ rows: 5, predictions: 5 });
      sender.close();
      await replica.stop();
    });

    it('refuse what is no stream of a spool, naming the field', async () => {
      const replica = await site.start({ SLUICE_MAX_STREAMS: '1' });
      const hello = { spoolId: 'spool-1', routerId: '', protocolVersion: 1 };
      const refusal = async (...messages: object[]) => {
        const sender = new Sender(replica.address);
        for (const message of messages) sender.send(message);
        const { error, acknowledged } = await sender.rest();
        sender.close();
        return { message: (error as Error).message, acknowledged };
      };
      const block = { block: { position: 5, block: blockOfIds(someIds(1)) } };
      const cases: [RegExp, ...object[]][] = [
        [/expected a hello in the first message/, block],
        [/hello.spool_id: "a b" given/, { hello: { ...hello, spoolId: 'a b' } }],
        [/hello.router_id: 300 bytes given/, { hello: { ...hello, routerId: 'r'.repeat(300) } }],
        [/hello.router_id: the text has a NUL/, { hello: { ...hello, routerId: '\0' } }],
        [/hello.protocol_version: 0 or missing/, { hello: { ...hello, protocolVersion: 0 } }],
        [/the hello comes once/, { hello }, { hello }],
        [/position: 5 given after 5; expected a higher one/, { hello }, block, block],
        [
          /blocks.blocks: they end at 9 bytes, inside of a block/,
          { hello },
          { blocks: { position: 5, blocks: Buffer.alloc(9, 1) } },
        ],
        [
          /position: 4 given after 5; expected a higher one/,
          { hello },
          block,
          { blocks: { position: 4, blocks: Buffer.alloc(8) } },
        ],
        [/blocks.position: 18446744073709551615 given/, { hello }, { blocks: { position: '18446744073709551615' } }],
        [/block.position: 18446744073709551615 given/, { hello }, { block: { position: '18446744073709551615' } }],
      ];
      for (const [expected, ...messages] of cases)
        expect(
          (
            await eventually(() =>
              refusal(...messages).then((each) => (expect(each.message).not.toMatch(/SLUICE_MAX_STREAMS/), each)),
            )
          ).message,
        ).toMatch(expected);
      const open = await Sender.open(replica.address);
      expect((await refusal({ hello })).message).toMatch(/1 streams of evidence are open here/);
      open.close();
      // A newer router is understood.
      await eventually(async () => (await Sender.open(replica.address, 'spool-1', 2)).close());
      await replica.stop();
    });

    it('take no more than the window, and go on when there is room', async () => {
      const replica = await site.start({
        SLUICE_WINDOW_BYTES: '4096',
        SLUICE_HELD_BYTES: '8192',
        SLUICE_INGEST_WRITERS: '1',
      });
      // Holds up whoever stores.
      const lock = await site.hold('LOCK TABLE feedback.evidence IN EXCLUSIVE MODE');
      const ids = someIds(40);
      const sender = await Sender.open(replica.address);
      const blocks = ids.map((id) =>
        blockOf({ predictionId: id, request: Buffer.alloc(1_000), requestState: 'captured' }),
      );
      blocks.forEach((block, index) => sender.block(index + 1, block));
      await eventually(async () => {
        const { streams } = (await replica.adminState()) as { streams: { heldBytes: number }[] };
        expect(streams[0]!.heldBytes).toBeGreaterThan(2_500);
      });
      const { streams, heldBytes } = (await replica.adminState()) as {
        streams: { heldBytes: number }[];
        heldBytes: number;
      };
      expect(streams[0]!.heldBytes).toBeLessThanOrEqual(4_096);
      expect(heldBytes).toBe(streams[0]!.heldBytes);
      expect(await site.count(ids)).toEqual({ rows: 0, predictions: 0 });
      await lock.release();
      expect(await sender.acknowledged(40)).toBe(40);
      sender.close();
      // One block that is larger than the window is taken alone.
      await deliver(replica.address, [blockOf({ request: Buffer.alloc(10_000), requestState: 'captured' })]);
      expect(await replica.adminState()).toMatchObject({ heldBytes: 0, blocksWaiting: 0 });
      await replica.stop();
    });

    it('end at a stop, when what was sent is stored and acknowledged, and the rest is the next one’s', async () => {
      const replica = await site.start();
      const lock = await site.hold('LOCK TABLE feedback.evidence IN EXCLUSIVE MODE');
      const ids = someIds(5);
      const sender = await Sender.open(replica.address);
      ids.forEach((id, index) => sender.block(index + 1, blockOfIds([id])));
      await eventually(async () => expect(await replica.adminState()).toMatchObject({ batchesUnderWay: 2 }));
      await eventually(async () => {
        const { streams } = (await replica.adminState()) as { streams: { heldBytes: number }[] };
        expect(streams[0]!.heldBytes).toBeGreaterThanOrEqual(5 * blockOfIds(ids.slice(0, 1)).length);
      });
      const stopped = replica.stop(10_000);
      await lock.release();
      const { acknowledged, error } = await sender.rest();
      expect(acknowledged).toBe(5);
      expect(error).toMatchObject({
        kind: 'unavailable',
        message: expect.stringMatching(/^this feedback is stopping/) as string,
      });
      await stopped;
      sender.close();
      expect(await site.count(ids)).toEqual({ rows: 5, predictions: 5 });
    });
  });

  describe('versions', () => {
    const asked: string[] = [];

    /** A registry that knows one version, with a digest of its own. */
    async function startRegistry(port: number): Promise<{ server: RpcServer; port: number }> {
      const logger = createLogger({ service: 'test', instance: 'test', level: 'silent' });
      const metrics = createMetrics({ service: 'test', instanceId: 'test', processMetrics: false });
      const server = createRpcServer({ logger, metrics, clock: systemClock });
      const none = unimplemented('this registry only has a version');
      const handlers = Object.fromEntries(
        Object.values(registryService.definition).map(({ originalName }) => [originalName!, none]),
      );
      const getVersion = async ({ model, version }: { model: string; version: string }) => {
        asked.push(`${model} ${version}`);
        if (version !== '3') throw notFound(`${model} has no version ${version}`);
        return { version: { model, number: 3, digest: 'd'.repeat(64) } };
      };
      server.addService(registryService, { ...handlers, getVersion } as never);
      return { server, port: await server.bind('127.0.0.1', port) };
    }

    it('are flagged: known, unknown, and later where the registry could not be asked', async () => {
      const first = await startRegistry(0);
      const replica = await site.start({ SLUICE_REGISTRY: `127.0.0.1:${first.port}`, SLUICE_UPKEEP_MS: '100' });
      const flags = async (ids: readonly string[]) =>
        (
          await site.query<{ version_known: boolean | null }>(
            `SELECT version_known FROM unnest($1::uuid[]) WITH ORDINALITY AS ids (id, at)
           JOIN (SELECT * FROM feedback.evidence UNION ALL SELECT * FROM feedback.evidence_skewed) AS rows
             ON prediction_id = id ORDER BY at`,
            [ids],
          )
        ).map(({ version_known }) => version_known);
      const [known, missing, other, again, skewed] = someIds(5) as [string, string, string, string, string];
      await deliver(replica.address, [
        blockOf(
          { predictionId: known },
          { predictionId: missing, context: { version: 4 } },
          { predictionId: other, context: { versionDigest: 'e'.repeat(64) } },
        ),
      ]);
      await deliver(replica.address, [blockOf({ predictionId: again })]);
      // Where the registry is slow to answer, upkeep asks again.
      const found = [true, false, false, true];
      await eventually(async () => expect(await flags([known, missing, other, again])).toEqual(found));
      // A version is asked for once, whatever digests records name.
      expect(asked.toSorted()).toEqual(['digits 3', 'digits 4']);
      await first.server.tryShutdown(0);
      const ids = [...someIds(2)] as [string, string];
      const old = `00000000-0000-7${skewed.slice(15)}`;
      await deliver(replica.address, [
        blockOf(
          { predictionId: ids[0], context: { model: 'other' } },
          { predictionId: ids[1], context: { model: 'other', version: 9 } },
          { predictionId: old, context: { model: 'other' } },
        ),
      ]);
      expect(await flags([...ids, old])).toEqual([null, null, null]);
      const second = await startRegistry(first.port);
      // What was stored before, while Postgres was killed, is flagged first.
      await eventually(
        async () => expect(await flags([...ids, old])).toEqual([true, false, true]),
        20_000 + 10_000 * killRounds,
      );
      await replica.stop();
      await second.server.tryShutdown(0);
    });
  });
}
