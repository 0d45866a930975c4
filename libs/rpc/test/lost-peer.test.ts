import { fork } from 'node:child_process';
import { createServer } from 'node:http2';
import type { ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import type { ChildProcess } from 'node:child_process';
import path from 'node:path';
import { registryService } from '@sluice/contracts/services';
import { systemClock } from '@sluice/service-kit/clock';
import { eventually } from '@sluice/testkit/eventually';
import { afterEach, expect, it } from 'vitest';
import { createRpcClient } from '../src/client.ts';
import type { RawOutcome } from '../src/raw-client.ts';
import type { RpcError } from '../src/status.ts';
import { failureOf, rawClientOf } from './world.ts';

let child: ChildProcess | undefined;
afterEach(() => child?.kill('SIGKILL'));

/** A server in a process of its own that never answers GetModel and streams watches for ever. */
async function startServer(): Promise<{ port: number; requests: () => number }> {
  const forked = fork(path.join(import.meta.dirname, 'server-process.ts'), {
    execArgv: ['--conditions=@sluice/source'],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  child = forked;
  let [port, requests] = [0, 0];
  forked.on('message', (message: { port?: number }) => {
    if (message.port !== undefined) port = message.port;
    else requests++;
  });
  await eventually(() => expect(port).toBeGreaterThan(0));
  return { port, requests: () => requests };
}

it('a process that is killed: its requests are lost, later ones are never sent', async () => {
  const { port, requests } = await startServer();
  const address = `127.0.0.1:${port}`;
  const registry = createRpcClient(registryService, address, { clock: systemClock });
  const rawClient = rawClientOf(port);
  const method = '/sluice.registry.v1.RegistryService/GetModel';
  const send = (): Promise<RawOutcome> =>
    new Promise((resolve) => rawClient.call(method, new Uint8Array(), { deadlineMs: Date.now() + 20_000 }, resolve));
  const inFlight = [failureOf(registry.getModel({})), send().then((outcome) => outcome.error!)];
  const watching = registry.watchAliasMove({});
  await watching.next();
  await eventually(() => expect(requests()).toBe(2));
  child!.kill('SIGKILL');
  const lost = (error: RpcError): void => expect([error.kind, error.origin]).toEqual(['unavailable', 'lost']);
  for (const failure of await Promise.all(inFlight)) {
    lost(failure);
    expect(failure.message).toContain(address);
  }
  lost(await failureOf(watching.next()));
  await eventually(async () => {
    expect((await failureOf(registry.getModel({}))).origin).toBe('unsent');
    expect((await send()).error?.origin).toBe('unsent');
  });
  registry.close();
  rawClient.close();
});

const message = Buffer.from([0, 0, 0, 0, 2, 8, 1]);

it.each([
  { what: 'the headers of an answer', sent: Buffer.alloc(0), messageArrived: false },
  { what: 'a part of the message', sent: message.subarray(0, -1), messageArrived: false },
  { what: 'the message, without its status', sent: message, messageArrived: true },
])('a peer that is lost after $what has answered nothing yet', async ({ sent, messageArrived }) => {
  const server = createServer();
  server.on('stream', (stream: ServerHttp2Stream) => {
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
    if (sent.length > 0) stream.write(sent);
    stream.session!.ping(() => stream.session?.destroy());
  });
  const { promise, resolve } = Promise.withResolvers<undefined>();
  server.listen(0, '127.0.0.1', () => resolve(undefined));
  await promise;
  const client = rawClientOf((server.address() as AddressInfo).port);
  const outcome = await new Promise<RawOutcome>((done) =>
    client.call('/any/Method', new Uint8Array(), { deadlineMs: Date.now() + 20_000 }, done),
  );
  expect(outcome.message).toBeUndefined();
  expect([outcome.error?.kind, outcome.error?.origin, outcome.messageArrived]).toEqual([
    'unavailable',
    'lost',
    messageArrived,
  ]);
  client.close();
  server.close();
});
