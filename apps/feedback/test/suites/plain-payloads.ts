import { describe, expect, it } from 'vitest';
import { migrateSchema } from '@sluice/persistence/migrate-schema';
import { eventually } from '@sluice/testkit/eventually';
import type { TestPostgres } from '@sluice/testkit/postgres';
import { feedbackSchema, migrateFeedback } from '../../src/store/migrate-feedback.ts';
import { subjectKeys } from '../../src/store/migrations/1780000010000-subject-keys.ts';
import { idAt } from '../evidence.ts';
import { Site } from '../harness.ts';

const tables = ['evidence', 'evidence_skewed'] as const;
const texts = [
  ...['arm', 'model', 'version_digest', 'release_id', 'seed_id', 'served_arm', 'reason', 'request_id'],
  ...['caller', 'trace_id', 'rule', 'runtime'],
];
const numbers = [
  ...['version', 'policy_version', 'propensity', 'keep_probability', 'sent_micros', 'ended_micros', 'rows'],
  ...['attempt', 'status', 'fallback_status'],
];

/** Payloads that were stored before there were keys. @param cluster the Postgres, on which it gets a database of its own */
export function plainPayloadsSuite(cluster: () => TestPostgres): void {
  describe('payloads of subjects that lie in plain', () => {
    it('are deleted when keys come, which is said, and their rows are overwritten; those of nobody stay', async () => {
      const site = new Site(cluster(), await cluster().createDatabase());
      const { migrations } = feedbackSchema;
      const before = migrations.slice(0, migrations.indexOf(subjectKeys));
      await migrateSchema({ ...feedbackSchema, migrations: before }, site);
      await site.query(`SELECT feedback.make_day('standard', (now() AT TIME ZONE 'UTC')::date)`);
      for (const table of tables)
        for (const subject of ['ann', ''])
          await site.query(
            `INSERT INTO feedback.${table} (prediction_id, subject, received_at, answered, class, request_state, request,
               response_state, ${[...texts, ...numbers].join(', ')})
             VALUES ($1, $2, now(), true, 'standard', 'captured', 'a secret', 'off',
               ${[...texts.map(() => `''`), ...numbers.map(() => '1')].join(', ')})`,
            [idAt(Date.now()), subject],
          );
      const said: unknown[] = [];
      await migrateFeedback({
        ...{ ownerUrl: site.ownerUrl, serviceUrl: site.serviceUrl },
        say: (text, about) => said.push([text, about]),
      });
      expect(said).toEqual([
        [expect.stringMatching(/^payloads of subjects .* were deleted/), { migration: subjectKeys.id, rows: 2 }],
      ]);
      for (const table of tables)
        expect(
          await site.query(
            `SELECT subject, request_state, convert_from(request, 'UTF8') AS request, response_state FROM feedback.${table} ORDER BY subject`,
          ),
        ).toEqual([
          { subject: '', request_state: 'captured', request: 'a secret', response_state: 'off' },
          { subject: 'ann', request_state: 'erased', request: null, response_state: 'off' },
        ]);
      const vacuumed = `SELECT relname FROM pg_stat_user_tables
        WHERE relname LIKE 'evidence%' AND vacuum_count > 0 AND n_tup_upd > 0`;
      // A connection of Postgres tells what it counted when it ends, which it does after its client.
      await eventually(async () => expect(await site.query(vacuumed)).toHaveLength(2));
      await site.close();
    });
  });
}
