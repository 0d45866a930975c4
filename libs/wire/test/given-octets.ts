import type { Connection } from '../src/http2/connection.ts';

/** Gives a connection octets as a socket does: when it has read them, others lie there. */
export function give(connection: Pick<Connection, 'receive'>, octets: Uint8Array): void {
  const given = Buffer.from(octets);
  connection.receive(given);
  given.fill(0xa5);
}
