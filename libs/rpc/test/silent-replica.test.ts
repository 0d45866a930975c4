import { fork } from 'node:child_process';
import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import path from 'node:path';
import { registryService } from '@sluice/contracts/services';
import { systemClock } from '@sluice/service-kit/clock';
import { eventually } from '@sluice/testkit/eventually';
import { expect, it } from 'vitest';
import { createRpcClient } from '../src/client.ts';
import { Replicas } from '../src/replicas.ts';
import { cleanups } from './cleanups.ts';
import { failureOf, start } from './world.ts';

/** A port that takes connections and never says a word: a process that hangs. */
async function silentPort(): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => void sockets.add(socket.on('error', () => undefined)));
  const { promise, resolve } = Promise.withResolvers<undefined>();
  server.listen(0, '127.0.0.1', () => resolve(undefined));
  await promise;
  cleanups.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

const client = (addresses: readonly string[] | Replicas) => {
  const made = createRpcClient(registryService, addresses, { clock: systemClock });
  cleanups.push(() => made.close());
  return made;
};

it('a call that was not answered in its time sends the next one to another replica', async () => {
  const { port } = await start({ getModel: async ({ name }) => ({ model: { name } }) });
  const registry = client([`127.0.0.1:${await silentPort()}`, `127.0.0.1:${port}`]);
  expect(await failureOf(registry.getModel({}, { timeoutMs: 60 }))).toMatchObject({
    kind: 'deadline-exceeded',
    origin: 'local',
  });
  expect((await registry.getModel({ name: 'digits' }, { timeoutMs: 5_000 })).model?.name).toBe('digits');
});

it('a stream whose first answer does not come ends, and the next one goes to another replica', async () => {
  const { port } = await start({
    watchAliasMove: async function* () {
      yield { done: true };
    },
  });
  const registry = client([`127.0.0.1:${await silentPort()}`, `127.0.0.1:${port}`]);
  const read = async (firstAnswerMs: number): Promise<boolean> => {
    for await (const { done } of registry.watchAliasMove({}, { firstAnswerMs })) return done;
    throw new Error('the stream ended');
  };
  expect(await failureOf(read(60))).toMatchObject({
    kind: 'unavailable',
    origin: 'lost',
    message: expect.stringMatching(/does not answer/) as string,
  });
  expect(await read(5_000)).toBe(true);
});

it('a stream that stands ends when another client finds its replica silent', async () => {
  const child = fork(path.join(import.meta.dirname, 'server-process.ts'), {
    execArgv: ['--conditions=@sluice/source'],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  cleanups.push(() => child.kill('SIGKILL'));
  let port = 0;
  child.on('message', (message: { port?: number }) => (port = message.port ?? port));
  await eventually(() => expect(port).toBeGreaterThan(0));
  const other = await start({ getModel: async ({ name }) => ({ model: { name } }) });
  const replicas = new Replicas([`127.0.0.1:${port}`, `127.0.0.1:${other.port}`]);
  const [watches, calls] = [client(replicas), client(replicas)];
  const watching = watches.watchAliasMove({});
  expect((await watching.next()).value).toMatchObject({ done: false });
  child.kill('SIGSTOP');
  const broken = failureOf(watching.next());
  expect((await failureOf(calls.getModel({}, { timeoutMs: 60 }))).kind).toBe('deadline-exceeded');
  expect(await broken).toMatchObject({
    kind: 'unavailable',
    origin: 'lost',
    message: expect.stringMatching(/does not answer/) as string,
  });
  expect((await watches.getModel({ name: 'digits' })).model?.name).toBe('digits');
});

it('the only address is used on, however silent it is', async () => {
  const { promise: asked, resolve: goOn } = Promise.withResolvers<undefined>();
  const { port } = await start({
    getModel: () => new Promise(() => undefined),
    watchAliasMove: async function* () {
      yield { done: false };
      await asked;
      yield { done: true };
    },
  });
  const registry = client([`127.0.0.1:${port}`]);
  const watching = registry.watchAliasMove({}, { firstAnswerMs: 1 });
  expect((await watching.next()).value).toMatchObject({ done: false });
  expect((await failureOf(registry.getModel({}, { timeoutMs: 30 }))).kind).toBe('deadline-exceeded');
  goOn(undefined);
  expect((await watching.next()).value).toMatchObject({ done: true });
});

it('a stream that had an answer and meets its own deadline says nothing of its replica', async () => {
  const { port } = await start({
    watchAliasMove: async function* () {
      yield { done: false };
      await new Promise(() => undefined);
    },
    getModel: async ({ name }) => ({ model: { name } }),
  });
  const replicas = new Replicas([`127.0.0.1:${port}`, `127.0.0.1:${await silentPort()}`]);
  const [watches, others] = [client(replicas), client(replicas)];
  const standing = others.watchAliasMove({});
  expect((await standing.next()).value).toMatchObject({ done: false });
  let ended = false;
  const next = standing.next().finally(() => (ended = true));
  next.catch(() => undefined);
  const bounded = watches.watchAliasMove({}, { timeoutMs: 2_000 });
  expect((await bounded.next()).value).toMatchObject({ done: false });
  expect((await failureOf(bounded.next())).kind).toBe('deadline-exceeded');
  expect((await others.getModel({ name: 'here' })).model?.name).toBe('here');
  expect([ended, replicas.address]).toEqual([false, `127.0.0.1:${port}`]);
});
