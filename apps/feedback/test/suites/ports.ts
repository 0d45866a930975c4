import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { feedbackService } from '@sluice/contracts/services';
import { createRpcClient } from '@sluice/rpc/client';
import { constantTls } from '@sluice/rpc/tls/source';
import { systemClock } from '@sluice/service-kit/clock';
import { withSettings } from '@sluice/service-kit/readme-table';
import { CertificateAuthority } from '@sluice/testkit/certificates';
import { eventually } from '@sluice/testkit/eventually';
import { compareWithPage } from '@sluice/testkit/metrics-page';
import type { TestPostgres } from '@sluice/testkit/postgres';
import { configSpec } from '../../src/config.ts';
import { blockOfIds, someIds } from '../evidence.ts';
import type { Replica } from '../harness.ts';
import { deliver, Sender, Site } from '../harness.ts';

const buf = new URL('../../../../node_modules/.bin/buf', import.meta.url).pathname;
const run = promisify(execFile);

/** The ports of a replica. @param cluster the Postgres, on which it gets a database of its own */
export function portsSuite(cluster: () => TestPostgres): void {
  let site: Site;
  let replica: Replica;

  beforeAll(async () => {
    site = await Site.open(cluster());
    replica = await site.start();
  });
  afterAll(() => site.close());

  /** Calls as a stranger does: with nothing but the address, by server reflection. */
  async function curl(port: string, path: string, body: object = {}): Promise<unknown> {
    const url = `http://127.0.0.1:${replica.running.ports[port]}/${path}`;
    const flags = ['--protocol', 'grpc', '--http2-prior-knowledge', '--data', JSON.stringify(body)];
    const { stdout } = await run(buf, ['curl', ...flags, url]);
    return JSON.parse(stdout);
  }

  async function methods(port: string, reflection: string): Promise<string> {
    const url = `http://127.0.0.1:${replica.running.ports[port]}`;
    const flags = ['--protocol', 'grpc', '--http2-prior-knowledge', '--reflect-protocol', reflection, '--list-methods'];
    return (await run(buf, ['curl', ...flags, url])).stdout;
  }

  it('the README has the settings as they are', () => {
    const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
    expect(readme).toBe(withSettings(readme, configSpec));
  });

  describe('the ports of feedback', () => {
    it.each(['grpc-v1', 'grpc-v1alpha'])('describe themselves by reflection %s', async (reflection) => {
      const listed = await methods('port', reflection);
      for (const method of [
        'IngestService/Ingest',
        'FeedbackService/ListDeadLetters',
        'FeedbackService/ReplayDeadLetters',
        'PredictionService/GetPrediction',
        'LabelService/StreamLabels',
      ])
        expect(listed).toContain(`sluice.feedback.v1.${method}`);
      expect(await methods('adminPort', reflection)).toContain('sluice.admin.v1.AdminService/GetState');
    });

    it('show the inner state on the administrative port, with secrets hidden', async () => {
      const sender = await Sender.open(replica.address, 'spool-7');
      sender.block(5, blockOfIds(someIds(1)));
      await sender.acknowledged(5);
      await eventually(async () => expect((await replica.adminState())['days']).toHaveLength(9));
      const state = (await curl('adminPort', 'sluice.admin.v1.AdminService/GetState')) as Record<string, string>;
      expect(state).toMatchObject({ service: 'feedback', version: '0.0.0-test' });
      expect(JSON.parse(state['configJson']!)).toMatchObject({ databaseUrl: '[hidden]', retentionDaysShort: 7 });
      expect(JSON.parse(state['stateJson']!)).toMatchObject({
        ...{ databaseUp: true, retentionDays: { short: 7, standard: 90, long: 730 } },
        streams: [{ spool: 'spool-7', router: 'router-1', acknowledged: 5, heldBytes: 0 }],
        ...{ blocksWaiting: 0, batchesUnderWay: 0, heldBytes: 0, deadLetters: 0 },
        labels: { streams: 0, waiting: 0, unmatched: 0 },
      });
      sender.close();
    });

    it('count records and show the database in /metrics, as the page says', async () => {
      await deliver(replica.address, [blockOfIds(someIds(3))]);
      const text = await replica.metrics();
      expect(text).toMatch(/sluice_dependency_up\{dependency="postgres"[^}]*\} 1/);
      expect(text).toMatch(/sluice_dependency_up\{dependency="registry"[^}]*\} 0/);
      expect(text).toMatch(/sluice_feedback_records_total\{outcome="stored"[^}]*\} 4/);
      const { differences, withoutSeries } = compareWithPage(text, 'feedback');
      expect(differences).toEqual([]);
      // Nothing has failed, and nothing streams requests here.
      const mayLack = [
        'sluice_feedback_failed_batches_total',
        'sluice_request_failures_total',
        'nodejs_',
        'sluice_streamed_',
      ];
      expect(withoutSeries.filter((name) => !mayLack.some((each) => name.startsWith(each)))).toEqual([]);
    });

    it('speak TLS with those who have a certificate, as the other services do', async () => {
      const folder = await mkdtemp(join(tmpdir(), 'sluice-feedback-tls-'));
      const authority = await CertificateAuthority.create();
      const files: Record<string, string> = {};
      for (const [name, octets] of Object.entries({ ca: authority.cert, ...(await authority.sign('feedback')) })) {
        files[name] = join(folder, `${name}.pem`);
        await writeFile(files[name], octets, { mode: 0o600 });
      }
      const secured = await site.start({
        ...{ SLUICE_TLS_CERT_FILE: files['cert']!, SLUICE_TLS_KEY_FILE: files['key']! },
        SLUICE_TLS_CLIENT_CA_FILE: files['ca']!,
      });
      const tls = constantTls({ ...(await authority.sign('router')), ca: authority.cert });
      const client = createRpcClient(feedbackService, secured.address, { clock: systemClock, tls });
      expect(await client.listDeadLetters({})).toEqual({ deadLetters: [], nextPageToken: '' });
      await expect(secured.feedback.listDeadLetters({}, { timeoutMs: 5_000 })).rejects.toThrow();
      client.close();
      await secured.stop();
      await rm(folder, { recursive: true });
    });

    it('say NOT_SERVING while the database is away, and SERVING when it is back', async () => {
      const health = async (service: string) => curl('port', 'grpc.health.v1.Health/Check', { service });
      const isUp = () => replica.metric('sluice_dependency_up', 'dependency="postgres"');
      await site.postgres.kill();
      await eventually(async () => expect(await isUp()).toBe(0));
      expect(await health('sluice.feedback.v1.FeedbackService')).toEqual({ status: 'NOT_SERVING' });
      expect(await health('sluice.feedback.v1.IngestService')).toEqual({ status: 'NOT_SERVING' });
      await site.postgres.restart();
      await eventually(async () => expect(await isUp()).toBe(1));
      expect(await health('sluice.feedback.v1.IngestService')).toEqual({ status: 'SERVING' });
      // A database that can only be read, as a standby, is as good as none.
      await site.query('ALTER SYSTEM SET default_transaction_read_only = on');
      await site.query('SELECT pg_reload_conf()');
      await eventually(async () => expect(await isUp()).toBe(0));
      await site.query('ALTER SYSTEM RESET default_transaction_read_only');
      await site.query('SELECT pg_reload_conf()');
      await eventually(async () => expect(await isUp()).toBe(1));
    });
  });
}
