import { createServer, type Server } from 'node:net';
import process from 'node:process';
import pg from 'pg';
import { pause } from '../platform.ts';
import { descendants, type Descendant } from '../proc.ts';
import { ownerUrl, type DatabasePlace } from './own-feedback.ts';

/** A database that is stopped, or told to start, takes this long at most. */
const changeMs = 60_000;

/** The one process of a Postgres that takes connections; its others have other command lines. */
export const isPostmaster = ({ commandLine }: Descendant): boolean =>
  /(^|\/)postgres$/.test(commandLine[0] ?? '') && commandLine.includes('-D');

/**
 * Stops the Postgres of a platform, as an administrator does, and keeps its port, so that whoever keeps it running cannot start it again:
 * whoever connects meanwhile is turned away.
 *
 * @returns gives the port free; ends when the database takes connections
 */
export async function stopPostgres(platformPid: number, place: DatabasePlace): Promise<() => Promise<void>> {
  const postmaster = descendants(platformPid).find(isPostmaster);
  if (postmaster === undefined) throw new Error('the platform has no Postgres of its own to stop');
  process.kill(postmaster.pid, 'SIGINT');
  const holder = await holdPort(place.postgresPort);
  return async () => {
    await new Promise((resolve) => holder.close(resolve));
    await takesConnections(place);
  };
}

async function holdPort(port: number): Promise<Server> {
  const end = performance.now() + changeMs;
  while (performance.now() < end) {
    const server = createServer((socket) => socket.destroy());
    const isOurs = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false));
      server.listen({ port, host: '127.0.0.1', exclusive: true }, () => resolve(true));
    });
    if (isOurs) return server;
    await pause(10);
  }
  throw new Error(`Postgres did not stop within ${changeMs / 1000} s`);
}

async function takesConnections(place: DatabasePlace): Promise<void> {
  const end = performance.now() + changeMs;
  for (;;) {
    const client = new pg.Client({ connectionString: ownerUrl(place, 'sluice') });
    client.on('error', () => undefined);
    try {
      await client.connect();
      await client.end();
      return;
    } catch (error) {
      if (performance.now() >= end) throw new Error('the database did not come back', { cause: error });
    }
    await pause(250);
  }
}
