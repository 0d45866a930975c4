import { eventually } from '@sluice/testkit/eventually';
import { afterEach, expect, it } from 'vitest';
import { valueOf } from '../src/http2/fields.ts';
import type { WireServerOptions } from '../src/server/wire-server.ts';
import { Attacker, Bystander, callHeaders, message } from './attacker.ts';
import { settings } from './frames.ts';
import { cleanUp, grpcJsClient, serve, unary } from './interop/echo.ts';
import type { Call, Send } from './interop/echo.ts';

afterEach(cleanUp);

const mebi = 1024 * 1024;
const noWindow = settings('0004 00000000');

/** Answers are as large as a caller asks for in the first octets of its request; without that they are the request. */
const large = {
  unary: (call: Call, send: Send): void =>
    send(null, call.request.length === 4 ? Buffer.alloc(call.request.readUInt32BE(0)) : call.request),
};
const ask = (octets: number): Buffer => {
  const request = Buffer.alloc(4);
  request.writeUInt32BE(octets);
  return request;
};

async function hoard(port: number, calls: number, octets: number): Promise<Attacker> {
  const attacker = await Attacker.connect(port);
  await attacker.write(noWindow);
  for (let at = 0; at < calls; at++)
    await attacker.write(callHeaders(2 * at + 1, 'Unary'), message(2 * at + 1, ask(octets), true));
  return attacker;
}

async function under(options: Partial<WireServerOptions>) {
  const served = await serve(options, large);
  const bystander = new Bystander(served.address);
  await eventually(() => expect(bystander.calls).toBeGreaterThan(1));
  const calls = bystander.calls;
  const end = async (): Promise<void> => {
    await eventually(() => expect(bystander.calls).toBeGreaterThan(calls + 5));
    await bystander.stop();
    expect(bystander.errors).toEqual([]);
  };
  return { ...served, end };
}

it('answers that nobody reads are bounded by the connection, and those beyond end with RESOURCE_EXHAUSTED', async () => {
  const { port, wire, failures, end } = await under({ limits: { maxWaiting: 16 * mebi, windowTimeoutMs: 5_000 } });
  const attacker = await hoard(port, 100, mebi);
  // Fifteen wait; of the others each has its head and its status in one.
  await eventually(() => expect(attacker.count('HEADERS')).toBe(100));
  expect(wire.waitingOctets).toBeLessThanOrEqual(16 * mebi);
  expect(wire.waitingOctets).toBeGreaterThan(14 * mebi);
  const statuses = attacker.fields().map((fields) => valueOf(fields, 'grpc-status'));
  expect(statuses.filter((status) => status === '8')).toHaveLength(85);
  await eventually(() => expect([attacker.count('RST_STREAM'), wire.waitingOctets]).toEqual([15, 0]));
  await end();
  expect([attacker.goaway(), failures]).toEqual([undefined, []]);
});

it('answers that nobody reads are bounded for all connections, and leave room for who reads', async () => {
  const { port, wire, address, failures, end } = await under({ maxWaiting: 64 * mebi });
  const attackers = await Promise.all(Array.from({ length: 3 }, () => hoard(port, 80, mebi)));
  await eventually(() => {
    for (const attacker of attackers) expect(attacker.count('HEADERS')).toBe(80);
  });
  expect(wire.waitingOctets).toBeLessThan(57 * mebi);
  const client = grpcJsClient(address);
  for (let count = 0; count < 3; count++) {
    const { value, error } = await unary(client, ask(4 * mebi));
    expect([value?.length, error]).toEqual([4 * mebi, undefined]);
  }
  await end();
  for (const attacker of attackers) attacker.stop();
  await eventually(() => expect([wire.connections, wire.waitingOctets]).toEqual([1, 0]));
  expect(failures).toHaveLength(3);
});

it('a stream of answers waits for its reader as before, and takes no more room than one message', async () => {
  const { port, wire, counts, end } = await under({ limits: { maxWaiting: 3 * mebi } });
  const attacker = await Attacker.connect(port);
  await attacker.write(noWindow);
  for (let at = 0; at < 10; at++)
    await attacker.write(
      callHeaders(2 * at + 1, 'Download', { 'x-count': '1000' }),
      message(2 * at + 1, Buffer.alloc(100_000), true),
    );
  await eventually(() => expect(counts.started).toBe(10));
  await eventually(() => expect(wire.waitingOctets).toBeGreaterThan(1_000_000));
  await end();
  expect(wire.waitingOctets).toBeLessThan(1_100_000);
  expect([counts.cancelled, attacker.count('RST_STREAM')]).toEqual([0, 0]);
});
