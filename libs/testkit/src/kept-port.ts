import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/** Below the ports that systems give to outgoing connections (32,768 and up on Linux, 49,152 elsewhere). */
const range = { from: 20_000, to: 32_000 };

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  const { promise, resolve } = Promise.withResolvers<boolean>();
  server.once('error', () => resolve(false));
  server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)));
  return promise;
}

/**
 * A port of 127.0.0.1 that is free now, for a server that a test starts again on its address: a port that the system
 * chose may be somebody's outgoing connection by then.
 */
export async function keptPort(): Promise<number> {
  for (;;) {
    const port = randomInt(range.from, range.to);
    if (await isFree(port)) return port;
  }
}
