import { randomBytes } from 'node:crypto';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import type { Clock } from '@sluice/domain/clock';
import { systemClock } from '@sluice/service-kit/clock';
import { eventually } from '@sluice/testkit/eventually';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { machineFileSystem, type StoreFileSystem } from '../src/artifacts/file-system.ts';
import type { RegistryClient } from './harness.ts';
import { linearModel, push, sha256, Site, upload } from './harness.ts';

let site: Site;
let ann: RegistryClient;
let ahead = 0;
let room = Infinity;

/** The machine's clock, which a test can put forward. */
const clock: Clock = {
  ...systemClock,
  now: () => systemClock.now() + ahead,
  monotonic: () => systemClock.monotonic() + ahead,
};

/** The machine's file system, with as many bytes left as a test says. */
const fileSystem: StoreFileSystem = {
  ...machineFileSystem,
  create: async (path) => {
    const file = await machineFileSystem.create(path);
    const write = async (bytes: Uint8Array): Promise<void> => {
      room -= bytes.length;
      if (room < 0) throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
      await file.write(bytes);
    };
    return { write, sync: () => file.sync(), close: () => file.close() };
  },
};

beforeAll(async () => {
  site = await Site.open();
  ann = (await site.start({ SLUICE_ARTIFACT_GRACE_MS: '60000' }, clock, fileSystem)).as('ann');
});
afterAll(async () => {
  await site.close();
});

const unfinished = () => readdir(join(site.folder, 'artifacts', 'tmp'));

/** An upload that promises a mebibyte, sends a chunk of it and then nothing. */
async function* silent() {
  yield { header: { sha256: 'a'.repeat(64), size: 2 ** 20 } };
  yield { chunk: randomBytes(1_000) };
  await new Promise(() => undefined);
}

describe('an upload', () => {
  it('that finds the disk full answers so, leaves nothing, and goes through when there is room', async () => {
    const bytes = randomBytes(300_000);
    room = 100_000;
    onTestFinished(() => void (room = Infinity));
    await expect(upload(ann, bytes)).rejects.toMatchObject({
      kind: 'resource-exhausted',
      message: expect.stringMatching(
        new RegExp(`^the artifact store is full: ENOSPC while storing artifact ${sha256(bytes).slice(0, 12)}`),
      ) as string,
    });
    // A document of the registry's own may be on its way through the same folder.
    await eventually(async () => expect(await unfinished()).toEqual([]));
    expect((await ann.statArtifacts({ sha256: [sha256(bytes)] })).present).toEqual([]);
    room = Infinity;
    expect(await upload(ann, bytes)).toBe(sha256(bytes));
  });

  it('whose call is cut leaves nothing', async () => {
    const cut = new AbortController();
    const upload = ann.uploadArtifact(silent(), { signal: cut.signal });
    await eventually(async () => expect(await unfinished()).toHaveLength(1));
    cut.abort();
    await expect(upload).rejects.toMatchObject({ kind: 'cancelled' });
    await eventually(async () => expect(await unfinished()).toEqual([]));
  });
});

describe('a registry that runs', () => {
  it('collects what uploads left that nobody ends, and artifacts that no version has, in time', async () => {
    const kept = (await push(ann, 'kept', await linearModel())).version.files.map((file) => file.sha256);
    const [orphan, fresh] = [await upload(ann, randomBytes(1_000)), await upload(ann, randomBytes(1_000))];
    // By the database's clock, which judges use: longer ago than the grace period.
    const owner = new pg.Client({ connectionString: site.ownerUrl });
    await owner.connect();
    await owner.query(
      `update registry.artifact set last_used_at = last_used_at - interval '2 minutes' where sha256 <> $1`,
      [fresh],
    );
    await owner.end();
    const hanging = ann.uploadArtifact(silent()).catch((error: unknown) => error);
    await eventually(async () => expect(await unfinished()).toHaveLength(1));
    // As a registry leaves it that was killed.
    await writeFile(join(site.folder, 'artifacts', 'tmp', 'of-a-killed-one'), 'half');
    const stored = async (digest: string) => {
      const folder = join(site.folder, 'artifacts', 'sha256', digest.slice(0, 2), digest.slice(2, 4));
      return (await readdir(folder).catch((): string[] => [])).includes(digest);
    };
    expect(await stored(orphan)).toBe(true);

    // The chores come every ten minutes, and take uploads that stood still for an hour.
    ahead = 3_700_000;
    await eventually(async () => expect(await unfinished()).toEqual([]), 15_000);
    await eventually(async () => expect(await stored(orphan)).toBe(false), 15_000);
    for (const digest of [fresh, ...kept]) expect(await stored(digest)).toBe(true);
    void hanging;
  });
});
