import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { eventually } from '@sluice/testkit/eventually';
import { FakeClock } from '@sluice/testkit/fake-clock';
import { afterEach, expect, it } from 'vitest';
import { DirectSocket, asDirect, pieceOctets } from '../src/direct-socket.ts';
import { SocketPort } from '../src/socket-port.ts';
import { cleanUp, later } from './interop/echo.ts';

afterEach(cleanUp);

/** Pairs of connected sockets: what a client has, and what its server accepted and has not read yet. */
async function pairs() {
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  later(() => server.close());
  const { port } = server.address() as AddressInfo;
  return async (client: Socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })) => {
    if (client instanceof DirectSocket) client.connect({ port, host: '127.0.0.1' });
    const [accepted] = (await once(server, 'connection')) as [Socket];
    later(() => {
      client.destroy();
      accepted.destroy();
    });
    return { server, client, accepted };
  };
}

function directOf(accepted: Socket): DirectSocket {
  const socket = asDirect(accepted);
  later(() => socket.destroy());
  if (!(socket instanceof DirectSocket)) throw new Error('this Node gives no direct socket for one that was accepted');
  return socket;
}

/** What a socket reads, copied in time. */
function reading(socket: DirectSocket): Buffer[] {
  const read: Buffer[] = [];
  socket.reader.received = (octets) => void read.push(Buffer.from(octets));
  return read;
}

const sizeOf = (read: readonly Buffer[]): number => read.reduce((sum, { length }) => sum + length, 0);

it('reads what comes to several sockets, each its own, on both sides', async () => {
  const next = await pairs();
  const octets = 300_000;
  const sides: { client: Socket; sent: Buffer; read: Buffer[] }[] = [];
  for (const seed of [1, 2, 3]) {
    const { client, accepted } = await next();
    const sent = Buffer.alloc(octets, Buffer.from([seed, seed + 10, seed + 20]));
    sides.push({ client, sent, read: reading(directOf(accepted)) });
  }
  const own = new DirectSocket();
  const back = reading(own);
  const { accepted } = await next(own);
  for (const { client, sent } of sides) client.write(sent);
  accepted.write('hello');
  await eventually(() => expect(sides.map(({ read }) => sizeOf(read))).toEqual([octets, octets, octets]));
  for (const { sent, read } of sides) expect(Buffer.concat(read).equals(sent)).toBe(true);
  await eventually(() => expect(String(Buffer.concat(back))).toBe('hello'));
});

it('writes, ends and closes as any socket does, and the server forgets the one that it accepted', async () => {
  const { server, client, accepted } = await (await pairs())();
  const socket = directOf(accepted);
  const events: string[] = [];
  for (const name of ['end', 'close'] as const) socket.on(name, () => events.push(name));
  const answered: string[] = [];
  client.on('data', (octets: Buffer) => answered.push(String(octets)));
  client.end('last');
  await eventually(() => expect(events).toEqual(['end']));
  expect([accepted.destroyed, socket.remotePort]).toEqual([true, client.localPort]);
  socket.end('answer');
  await eventually(() => expect([answered.join(''), events.join(' ')]).toEqual(['answer', 'end close']));
  const left = await new Promise((resolve) => server.getConnections((_error, count) => resolve(count)));
  expect(left).toBe(0);
});

it('gives nothing while it is paused, its end neither, and all of it later', async () => {
  const { client, accepted } = await (await pairs())();
  const socket = directOf(accepted);
  const read = reading(socket);
  const ended = once(socket, 'end');
  let over = false;
  void ended.then(() => (over = true));
  socket.pause();
  client.end(Buffer.alloc(100_000, 'x'));
  await eventually(() => expect(client.writableFinished).toBe(true));
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
  expect([sizeOf(read), over]).toEqual([0, false]);
  socket.resume();
  await ended;
  expect(sizeOf(read)).toBe(100_000);
});

it('an accepted socket from which no other can be made is read as it is', async () => {
  const { client, accepted } = await (await pairs())();
  const handle = (accepted as unknown as { _handle: { useUserBuffer: unknown } })._handle;
  Object.defineProperty(handle, 'useUserBuffer', { value: undefined });
  const socket = asDirect(accepted);
  expect(socket).toBe(accepted);
  const read: Buffer[] = [];
  new SocketPort(socket, new FakeClock()).serve({
    ...{ receive: (octets) => void read.push(octets), sent: () => undefined, lost: () => undefined },
  });
  client.write('as ever');
  await eventually(() => expect(String(Buffer.concat(read))).toBe('as ever'));
});

it('is read in larger pieces only behind full ones that cost little', async () => {
  for (const tookMs of [0.1, 0.2]) {
    const { client, accepted } = await (await pairs())();
    const clock = new FakeClock();
    const pieces: number[] = [];
    new SocketPort(directOf(accepted), clock).serve({
      receive: (octets) => {
        pieces.push(octets.length);
        clock.advance(tookMs);
      },
      ...{ sent: () => undefined, lost: () => undefined },
    });
    client.write(Buffer.alloc(1000));
    await eventually(() => expect(pieces).toEqual([1000]));
    const octets = 8_000_000;
    client.write(Buffer.alloc(octets));
    await eventually(() => expect(pieces.reduce((sum, piece) => sum + piece, 0)).toBe(1000 + octets));
    expect(Math.max(...pieces) > pieceOctets).toBe(tookMs === 0.1);
    // None but behind a full one.
    const large = pieces.flatMap((piece, at) => (piece > pieceOctets ? [pieces[at - 1]!] : []));
    expect(large.every((before) => before >= pieceOctets)).toBe(true);
  }
});
