import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { eventually } from '@sluice/testkit/eventually';
import { FakeClock } from '@sluice/testkit/fake-clock';
import { afterEach, expect, it } from 'vitest';
import { SocketPort } from '../src/socket-port.ts';
import { WireServer } from '../src/server/wire-server.ts';
import { Attacker, callHeaders } from './attacker.ts';
import { cleanUp, later } from './interop/echo.ts';

afterEach(cleanUp);

/** A server whose calls take a millisecond each. */
async function slowServer() {
  const clock = new FakeClock();
  const wire = new WireServer({ clock, limits: { maxConcurrentStreams: 10_000 } });
  /** From how far each call is. */
  const begun: string[] = [];
  for (const name of ['Near', 'Far'])
    wire.register(`/test.Echo/${name}`, {
      begin: (call) => {
        begun.push(name);
        clock.advance(1);
        call.sink = { message: () => 0, halfClosed: () => 0, cancelled: () => 0, drained: () => 0 };
      },
    });
  const port = await wire.listen('127.0.0.1', 0);
  later(async () => wire.close());
  return { port, begun };
}

it('a connection with much to do lets the others have their turn, and none of it is lost', async () => {
  const { port, begun } = await slowServer();
  const [full, other] = [await Attacker.connect(port), await Attacker.connect(port)];
  await Promise.all([full.write(callHeaders(1, 'Near')), other.write(callHeaders(1, 'Near'))]);
  await eventually(() => expect(begun).toHaveLength(2));
  const calls = 4000;
  const many = Buffer.concat(Array.from({ length: calls }, (_, at) => callHeaders(2 * at + 3, 'Near')));
  // What the system takes of it is there at once: several times what a socket gives in one piece.
  void full.write(many);
  void other.write(callHeaders(3, 'Far'));
  await eventually(() => expect(begun).toHaveLength(2 + calls + 1));
  // Behind a piece or two of the full one.
  const pieceOctets = 64 * 1024;
  expect(begun.indexOf('Far')).toBeLessThan(2 + (2 * pieceOctets * calls) / many.length + 1);
});

/** A port that gets a megabyte, of which each piece takes longer than a turn. */
async function slowPort(received: (port: SocketPort) => void) {
  const server = createServer();
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const [socket] = (await once(server, 'connection')) as [Socket];
  later(() => {
    for (const each of [client, socket]) each.destroy();
    server.close();
  });
  const clock = new FakeClock();
  const port = new SocketPort(socket, clock);
  const state = { octets: 0, pieces: 0 };
  port.serve({
    receive: (chunk) => {
      state.octets += chunk.length;
      state.pieces++;
      clock.advance(5);
      received(port);
    },
    sent: () => undefined,
    lost: () => undefined,
  });
  const octets = 1024 * 1024;
  client.write(Buffer.alloc(octets));
  return { port, state, octets };
}

it('a connection that wants nothing more gets nothing, though its turn has come again', async () => {
  const { port, state, octets } = await slowPort((each) => each.pause());
  await eventually(() => expect(state.pieces).toBe(1));
  for (let turn = 0; turn < 50; turn++) await setImmediate();
  expect(state.pieces).toBe(1);
  while (state.octets < octets) {
    const { pieces } = state;
    port.resume();
    await eventually(() => expect(state.pieces).toBe(pieces + 1));
  }
});

it('a connection that has had its turn gets nothing more of it by wanting more', async () => {
  let [turn, twice, last] = [0, 0, -1];
  const { state, octets } = await slowPort((each) => {
    if (last === turn) twice++;
    last = turn;
    each.pause();
    process.nextTick(() => each.resume());
  });
  while (state.octets < octets) {
    await setImmediate();
    turn++;
  }
  expect(twice).toBe(0);
});
