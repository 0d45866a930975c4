import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { largeAnswer } from '@sluice/testkit/large-answer';
import { toldHttp1 } from '@sluice/testkit/told-http1';
import { expect, it } from 'vitest';
import { wireModel, wireRoutes } from './routes.ts';
import { onEnd, temporaryFolder, testRegistry, testRouter, testRuntime, whenUp } from './world.ts';

/** Passes on what a router sends to a runtime, and keeps it. */
async function listenIn(address: string): Promise<{ readonly address: string; heard(): string }> {
  let heard = '';
  const port = Number(address.split(':')[1]);
  const server = createServer((socket: Socket) => {
    const behind = connect(port, '127.0.0.1');
    socket.on('data', (chunk: Buffer) => (heard += chunk.toString('latin1')));
    for (const [one, other] of [
      [socket, behind],
      [behind, socket],
    ] as const) {
      one.pipe(other);
      one.on('error', () => other.destroy());
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onEnd(() => server.close());
  return { address: `127.0.0.1:${(server.address() as AddressInfo).port}`, heard: () => heard };
}

it.each(['grpc-js', 'wire'])('port and links stand on %s when that is asked for', async (transport) => {
  const runtime = await testRuntime({ id: 'r1', loaded: [['digits', 3, true]] });
  const between = await listenIn(runtime.address);
  const digits = wireModel({ aliases: { champion: 3 }, release: 3, placed: [3] });
  const registry = await testRegistry(wireRoutes(7, [digits], { addresses: [between.address] }));
  const settings = { SLUICE_REGISTRY: registry.address, SLUICE_STATE_DIR: await temporaryFolder() };
  const compression = { SLUICE_ANSWER_COMPRESSION: 'gzip' };
  const router = await testRouter({ ...settings, ...compression, SLUICE_TRANSPORT: transport });
  await whenUp(router, 1);
  expect([(await router.infer()).outcome, runtime.links()]).toEqual(['ok', 1]);
  const onWire = transport === 'wire';
  expect((await toldHttp1(`127.0.0.1:${router.ports['port']!}`)).includes('this port speaks HTTP/2 (gRPC)')).toBe(
    onWire,
  );
  expect((await largeAnswer(`127.0.0.1:${router.ports['port']!}`))[0]).toBe(onWire ? 1 : 0);
  // Only ours writes names of paths in plain octets: grpc-js has them Huffman-coded.
  for (const method of ['Link', 'WatchStatus'])
    expect(between.heard().includes(`RuntimeService/${method}`)).toBe(onWire);
});
