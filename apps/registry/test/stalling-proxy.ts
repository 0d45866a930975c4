import { connect, createServer, type Server, type Socket } from 'node:net';
import { once } from 'node:events';

/** Stands between a registry and Postgres, and can fall silent as a machine does that hangs: nothing closes. */
export class StallingProxy {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #stalled = false;

  /** @param url the address of the database; gives the proxy and the address that leads through it */
  static async start(url: string): Promise<{ readonly proxy: StallingProxy; readonly url: string }> {
    const target = new URL(url);
    const server = createServer();
    const proxy = new StallingProxy(server, Number(target.port), target.hostname);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    target.hostname = '127.0.0.1';
    target.port = String((server.address() as { port: number }).port);
    return { proxy, url: target.href };
  }

  constructor(server: Server, port: number, host: string) {
    this.#server = server;
    server.on('connection', (near) => {
      const far = connect(port, host);
      for (const [one, other] of [
        [near, far],
        [far, near],
      ] as const) {
        this.#sockets.add(one);
        if (this.#stalled) one.pause();
        one.on('error', () => other.destroy()).on('close', () => other.destroy());
        one.on('data', (bytes) => other.write(bytes));
      }
      if (this.#stalled) this.stall();
    });
  }

  stall(): void {
    this.#stalled = true;
    for (const socket of this.#sockets) socket.pause();
  }

  resume(): void {
    this.#stalled = false;
    for (const socket of this.#sockets) socket.resume();
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
  }
}
