import path from 'node:path';
import { env } from 'node:process';
import { createFeedbackClient } from '@sluice/client/feedback-client';
import type { FeedbackClient } from '@sluice/client/feedback-client';
import { createOipClient } from '@sluice/client/oip-client';
import type { OipClient } from '@sluice/client/oip-client';
import { eventually } from '@sluice/testkit/eventually';
import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { databaseAddresses } from '../src/database.ts';
import { openSecrets } from '../src/secrets.ts';
import { Labeller, expectJoinedOnce } from './labeller.ts';
import { inFlightAt, moody, moodyReadiness, pushMoody } from './moody-model.ts';
import { root, shell } from './running-platform.ts';
import type { RunningPlatform } from './running-platform.ts';

/** A row of the table of evidence, as far as it is looked at here. */
interface Row {
  readonly prediction_id: string;
  readonly class: string;
  readonly version: string;
  readonly arm: string;
  readonly served_arm: string;
  readonly attempt: number;
  readonly status: number;
  readonly fallback_status: number;
  readonly runtime: string;
  readonly reason: string;
  readonly answered: boolean;
  readonly rows: string;
  readonly run_micros: string;
  readonly subject: string;
  readonly version_known: boolean;
  readonly request_state: string;
  readonly request: Buffer | null;
  readonly response: Buffer | null;
}

/** Of kills; each is of feedback, Postgres and the router. */
const rounds = env['SLUICE_SOAK'] === undefined ? 3 : 50;

/** The way of evidence on a platform that runs: from a policy that somebody sets to rows in the database. */
export function evidenceJourney(running: () => RunningPlatform): void {
  let platform: RunningPlatform;
  let client: OipClient;
  let feedback: FeedbackClient;
  let database: pg.Client | undefined;

  const reconnect = async (): Promise<void> => {
    await database?.end().catch(() => undefined);
    const secrets = await openSecrets(path.join(platform.home, 'secrets'));
    database = new pg.Client({ connectionString: databaseAddresses(platform.ports.postgres, secrets).ownerUrl });
    // A Postgres that is killed is no reason for this process to end.
    database.on('error', () => undefined);
    await database.connect();
  };

  beforeAll(async () => {
    platform = running();
    client = createOipClient(`127.0.0.1:${platform.ports.router.port}`);
    feedback = createFeedbackClient(`127.0.0.1:${platform.ports.feedback.port}`);
    await reconnect();
  });
  afterAll(async () => {
    feedback.close();
    client.close();
    await database?.end();
  });

  const cli = async (line: string) => {
    const variables = { ...env, SLUICE_REGISTRY: `127.0.0.1:${platform.ports.registry.port}` };
    return shell(`npx sluice ${line} 2>&1`, root, variables);
  };

  const pixels = Float32Array.from({ length: 64 }, (_, index) => index % 17);
  const ask = async (metadata: Readonly<Record<string, string>>): Promise<string> => {
    const inputs = [{ name: 'pixels', datatype: 'FP32' as const, shape: [1, 64], data: pixels }];
    return (await client.infer({ model: 'digits', inputs }, { metadata })).predictionId;
  };

  const rowsOf = async (caller: string): Promise<Row[]> =>
    (await database!.query<Row>('select * from feedback.evidence where caller = $1', [caller])).rows;

  it('is kept as `sluice model set` says, without a restart, and an answer of a durable model waits for it', async () => {
    await cli('model set digits --capture payload=on --retention short --durability durable --redact pixels');
    const id = await eventually(async () => {
      const asked = await ask({ 'sluice-caller': 'durable', 'sluice-subject': 'ann' });
      const rows = await rowsOf('durable');
      expect(rows.some(({ class: name }) => name === 'short')).toBe(true);
      return asked;
    });
    const row = await eventually(async () => {
      const found = (await rowsOf('durable')).filter(({ prediction_id }) => prediction_id === id);
      expect(found).toHaveLength(1);
      return found[0]!;
    });
    expect(row).toMatchObject({ class: 'short', arm: 'primary', reason: 'only-arm', answered: true, rows: '1' });
    expect(row).toMatchObject({ subject: 'ann', version_known: true, request_state: 'captured' });
    expect(Number(row.run_micros)).toBeGreaterThan(0);
    // It is about somebody: nothing of it can be read in the table, and all of it through feedback.
    expect(row.request!.includes(Buffer.from('pixels'))).toBe(false);
    expect(row.response!.includes(Buffer.from('probabilities'))).toBe(false);
    const { prediction } = await feedback.predictions.getPrediction({ predictionId: id, withPayload: true });
    const { request, response } = prediction!.attempts[0]!;
    // All of the input is hidden, and nothing else.
    expect(request!.tensors).toMatchObject([{ name: 'pixels', contents: { fp32Contents: Array(64).fill(0) } }]);
    expect(response!.tensors).toMatchObject([{ name: 'probabilities', shape: ['1', '10'], given: '10' }]);
    expect(Math.max(...response!.tensors[0]!.contents!.fp32Contents)).toBeGreaterThan(0);
  });

  it('tells of two weighted arms, of a shadow of both, and of what feedback missed while it was away', async () => {
    await cli('release put digits --arm primary=3:0.5 --arm mlp=2:0.5:candidate --arm linear=1:0:shadow');
    await eventually(async () => {
      await ask({ 'sluice-caller': 'before' });
      expect((await rowsOf('before')).map(({ arm }) => arm)).toContain('linear');
    });
    const units = Array.from({ length: 40 }, (_, unit) => `user-${unit}`);
    const askAll = async () => Promise.all(units.map((unit) => ask({ 'sluice-caller': 'units', 'sluice-unit': unit })));
    const first = await askAll();
    process.kill(await platform.pidOf('feedback'), 'SIGKILL');
    const second = await askAll();
    const rows = await eventually(async () => {
      const found = await rowsOf('units');
      expect(found).toHaveLength(4 * units.length);
      return found;
    }, 30_000);

    const live = rows.filter(({ answered }) => answered);
    expect(live.map(({ prediction_id }) => prediction_id).sort()).toEqual([...first, ...second].sort());
    expect(new Set(live.map(({ reason }) => reason))).toEqual(new Set(['unit']));
    expect(new Set(live.map(({ arm, version }) => `${arm} ${version}`))).toEqual(new Set(['primary 3', 'mlp 2']));
    // A unit has its arm, before and after.
    const armOf = new Map(live.map(({ prediction_id, arm }) => [prediction_id, arm]));
    expect(second.map((id) => armOf.get(id))).toEqual(first.map((id) => armOf.get(id)));
    const shadows = rows.filter(({ answered }) => !answered);
    expect(new Set(shadows.map(({ arm, version, reason }) => `${arm} ${version} ${reason}`))).toEqual(
      new Set(['linear 1 shadow']),
    );
    expect(shadows.map(({ prediction_id }) => prediction_id).sort()).toEqual([...first, ...second].sort());
  });

  it('tells of a candidate that failed and the primary that answered in its place, and of a retry', async () => {
    await pushMoody(platform);
    await cli(`release put ${moody} --arm primary=1:0.5 --arm candidate=2:0.5:candidate`);
    const askMoody = async (row: readonly number[], metadata: Readonly<Record<string, string>>): Promise<string> => {
      const inputs = [{ name: 'x', datatype: 'FP32' as const, shape: [1, 2], data: Float32Array.from(row) }];
      return (await client.infer({ model: moody, inputs }, { metadata })).predictionId;
    };
    await eventually(async () => {
      for (const arm of ['primary', 'candidate']) await askMoody([0, 1], { 'sluice-arm': arm });
      // What is retried needs another runtime that has its version: without one the primary answers for the candidate.
      expect(await moodyReadiness(platform)).toEqual([2, 2]);
    }, 60_000);

    // A stopped runtime takes requests and answers none; when it dies they go to the other one.
    const stopped = await platform.pidOf('runtime-1');
    process.kill(stopped, 'SIGSTOP');
    const retried: Promise<string>[] = [];
    await eventually(async () => {
      for (const unit of retried.length === 0 ? Array.from({ length: 16 }).keys() : [retried.length])
        retried.push(askMoody([0, 1], { 'sluice-caller': 'retried', 'sluice-unit': `user-${unit}` }));
      expect(await inFlightAt(platform, 0)).toBeGreaterThan(0);
    });
    process.kill(stopped, 'SIGKILL');
    const ids = await Promise.all(retried);
    const ofRetried = await eventually(async () => {
      const found = await rowsOf('retried');
      expect(found.filter(({ answered }) => answered)).toHaveLength(ids.length);
      expect(found.length).toBeGreaterThan(ids.length);
      return found;
    }, 30_000);
    for (const failed of ofRetried.filter(({ answered }) => !answered)) {
      expect(failed).toMatchObject({ attempt: 1, status: 14, fallback_status: 0, runtime: 'runtime-1' });
      const after = ofRetried.find((row) => row.answered && row.prediction_id === failed.prediction_id);
      const { arm, version } = failed;
      expect(after).toMatchObject({ arm, version, attempt: 2, status: 0, fallback_status: 0, runtime: 'runtime-2' });
    }

    // 7 is not in the table of the candidate. Its units are known by now.
    const unit = ids.findIndex((id) =>
      ofRetried.some(({ prediction_id, arm }) => prediction_id === id && arm === 'candidate'),
    );
    const fellBack = await askMoody([7, 1], { 'sluice-caller': 'fell back', 'sluice-unit': `user-${unit}` });
    const ofFallback = await eventually(async () => {
      const found = await rowsOf('fell back');
      expect(found).toHaveLength(2);
      return found.sort((one, other) => one.attempt - other.attempt);
    }, 30_000);
    const why = { prediction_id: fellBack, arm: 'candidate', reason: 'unit' };
    expect(ofFallback).toMatchObject([
      { ...why, attempt: 1, served_arm: 'candidate', version: '2', answered: false, status: 13, fallback_status: 0 },
      { ...why, attempt: 2, served_arm: 'primary', version: '1', answered: true, status: 0, fallback_status: 13 },
    ]);
  });

  it(
    `has every durable prediction that was answered once, and every label, whoever is killed (${rounds} rounds)`,
    async () => {
      await cli('release end digits');
      await cli('model set digits --capture rate=1 --durability durable');
      const answered: string[] = [];
      const labeller = new Labeller(`127.0.0.1:${platform.ports.feedback.port}`, 'killed', answered);
      const load = new AbortController();
      const callers = Array.from({ length: 8 }, async () => {
        // What nobody answered is nobody's loss: the caller of a router that dies asks again.
        while (!load.signal.aborted)
          answered.push(await eventually(async () => ask({ 'sluice-caller': 'killed' }), 60_000, 50));
      });
      const answers = async (more: number): Promise<void> => {
        const enough = answered.length + more;
        await eventually(() => expect(answered.length).toBeGreaterThan(enough), 30_000);
      };
      const killed = new Map<string, number>();
      for (let round = 0; round < rounds; round++)
        for (const name of ['feedback', 'postgres', 'router']) {
          await answers(20);
          // The one before it may still be coming back.
          const pid = await eventually(async () => {
            const now = await platform.pidOf(name);
            expect(now).not.toBe(killed.get(name));
            return now;
          }, 30_000);
          process.kill(pid, 'SIGKILL');
          killed.set(name, pid);
        }
      await answers(20);
      load.abort();
      await Promise.all(callers);
      await labeller.end();
      expect([...labeller.said.keys()].sort()).toEqual([...answered].sort());
      await eventually(async () => {
        await reconnect();
        const stored = (await rowsOf('killed')).filter((row) => row.answered).map(({ prediction_id }) => prediction_id);
        expect(new Set(stored).size).toBe(stored.length);
        const known = new Set(stored);
        expect(answered.filter((id) => !known.has(id))).toEqual([]);
        await expectJoinedOnce(database!, 'killed', answered);
      }, 60_000);
      // What is killed over and over comes back after longer and longer pauses.
    },
    120_000 + rounds * 60_000,
  );

  it('goes back to what it was', async () => {
    await cli(
      'model set digits --capture request=off,response=small --retention standard --durability best-effort --redact ""',
    );
    await eventually(async () => {
      const asked = await ask({ 'sluice-caller': 'back' });
      await eventually(async () => {
        const row = (await rowsOf('back')).find(({ prediction_id }) => prediction_id === asked);
        expect(row).toMatchObject({ class: 'standard', arm: 'primary', request_state: 'off' });
      }, 3000);
    });
  });
}
