import { createServer } from 'node:net';

/** The ports of one gRPC service: its public one, `/metrics`, and the administrative one. */
export interface ServicePorts {
  readonly port: number;
  readonly metricsPort: number;
  readonly adminPort: number;
}

export interface PortTable {
  readonly router: ServicePorts;
  readonly registry: ServicePorts;
  readonly feedback: ServicePorts;
  readonly runtimes: readonly ServicePorts[];
  readonly postgres: number;
}

const group = (first: number): ServicePorts => ({ port: first, metricsPort: first + 1, adminPort: first + 2 });

/** All ports of a platform, as the table in docs/architecture.md has them, moved up by `offset`. */
export function portTable(offset: number, runtimes: number): PortTable {
  return {
    router: group(offset + 8001),
    registry: group(offset + 8101),
    feedback: group(offset + 8111),
    runtimes: Array.from({ length: runtimes }, (_, index) => group(offset + 8011 + 10 * index)),
    postgres: offset + 8154,
  };
}

/** Every port with the words for it. */
export function namedPorts(table: PortTable): [number, string][] {
  const named = (name: string, ports: ServicePorts): [number, string][] => [
    [ports.port, `of the ${name}`],
    [ports.metricsPort, `of the ${name}'s metrics`],
    [ports.adminPort, `of the ${name}'s administration`],
  ];
  return [
    ...named('router', table.router),
    ...named('registry', table.registry),
    ...named('feedback', table.feedback),
    ...table.runtimes.flatMap((ports, index) => named(`runtime-${index + 1}`, ports)),
    [table.postgres, 'of Postgres'],
  ];
}

export const host = '127.0.0.1';

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  const { promise, resolve } = Promise.withResolvers<boolean>();
  server.once('error', () => resolve(false));
  // Exclusive: no port is shared with another process, whatever its socket options are.
  server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(true)));
  return promise;
}

/** The ports of the table that something else listens on, with the words for them. */
export async function takenPorts(table: PortTable): Promise<[number, string][]> {
  const free = await Promise.all(namedPorts(table).map(async ([port]) => isFree(port)));
  return namedPorts(table).filter((_, index) => !free[index]);
}
