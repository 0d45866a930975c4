import pg from 'pg';
import type { DataSource } from 'typeorm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { unavailable } from '@sluice/domain/errors';
import { openDatabase } from '@sluice/persistence/open-database';
import { systemClock } from '@sluice/service-kit/clock';
import { eventually } from '@sluice/testkit/eventually';
import type { TestPostgres } from '@sluice/testkit/postgres';
import { Gate } from '../../src/gate.ts';
import { Joiner } from '../../src/labels/joiner.ts';
import type { Item } from '../../src/labels/item.ts';
import { waitingKey } from '../../src/labels/digest.ts';
import type { RecordPorts } from '../../src/labels/record-items.ts';
import type { VersionName } from '../../src/labels/task.ts';
import { taskOf as taskOfVersion } from '../../src/labels/version-tasks.ts';
import { decodeTask } from '../../src/rpc/decode-version.ts';
import { plainPayloads } from '../../src/payloads/payload-cipher.ts';
import { copiedColumns } from '../../src/store/copy-rows.ts';
import { PostgresJoiner } from '../../src/store/joiner-store.ts';
import { PostgresLabels } from '../../src/store/label-store.ts';
import { migrations } from '../../src/store/migrations/index.ts';
import { idAt } from '../evidence.ts';
import type { Given } from '../evidence.ts';
import { captured, Labelling, name, words } from '../labelling.ts';
import { scores, tasks } from '../task-registry.ts';

/** Labels and records that commit in every order. @param cluster the Postgres, on which it gets a database of its own */
export function interleavedSuite(cluster: () => TestPostgres): void {
  describe('interleaved transactions', () => {
    let world: Labelling;
    let ports: RecordPorts;
    let joiner: Joiner;
    let joinerStore: PostgresJoiner;
    let away = false;
    let dataSource: DataSource;
    const errors: unknown[] = [];
    const closing: (() => unknown)[] = [];

    beforeAll(async () => {
      // The replica's own joiner has had its round: here rounds are made by hand.
      world = await Labelling.open(cluster(), { SLUICE_JOIN_MS: '3600000' });
      const logger = { debug: () => undefined, warn: () => undefined };
      const names = { url: world.site.serviceUrl, schema: 'feedback', migrations, applicationName: 'test' };
      dataSource = await openDatabase({
        ...names,
        poolSize: 5,
        statementTimeoutMs: 10_000,
        clock: systemClock,
        logger,
      });
      closing.push(
        () => joinerStore.close(),
        () => dataSource.destroy(),
      );
      const taskOf = async ({ model }: { model: string }) => {
        if (away) throw unavailable('away');
        const signature = { inputs: [], outputs: [], batched: true };
        return taskOfVersion({ task: decodeTask(JSON.stringify({ task: tasks[model] })), signature });
      };
      // Nothing is remembered: each test says whether the registry is there.
      const versions = {
        peek: () => undefined,
        get: (version: VersionName) => taskOf(version).catch(() => 'away' as const),
      };
      const store = new PostgresLabels({ dataSource, requestDays: 30, available: () => undefined });
      ports = {
        ...{ store, tasks: versions, cipher: plainPayloads, clock: systemClock, waitMs: 60_000, turns: new Gate(2) },
        onAnswered: () => undefined,
      };
      joinerStore = new PostgresJoiner(dataSource);
      const own = { store: joinerStore, ports, clock: systemClock, everyMs: 1, isUp: () => true };
      joiner = new Joiner({ ...own, onSettled: () => undefined, onError: (error) => errors.push(error) });
    });
    afterAll(async () => {
      for (const close of closing) await close();
      await world.close();
    });

    /** Copies a record to another prediction in a transaction that is left open. */
    async function openRecord(template: string, predictionId: string, arm = 'cnn') {
      const client = new pg.Client({ connectionString: world.site.ownerUrl });
      await client.connect();
      const rest = copiedColumns.filter((column) => column !== 'prediction_id' && column !== 'arm').join();
      await client.query('BEGIN');
      await client.query(
        `INSERT INTO feedback.evidence (prediction_id, arm, ${rest}) SELECT $2, $3, ${rest} FROM feedback.evidence WHERE prediction_id = $1`,
        [template, predictionId, arm],
      );
      return {
        commit: async () => {
          await client.query('COMMIT');
          await client.end();
        },
      };
    }

    const item = (predictionId: string, own: Partial<Item> = {}): Item => ({
      ...{ kind: 'label', predictionId, model: '', requestId: '', source: 's', actor: 'a', atMicros: undefined },
      ...{ row: 0, perRow: false, values: [{ name: 'c' }], payload: undefined, ...own },
    });
    const rounds = async (count: number) => {
      for (let round = 0; round < count; round++) await joiner.round();
      expect(errors).toEqual([]);
    };
    const answer = captured(scores([0, 0, 1]));

    it('an item that read before its record was committed, and is committed after it, is joined', async () => {
      const [template] = await world.stored(answer);
      await rounds(3);
      const predictionId = idAt(Date.now());
      // The record has the lower number, so it alone would be no reason to wait for the item.
      const record = await openRecord(template!, predictionId);
      await ports.store.transaction(async (tx) => {
        expect(await tx.answersOf([predictionId])).toEqual([]);
        await record.commit();
        await rounds(3);
        await tx.addWaiting([
          {
            key: waitingKey(item(predictionId), plainPayloads),
            item: item(predictionId),
            expiresMs: Date.now() + 60_000,
            payload: undefined,
          },
        ]);
      });
      await rounds(2);
      expect(await world.site.count([predictionId], 'outcome')).toEqual({ rows: 1, predictions: 1 });
      expect(await world.site.count([predictionId], 'label_waiting')).toEqual({ rows: 0, predictions: 0 });
    });

    it('a label that did not see the answer of another arm, and is committed after it, is held against it', async () => {
      const [template] = await world.stored(answer);
      await rounds(3);
      const shadow = await openRecord(template!, template!, 'shadow');
      await ports.store.transaction(async (tx) => {
        const [seen, ...others] = await tx.answersOf([template!]);
        expect(others).toEqual([]);
        await shadow.commit();
        await rounds(3);
        const labelId = idAt(Date.now());
        const own = { item: item(template!), model: 'digits', row: 0, name: 'c', number: null, recordedAt: tx.now };
        await tx.addLabels([
          { labelId, class: seen!.class, predictionId: template!, ...own, digest: Buffer.alloc(16) },
        ]);
        await tx.addOutcomes([
          {
            label: { labelId, ...own, source: 's', labelledAt: null },
            answer: seen!,
            ...{ state: 'scored', score: { predictedName: 'c', predictedNumber: null, truthProbability: 1 } },
          },
        ]);
      });
      await rounds(2);
      expect((await world.outcomes(template!)).map(({ arm, state }) => [arm, state])).toEqual([
        ['cnn', 'scored'],
        ['shadow', 'scored'],
      ]);
    });

    it('a record that is committed last finds what waits, also while others are under way', async () => {
      const [template] = await world.stored(answer);
      const predictionId = idAt(Date.now());
      const record = await openRecord(template!, predictionId);
      expect(
        words(
          (await world.replica.labels.recordLabels({ labels: [{ source: 's', predictionId, ...name('c') }] })).answers,
        ),
      ).toEqual(['waiting']);
      await rounds(3);
      const other = await openRecord(template!, idAt(Date.now()));
      await record.commit();
      await rounds(3);
      // A transaction that began after it, and is not over, hides it: that is the lag.
      expect(joiner.lagSeconds).toBeGreaterThan(0);
      await other.commit();
      await rounds(2);
      expect(await world.site.count([predictionId], 'outcome')).toEqual({ rows: 1, predictions: 1 });
    });

    it('waits with all that follows while the registry is away, and goes on when it is back', async () => {
      const [shadowed] = await world.stored(answer);
      const [predictionId, later] = [idAt(Date.now()), idAt(Date.now())];
      await world.record({ predictionId, ...name('c') }, { predictionId: shadowed, ...name('c') });
      await rounds(2);
      const [before] = await world.site.query('SELECT evidence_xid FROM feedback.join_position');
      away = true;
      await world.stored(
        { predictionId, ...answer },
        { ...answer, predictionId: shadowed!, context: { arm: 'shadow' } },
      );
      await rounds(3);
      await world.stored({ predictionId: later });
      await rounds(3);
      expect(await world.site.query('SELECT evidence_xid FROM feedback.join_position')).toEqual([before]);
      expect(await world.site.count([predictionId], 'label_waiting')).toEqual({ rows: 1, predictions: 1 });
      away = false;
      await rounds(2);
      for (const [id, arms] of [
        [predictionId, 1],
        [shadowed!, 2],
      ] as const)
        expect((await world.outcomes(id)).map(({ state }) => state)).toEqual(Array(arms).fill('scored'));
    });

    it('gives nothing up whose record is committed, though it cannot be looked at yet', async () => {
      const [template] = await world.stored(answer);
      const predictionId = idAt(Date.now());
      await world.record({ predictionId, ...name('c') });
      await rounds(3);
      const older = await openRecord(template!, idAt(Date.now()));
      await world.stored({ predictionId, ...answer });
      await world.site.query(`UPDATE feedback.label_waiting SET expires_at = clock_timestamp()`);
      await rounds(3);
      await older.commit();
      await rounds(2);
      expect(await world.site.count([predictionId], 'outcome')).toEqual({ rows: 1, predictions: 1 });
    });

    it('never divides a transaction, however many records it has', async () => {
      const classes = ['standard', 'short', 'standard'] as const;
      const predictionId = idAt(Date.now());
      const record = (retentionClass: string, attempt: number): Given => ({
        predictionId,
        attempt,
        context: { retentionClass },
      });
      await world.stored(...classes.map((each, at) => record(each, at + 1)));
      const [{ xid, next } = { xid: '', next: '' }] = await world.site.query<{ xid: string; next: string }>(
        `SELECT min(recorded_xid)::text AS xid, pg_snapshot_xmin(pg_current_snapshot())::text AS next FROM feedback.evidence WHERE prediction_id = $1`,
        [predictionId],
      );
      const end = (from: bigint, records: number) => joinerStore.chunkEnd(from, BigInt(next), records);
      expect([await end(BigInt(xid), 2), await end(BigInt(xid) - 1n, 2)]).toEqual([BigInt(xid) + 1n, BigInt(xid)]);
      expect(await end(BigInt(xid), 3)).toBe(BigInt(next));
      // Of records that came together the class by name decides.
      await world.record({ predictionId, ...name('c') });
      const labels = await world.site.query('SELECT class FROM feedback.label WHERE prediction_id = $1', [
        predictionId,
      ]);
      expect(labels).toEqual([{ class: 'short' }]);
    });

    it('looks again at what had no evidence when its connection is another one: a crash gives out numbers again', async () => {
      const [template] = await world.stored(answer);
      await rounds(3);
      const [{ position, next } = { position: '', next: '' }] = await world.site.query<{
        position: string;
        next: string;
      }>(
        `SELECT evidence_xid::text AS position, pg_snapshot_xmin(pg_current_snapshot())::text AS next FROM feedback.join_position`,
      );
      const ask = () => joinerStore.hasEvidence(BigInt(position), BigInt(next));
      expect(await ask()).toBe(false);
      // As after a crash: a row of a transaction that had no trace before.
      const rest = copiedColumns.filter((column) => column !== 'prediction_id').join();
      await world.site.query(
        `INSERT INTO feedback.evidence (prediction_id, recorded_xid, ${rest}) SELECT $2, $3::xid8, ${rest} FROM feedback.evidence WHERE prediction_id = $1`,
        [template, idAt(Date.now()), position],
      );
      expect(await ask()).toBe(false);
      await world.site.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'test' AND datname = current_database()`,
      );
      await eventually(async () => expect(await ask()).toBe(true));
    });

    it('ends a round whose connection breaks: another one does not have the lock', async () => {
      await rounds(1);
      const before = errors.length;
      await joinerStore
        .exclusively(async () => {
          await world.site.query(
            `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'test' AND datname = current_database()`,
          );
          await eventually(async () => {
            const [left] = await world.site.query<{ count: number }>(
              `SELECT count(*)::int AS count FROM pg_stat_activity WHERE application_name = 'test' AND datname = current_database()`,
            );
            expect(left).toEqual({ count: 0 });
          });
          await expect(joinerStore.hasEvidence(0n, 1n)).rejects.toMatchObject({ kind: 'unavailable' });
          await expect(joinerStore.hasEvidence(0n, 1n)).rejects.toMatchObject({
            message: 'the connection to the database broke in the middle of a round',
          });
        })
        .catch(() => undefined);
      expect(errors).toHaveLength(before);
      await rounds(1);
    });

    it('gives its connection back without its settings', async () => {
      await rounds(1);
      await joinerStore.close();
      const answers = await Promise.all(
        Array.from(
          { length: 5 },
          async () =>
            (
              await dataSource.query<[{ mode: string }]>(
                `SELECT current_setting('plan_cache_mode') AS mode, pg_sleep(0.05)`,
              )
            )[0].mode,
        ),
      );
      expect(answers).toEqual(Array(5).fill('auto'));
      await rounds(1);
    });

    it('one replica at a time is at it', async () => {
      const lock = await world.site.hold('SELECT pg_advisory_lock(1545396487)');
      const [predictionId] = [idAt(Date.now())];
      await world.record({ predictionId, ...name('c') });
      await world.stored({ predictionId });
      await rounds(3);
      expect(await world.site.count([predictionId], 'label')).toEqual({ rows: 0, predictions: 0 });
      await lock.release();
      await rounds(2);
      expect(await world.site.count([predictionId], 'label')).toEqual({ rows: 1, predictions: 1 });
    });
  });
}
