import { service as healthDefinition } from 'grpc-health-check';
import { registryService } from '@sluice/contracts/services';
import type { Method, Service } from '@sluice/contracts/services';
import { SluiceError } from '@sluice/domain/errors';
import { systemClock } from '@sluice/service-kit/clock';
import { createLogger } from '@sluice/service-kit/logger';
import { createMetrics } from '@sluice/telemetry/metrics';
import { eventually } from '@sluice/testkit/eventually';
import { describe, expect, it } from 'vitest';
import { createRpcClient } from '../src/client.ts';
import { raw, watch } from '../src/handlers.ts';
import type { RawOutcome } from '../src/raw-client.ts';
import { RpcServer } from '../src/server.ts';
import type { RpcServerOptions } from '../src/server.ts';
import { cleanups } from './cleanups.ts';
import { failureOf, path, rawClientOf, start } from './world.ts';

describe('raw methods', () => {
  async function rawWorld(handler: Parameters<typeof raw>[0], options: Partial<RpcServerOptions> = {}) {
    const world = await start({}, options, { modelInfer: raw(handler) });
    const client = rawClientOf(world.port);
    const send = (bytes: Uint8Array, deadlineMs = Date.now() + 5_000): Promise<RawOutcome> =>
      new Promise((resolve) => client.call(path, bytes, { deadlineMs, metadata: { 'sluice-unit': 'u1' } }, resolve));
    return { ...world, client, send };
  }

  it('get the bytes as they came and send bytes back, with metadata and trailers', async () => {
    const { send } = await rawWorld((request, call) => {
      call.setTrailer('sluice-prediction-id', call.metadata('sluice-unit') ?? '');
      call.respond(request.subarray(1));
      call.respond(Buffer.from('ignored'));
      call.fail(new Error('ignored'));
    });
    const bytes = Uint8Array.from({ length: 100_000 }, (_, index) => index % 251);
    const outcome = await send(bytes);
    expect(outcome.message?.equals(bytes.subarray(1))).toBe(true);
    expect(outcome.trailer('sluice-prediction-id')).toBe('u1');
    expect([outcome.error, outcome.messageArrived]).toEqual([undefined, true]);
  });

  it('carry trailers with failures, and turn what they throw into an answer', async () => {
    const { send, logged } = await rawWorld((request, call) => {
      call.setTrailer('sluice-prediction-id', 'p9');
      if (request.length === 0) throw new RangeError('hunter2');
      call.fail(new SluiceError('resource-exhausted', 'queue full', { retryAfterMs: 50 }));
    });
    const full = await send(Uint8Array.of(1));
    expect(full.error).toMatchObject({ kind: 'resource-exhausted', retryAfterMs: 50, origin: 'answered' });
    expect(full.trailer('sluice-prediction-id')).toBe('p9');
    const broken = await send(Uint8Array.of());
    expect(broken.error).toMatchObject({ kind: 'internal', message: 'internal error' });
    expect(broken.trailer('sluice-prediction-id')).toBe('p9');
    expect(logged().filter((line) => line['severity'] === 'error')).toHaveLength(1);
  });

  it('that fail at the rate of requests are logged once, each subject on its own', async () => {
    const { send, logged } = await rawWorld((request, call) => {
      call.fail(new SluiceError('internal', 'it failed', { cause: new Error('as it said') }), `m@${request[0]}`);
    });
    for (let index = 0; index < 20; index++) await send(Uint8Array.of(index % 2));
    const lines = logged().filter((line) => line['msg'] === 'a handler failed');
    expect(lines.map((line) => line['about'])).toEqual(['m@0', 'm@1']);
  });

  it('take requests and give answers up to limits of their own', async () => {
    const limits = { maxMessageBytes: 1_000, maxRequestBytes: 1_100, maxAnswerBytes: 1_200 };
    const { send } = await rawWorld((request, call) => call.respond(Buffer.alloc(request.readUInt16BE())), limits);
    const outcome = async (bytes: number, answer: number): Promise<string | undefined> => {
      const request = Buffer.alloc(bytes);
      request.writeUInt16BE(answer);
      return (await send(request)).error?.message;
    };
    expect(await outcome(1_100, 1_200)).toBeUndefined();
    expect(await outcome(1_101, 0)).toMatch(/1101 bytes, more than the limit of 1100/);
    expect(await outcome(2, 1_201)).toMatch(/1201 bytes, more than the limit of 1200/);
  });

  it('give answers that a proxy made a little larger than the limit to clients with the same limit', async () => {
    const { port } = await start({}, {}, { modelInfer: raw((_request, call) => call.respond(Buffer.alloc(1_256))) });
    const client = rawClientOf(port, { maxMessageBytes: 1_000 });
    const outcome = await new Promise<RawOutcome>((resolve) => {
      client.call(path, Buffer.alloc(1), { deadlineMs: Date.now() + 5_000 }, resolve);
    });
    expect(outcome.message).toHaveLength(1_256);
  });

  it('are told once of a caller that went, also when they ask late', async () => {
    const told: string[] = [];
    const late = Promise.withResolvers<undefined>();
    const { client } = await rawWorld((_request, call) => {
      call.onCancel(() => {
        told.push('first');
        call.onCancel(() => told.push('late'));
        call.respond(Buffer.alloc(1));
        late.resolve(undefined);
      });
      cancelled.cancel();
    });
    const outcome = Promise.withResolvers<RawOutcome>();
    const cancelled = client.call(path, Buffer.alloc(1), { deadlineMs: Date.now() + 5_000 }, outcome.resolve);
    expect((await outcome.promise).error).toMatchObject({ kind: 'cancelled', origin: 'local' });
    await late.promise;
    expect(told).toEqual(['first', 'late']);
  });

  it('expire at the default deadline, in order, with one timer', async () => {
    const cancelled: string[] = [];
    const { send } = await rawWorld((request, call) => call.onCancel(() => void cancelled.push(request.toString())), {
      defaultDeadlineMs: 300,
    });
    const outcomes = await Promise.all(['a', 'b'].map((text) => send(Buffer.from(text), Infinity)));
    expect(outcomes.map((outcome) => outcome.error?.kind)).toEqual(['deadline-exceeded', 'deadline-exceeded']);
    expect(cancelled).toEqual(['a', 'b']);
  });

  it('tell a peer that never was from one that broke off', async () => {
    const { server, client, send, port } = await rawWorld(() => void server.tryShutdown(0));
    const nobody = rawClientOf(1);
    const unsent = await new Promise<RawOutcome>((resolve) =>
      nobody.call(path, Buffer.alloc(1), { deadlineMs: Date.now() + 5_000 }, resolve),
    );
    expect(unsent.error).toMatchObject({ kind: 'unavailable', origin: 'unsent' });
    expect(unsent.error?.message).toMatch(/^127\.0\.0\.1:1 cannot be reached: /);
    const ended = await send(Buffer.alloc(1));
    expect(ended.error).toMatchObject({ kind: 'unavailable', message: 'the server is stopping', origin: 'answered' });
    expect(client.address).toBe(`127.0.0.1:${port}`);
  });
});

describe('stopping', () => {
  it('lets calls in flight finish, refuses new ones, and ends watches at once', async () => {
    const hold = Promise.withResolvers<undefined>();
    const { server, registry } = await start({
      getModel: async () => {
        await hold.promise;
        return { model: { name: 'done' } };
      },
      watchAliasMove: watch(async function* (_request, ctx) {
        yield { done: false };
        await new Promise((resolve) => ctx.signal.addEventListener('abort', resolve));
      }),
    });
    const watching = registry.watchAliasMove({});
    await watching.next();
    const slow = registry.getModel({});
    await eventually(() => expect(server.inFlight).toBe(2));
    const stopped = server.tryShutdown(10_000);
    const ended = await failureOf(watching.next());
    expect([ended.kind, ended.message]).toEqual(['unavailable', 'the server is stopping']);
    expect((await failureOf(registry.listModels({}))).kind).toBe('unavailable');
    expect(server.busy()).toEqual([expect.stringMatching(/GetModel/)]);
    hold.resolve(undefined);
    expect((await slow).model?.name).toBe('done');
    expect(await stopped).toEqual([]);
  });

  it('tells who watches its health before it ends the watch', async () => {
    const { server, port } = await start({});
    server.addHealth();
    server.health.setAll(true);
    type Watch = Method<'serverStream', [{ service: string }, unknown], [unknown, { status: string }]>;
    const health: Service<{ watch: Watch }> = { name: 'grpc.health.v1.Health', definition: healthDefinition };
    const client = createRpcClient(health, `127.0.0.1:${port}`, { clock: systemClock });
    cleanups.push(() => client.close());
    const watching = client.watch({ service: registryService.name });
    expect((await watching.next()).value).toEqual({ status: 'SERVING' });
    const stopped = server.tryShutdown(5_000);
    expect((await watching.next()).value).toEqual({ status: 'NOT_SERVING' });
    expect((await failureOf(watching.next())).message).toBe('the server is stopping');
    expect(await stopped).toEqual([]);
  });

  it('ends what is left when the budget is spent, and names it', async () => {
    const { server, registry } = await start({ getModel: () => new Promise(() => undefined) });
    const slow = failureOf(registry.getModel({}));
    await eventually(() => expect(server.inFlight).toBe(1));
    const unfinished = await server.tryShutdown(50);
    expect(unfinished).toEqual([
      expect.stringMatching(/^sluice\.registry\.v1\.RegistryService\/GetModel from .* for \d+ ms$/),
    ]);
    expect([(await slow).kind, (await slow).message]).toEqual(['unavailable', 'the server is stopping']);
    expect(server.inFlight).toBe(0);
  });

  it('says so when a port is taken', async () => {
    const { port } = await start({});
    const metrics = createMetrics({ service: 't', instanceId: 't2', processMetrics: false });
    const logger = createLogger({ service: 't', instance: 't2', level: 'silent' });
    const second = new RpcServer({ logger, metrics, clock: systemClock });
    await expect(second.bind('127.0.0.1', port)).rejects.toThrow(`port ${port} of 127.0.0.1 is taken`);
  });
});

describe('clients with several addresses', () => {
  it('use one that answers, and go elsewhere when it dies', async () => {
    const first = await start({ getModel: async () => ({ model: { name: 'first' } }) });
    const second = await start({ getModel: async () => ({ model: { name: 'second' } }) });
    const addresses = ['127.0.0.1:1', `127.0.0.1:${first.port}`, `127.0.0.1:${second.port}`];
    const client = createRpcClient(registryService, addresses, { clock: systemClock });
    cleanups.push(() => client.close());
    expect((await client.getModel({})).model?.name).toBe('first');
    await first.server.tryShutdown(0);
    await eventually(async () => expect((await client.getModel({})).model?.name).toBe('second'));
  });
});
