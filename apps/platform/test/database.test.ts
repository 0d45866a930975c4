import { chmod, chown, mkdir, readdir, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { canEnter, chooseAccount } from '@sluice/postgres-local/account';
import { installBinaries } from '@sluice/postgres-local/binaries';
import { initCluster } from '@sluice/postgres-local/server';
import { eventually } from '@sluice/testkit/eventually';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { clearLeftoverPostgres, openCluster } from '../src/database.ts';
import type { ClusterOptions } from '../src/database.ts';
import { Printed, RunningPlatform, commandsWith, freeOffset, killStarted, makeHome, root } from './running-platform.ts';

const isRoot = process.getuid?.() === 0;
/** An ordinary user. */
const user = chooseAccount()!;
/** A user without anything. */
const third = { name: 'third', uid: 12_345, gid: 12_345 };
const secrets = {
  ...{ ownerPassword: 'owner', registryPassword: 'registry', feedbackPassword: 'feedback' },
  ...{ auditKeyFile: '', evidenceKeyFile: '', feedbackKeyFile: '' },
};

let home: string;
let options: ClusterOptions;
let made = 0;

beforeAll(async () => {
  home = await makeHome('sluice-sudo-');
  options = {
    home,
    port: 8154 + (await freeOffset()),
    secrets,
    onLog: () => undefined,
    onInit: () => made++,
    signal: new AbortController().signal,
  };
});
afterAll(async () => rm(home, { recursive: true, force: true }));

describe.runIf(isRoot)('the database of an ordinary user’s home', () => {
  beforeAll(async () => {
    const folder = path.join(home, 'postgres');
    await mkdir(folder);
    for (const each of [home, folder]) await chown(each, user.uid, user.gid);
    await initCluster({
      binaries: await installBinaries(user),
      account: user,
      dataDir: path.join(folder, 'data'),
      superuser: 'sluice',
      password: secrets.ownerPassword,
      durable: false,
    });
  });

  it('is the one that root uses too, as that user', async () => {
    const cluster = await openCluster(options);
    expect([cluster.dataDir, made]).toEqual([path.join(home, 'postgres', 'data'), 0]);
    const life = await cluster.start();
    await life.stop(5000);
    expect(await life.ended).toBe('status 0');
    for (const name of await readdir(cluster.dataDir))
      expect((await stat(path.join(cluster.dataDir, name))).uid).toBe(user.uid);
  });

  it('is not replaced by an empty one where that user cannot enter it', async () => {
    await chown(home, 0, 0);
    await chmod(home, 0o700);
    try {
      await expect(openCluster(options)).rejects.toMatchObject({
        kind: 'failed-precondition',
        message: expect.stringMatching(/^user uid \d+ cannot enter .*\/postgres\/data, .*chmod a\+x/) as string,
      });
    } finally {
      await chmod(home, 0o755);
    }
    expect(made).toBe(0);
  });

  it.runIf(canEnter(root, third))('is not replaced by an empty one of a third user', async () => {
    const start = async (): Promise<string> => {
      const args = ['--conditions=@sluice/source', 'apps/platform/src/main.ts', '--home', home];
      const identity = { uid: third.uid, gid: third.gid };
      const printed = new Printed(process.execPath, args, root, {}, identity);
      expect(await printed.ended).toBe(1);
      return printed.text;
    };
    expect(await start()).toMatch(/^sluice: cannot keep data in .*: start as the user that it belongs to.*\n$/);
    const secretsFolder = path.join(home, 'secrets');
    await mkdir(secretsFolder, { mode: 0o700 });
    await chmod(home, 0o777);
    expect(await start()).toMatch(/^sluice: the secrets in .* belong to another user: start as that user.*\n$/);
    await chown(secretsFolder, third.uid, third.gid);
    expect(await start()).toContain(
      `sluice: the database in ${home}/postgres/data belongs to another user (uid ${user.uid}): start as that user`,
    );
  });
});

describe('a platform that is stopped while it makes its database', () => {
  let fresh: string;
  let unfinished: string;
  let platform: RunningPlatform;
  beforeAll(async () => {
    fresh = await makeHome('sluice-early-');
    unfinished = path.join(fresh, 'postgres');
  });
  afterAll(async () => {
    await killStarted();
    // What fills the compile cache for a killed platform ends by itself, and may be about to write.
    await rm(fresh, { recursive: true, force: true, maxRetries: 10 });
  });

  /** Starts it and waits until initdb has files and processes. */
  async function whileItMakesOne(): Promise<void> {
    platform = new RunningPlatform({ home: fresh, offset: await freeOffset() });
    await platform.prints(/making a database/, 20_000);
    await eventually(async () => {
      expect(await readdir(unfinished, { recursive: true })).toContainEqual(expect.stringMatching(/^\.data-.*base$/));
      expect(commandsWith(unfinished).length).toBeGreaterThan(0);
    });
    // Beside the data there is no file, such as one with the password.
    const staging = (await readdir(unfinished)).find((name) => name.startsWith('.data-'));
    // It may have been done meanwhile, and moved.
    const beside = staging === undefined ? [] : await readdir(path.join(unfinished, staging)).catch(() => []);
    expect(beside.filter((name) => name !== 'data')).toEqual([]);
  }

  it('leaves neither processes nor files after SIGTERM', async () => {
    await whileItMakesOne();
    expect(await platform.stop()).toBe(0);
    expect(commandsWith(unfinished)).toEqual([]);
    expect(await readdir(unfinished)).toEqual([]);
  });

  it('leaves no processes after kill -9, and the next start removes the files', async () => {
    await whileItMakesOne();
    platform.child.kill('SIGKILL');
    await eventually(() => expect(commandsWith(unfinished)).toEqual([]));
    expect(await readdir(unfinished)).toHaveLength(1);
    await clearLeftoverPostgres(fresh);
    expect(await readdir(unfinished)).toEqual([]);
  });
});

describe.runIf(isRoot)('the database of root’s home', () => {
  it('is found again outside of the home when the home can be entered since', async () => {
    const closed = await makeHome('sluice-closed-');
    await chmod(closed, 0o700);
    const { dataDir } = await openCluster({ ...options, home: closed });
    try {
      expect(dataDir.startsWith(closed)).toBe(false);
      await chmod(closed, 0o755);
      expect((await openCluster({ ...options, home: closed })).dataDir).toBe(dataDir);
      expect(made).toBe(1);
    } finally {
      for (const folder of [closed, dataDir]) await rm(folder, { recursive: true, force: true });
    }
  });
});
