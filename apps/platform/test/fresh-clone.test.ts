import { execFileSync } from 'node:child_process';
import { lstatSync } from 'node:fs';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { eventually } from '@sluice/testkit/eventually';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { portTable, takenPorts } from '../src/ports.ts';
import { Printed, banner, freeOffset, killStarted, machine, root, shell } from './running-platform.ts';

let clone: string;
let database: string | undefined;

beforeAll(async () => {
  // A folder that only its owner may enter: Postgres's own user cannot.
  clone = await mkdtemp(path.join(tmpdir(), 'sluice-clone-'));
  // What git would commit, as it is now: a clone of the last commit would test yesterday's work.
  const listing = ['ls-files', '-z', '--cached', '--others', '--exclude-standard'];
  const files = execFileSync('git', listing, { cwd: root, maxBuffer: 64 * 1024 * 1024 })
    .toString()
    .split('\0');
  for (const file of files.filter((name) => name !== '' && lstatSync(path.join(root, name), { throwIfNoEntry: false })))
    await cp(path.join(root, file), path.join(clone, file), { verbatimSymlinks: true });
});
afterAll(async () => {
  await killStarted();
  await rm(clone, { recursive: true, force: true });
  if (database !== undefined) await rm(database, { recursive: true, force: true });
});

it(
  'npm start in a fresh clone sets itself up and prints a buf curl command that answers',
  { timeout: 300_000 },
  async () => {
    const offset = await freeOffset();
    const started = new Printed('npm', ['start', '--', '--port-offset', String(offset)], clone, machine);
    await started.prints(/running npm ci/, 20_000);
    await started.prints(banner, 240_000);
    database = /Postgres in ([^)]+)\)/.exec(started.text)![1]!;
    // Root's Postgres runs as another user, who cannot enter the clone.
    if (process.getuid?.() === 0) expect(database.startsWith(clone)).toBe(false);
    const commands = started.text.split('\n').filter((line) => line.trim().startsWith('npx buf curl'));
    const infer = commands.find((line) => line.includes('ModelInfer'))!;
    expect(await shell(infer, clone, machine)).toContain('"modelName": "digits"');

    // As a terminal does it: the signal reaches npm, which passes it on.
    started.child.kill('SIGINT');
    await started.prints(/platform {2}info {2}stopped/, 20_000);
    await started.ended;
    await eventually(async () => {
      expect(await takenPorts(portTable(offset, 2))).toEqual([]);
    });
  },
);
