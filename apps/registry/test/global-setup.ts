import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  interface ProvidedContext {
    /** The Postgres of a whole run; undefined under a configuration without this set-up. */
    registryPostgres: SharedRegistryPostgres | undefined;
  }
}

export interface SharedRegistryPostgres {
  /** The superuser's address. */
  readonly ownerUrl: string;
  /** A database with the schema, to make copies of. */
  readonly template: string;
}

/**
 * One Postgres for all files of a run, with a migrated database that theirs are copies of. A process of its own starts it:
 * vitest's does not find the sources of other projects.
 */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const program = new URL('shared-postgres.ts', import.meta.url).pathname;
  const child = spawn(process.execPath, ['--conditions=@sluice/source', program], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const ended = once(child, 'close');
  for await (const line of createInterface(child.stdout)) {
    project.provide('registryPostgres', JSON.parse(line) as SharedRegistryPostgres);
    return async () => {
      child.stdin.end();
      await ended;
    };
  }
  throw new Error('the Postgres of the run did not start; what it said stands above');
}
