import { open, readdir } from 'node:fs/promises';
import path from 'node:path';
import { readFileIfAny } from '@sluice/service-kit/atomic-file';
import pg from 'pg';
import { expect } from 'vitest';
import { databaseAddresses } from '../src/database.ts';
import { openSecrets } from '../src/secrets.ts';
import type { RunningPlatform } from './running-platform.ts';

/** A subject that was erased, and what a payload of it has in it, as it was sent. */
export interface Erased {
  readonly subject: string;
  readonly erasureId: string;
  readonly payload: Buffer;
}

const spoolOf = ({ home }: RunningPlatform): string => path.join(home, 'router', 'spool');

/** Numbers of the segments of the router's spool that have been written on: one that was made ahead is all zeros. */
export async function writtenSegments(platform: RunningPlatform): Promise<string[]> {
  const found: string[] = [];
  for (const name of await readdir(spoolOf(platform))) {
    if (!name.endsWith('.segment')) continue;
    // One that was acknowledged may go meanwhile.
    const file = await open(path.join(spoolOf(platform), name)).catch(() => undefined);
    if (file === undefined) continue;
    const { buffer } = await file.read(Buffer.alloc(64), 0, 64, 0);
    await file.close();
    if (buffer.some((octet) => octet !== 0)) found.push(name.replace(/\.segment$/, ''));
  }
  return found;
}

/**
 * Looks into the files of the router's spool. What is in a segment is encrypted, so that neither name nor payload would be found
 * there even if all of it could still be read: that they are not there in plain says little. What says more is that the keys of
 * segments from before the order are gone, without which nobody reads those.
 *
 * @param before segments that had been written on when the subject was not erased yet
 */
export async function expectNothingInSpool(
  platform: RunningPlatform,
  { subject, payload }: Erased,
  before: readonly string[],
): Promise<void> {
  const folder = spoolOf(platform);
  const names = (await readdir(folder, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
  expect(names.map(({ name }) => name).filter((name) => before.includes(name.replace(/\.key$/, '')))).toEqual([]);
  for (const { parentPath, name } of names) {
    // It may be deleted meanwhile.
    const bytes = Buffer.from((await readFileIfAny(path.join(parentPath, name))) ?? []);
    expect([name, bytes.includes(subject), bytes.includes(payload)]).toEqual([name, false, false]);
  }
}

/** Looks into feedback's tables, past feedback. @param predictions how many the subject has, each with two payloads once */
export async function expectNothingInTables(
  platform: RunningPlatform,
  { subject, erasureId, payload }: Erased,
  predictions: number,
): Promise<void> {
  const secrets = await openSecrets(path.join(platform.home, 'secrets'));
  const database = new pg.Client({ connectionString: databaseAddresses(platform.ports.postgres, secrets).ownerUrl });
  await database.connect();
  const ask = async (sql: string, ...values: unknown[]) => (await database.query<object>(sql, values)).rows;
  const evidence = `(SELECT prediction_id, subject, payload_key_id, request, response FROM feedback.evidence
    UNION ALL SELECT prediction_id, subject, payload_key_id, request, response FROM feedback.evidence_skewed)`;
  const ordered = `(SELECT unnest(key_ids) FROM feedback.erasure WHERE erasure_id = $1)`;
  try {
    expect(
      await ask(
        `SELECT wrapped, kek_id, erased_at IS NOT NULL AS erased FROM feedback.subject_key WHERE key_id IN ${ordered}`,
        erasureId,
      ),
    ).toEqual([{ wrapped: null, kek_id: null, erased: true }]);
    // The rows are there. What lies in them still is under that key: nothing of it is in plain, nothing under another one.
    expect(
      await ask(
        `SELECT count(*)::int AS rows, count(*) FILTER (WHERE payload_key_id IN ${ordered})::int AS under_it,
             count(*) FILTER (WHERE payload_key_id IS NULL AND (request IS NOT NULL OR response IS NOT NULL))::int AS in_plain
           FROM ${evidence} AS evidence WHERE subject = $2`,
        erasureId,
        subject,
      ),
    ).toEqual([{ rows: predictions, under_it: predictions, in_plain: 0 }]);
    expect(
      await ask(
        `SELECT prediction_id FROM ${evidence} AS evidence
           WHERE subject = $1 AND (position($2::bytea IN request) > 0 OR position($2::bytea IN response) > 0)`,
        subject,
        payload,
      ),
    ).toEqual([]);
    expect(
      await ask(
        `SELECT id FROM feedback.dead_letter WHERE position($3::bytea IN bytes) > 0 OR sealed IS NOT NULL AND
           (payload_key_id IN ${ordered} OR prediction_id IN (SELECT prediction_id FROM ${evidence} AS evidence WHERE subject = $2))`,
        erasureId,
        subject,
        payload,
      ),
    ).toEqual([]);
  } finally {
    await database.end();
  }
}
