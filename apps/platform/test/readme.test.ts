import { readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { withSettings } from '@sluice/service-kit/readme-table';
import { startPostgres } from '@sluice/testkit/postgres';
import type { TestPostgres } from '@sluice/testkit/postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { settings } from '../src/config.ts';
import { Printed, killStarted, machine, makeHome, root } from './running-platform.ts';

it('the README has the settings as they are', async () => {
  const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8');
  expect(withSettings(readme, settings)).toBe(readme);
});

describe('a service comes up alone as its README says, on the Node of the machine', () => {
  let home: string;
  let postgres: TestPostgres;
  beforeAll(async () => {
    home = await makeHome('sluice-alone-');
    postgres = await startPostgres();
  });
  afterAll(async () => {
    await killStarted();
    await postgres.stop();
    await rm(home, { recursive: true, force: true });
  });

  /** The lines to type, with this machine's folder and database in the place of the README's, as one script. */
  async function scriptOf(app: string, database: string): Promise<string> {
    const readme = await readFile(path.join(root, 'apps', app, 'README.md'), 'utf8');
    const section = readme.split('\n## ').find((part) => part.startsWith('Run it alone'))!;
    expect(section).toContain("From the clone's root");
    const block = /```sh\n([\s\S]*?)```/.exec(section)![1]!;
    return (
      block
        .replaceAll('/tmp/', `${home}/`)
        .replace('postgres://OWNER:PASSWORD@127.0.0.1:5432/sluice', postgres.ownerUrl(database))
        .replace(
          'postgres://sluice_registry:PASSWORD@127.0.0.1:5432/sluice',
          postgres.urlFor('sluice_registry', 'secret', database),
        )
        // The service is the last line: in the shell's place it gets the signal.
        .replace(/\n?(.+)\n$/, '\nexec $1\n')
    );
  }

  it.for(['registry', 'model-server', 'router'])('%s', { timeout: 120_000 }, async (app) => {
    const script = await scriptOf(app, await postgres.createDatabase());
    // A platform of the person who runs the tests may have the usual ports.
    const ports = { SLUICE_PORT: '0', SLUICE_METRICS_PORT: '0', SLUICE_ADMIN_PORT: '0' };
    const started = new Printed('/bin/sh', ['-ec', script], root, { ...machine, ...ports });
    await started.prints(/"msg":"ready"/, 100_000);
    started.child.kill('SIGTERM');
    expect(await started.ended).toBe(0);
    expect(started.text).toMatch(/"msg":"stopped"/);
  });
});
