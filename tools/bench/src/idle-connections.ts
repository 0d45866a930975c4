import { readFileSync } from 'node:fs';
import { bytesEach, needOpenFiles, type IdleJob } from './idle-job.ts';
import { residentBytes } from './proc.ts';
import { newSeries, type Scenario } from './scenario.ts';
import { startHelper, type HelperProcess } from './helper-process.ts';
import { pause } from './platform.ts';

const connections = 10_000;
const targetKilobytes = 20;
/** Connections that come and go first: what the first ones cost is not what each costs. */
const warmUp = 500;

/** What a server of libs/wire holds for a connection on which nothing happens. */
export function idleConnections(): Scenario {
  const each = newSeries(`wire: memory of each of ${connections.toLocaleString('en-US')} idle connections`, 'kB', {
    is: 'at most',
    value: targetKilobytes,
  });
  return {
    name: 'idle-connections',
    series: [each],
    prepare: async () => needOpenFiles(connections, readFileSync('/proc/self/limits', 'utf8')),
    run: async () => {
      const server = await startHelper('wire-echo-server.ts');
      try {
        (await openAt(server, warmUp)).stop();
        while ((await collect(server)).connections > 0) await pause(20);
        const before = residentBytes(server.pid);
        const clients = await openAt(server, connections);
        try {
          const held = await collect(server);
          each.values.push(bytesEach(before, residentBytes(server.pid), connections) / 1000);
          if (held.connections !== connections)
            each.problems.push(`${held.connections} of ${connections} connections were left`);
        } finally {
          clients.stop();
        }
      } finally {
        server.stop();
      }
    },
  };
}

/** Has another process make connections. They are there until it is stopped. */
async function openAt({ port }: HelperProcess, count: number): Promise<HelperProcess> {
  const clients = await startHelper('idle-clients.ts');
  await clients.ask({ port, connections: count } satisfies IdleJob);
  return clients;
}

/** What the server holds, all garbage given back. */
const collect = async (server: HelperProcess): Promise<{ readonly connections: number }> =>
  (await server.ask('collect')) as { connections: number };
