import { fork } from 'node:child_process';
import path from 'node:path';
import { Client, credentials } from '@grpc/grpc-js';
import type { ServiceError } from '@grpc/grpc-js';
import { inferenceService, runtimeService } from '@sluice/contracts/services';
import { SluiceError } from '@sluice/domain/errors';
import { systemClock } from '@sluice/service-kit/clock';
import { createLogger } from '@sluice/service-kit/logger';
import { createMetrics } from '@sluice/telemetry/metrics';
import { eventually } from '@sluice/testkit/eventually';
import { describe, expect, it } from 'vitest';
import { raw, unimplemented } from '../src/handlers.ts';
import type { Handlers, RawUnaryHandler } from '../src/handlers.ts';
import { createLinkClient } from '../src/link/client.ts';
import type { LinkClient, LinkClientOptions } from '../src/link/client.ts';
import { linkHandler } from '../src/link/link-handler.ts';
import type { RawCallOptions, RawClientCall, RawOutcome } from '../src/raw-client.ts';
import { createRpcServer } from '../src/server.ts';
import { transportName } from '@sluice/testkit/transport';
import type { RpcServerOptions } from '../src/server.ts';
import { cleanups } from './cleanups.ts';
import { path as inferPath } from './world.ts';

const method = inferPath.slice(1);
const linkPath = '/sluice.runtime.v1.RuntimeService/Link';

function recorder() {
  const lines: Record<string, unknown>[] = [];
  const write = (line: string): void => void lines.push(JSON.parse(line) as Record<string, unknown>);
  return { lines, logger: createLogger({ service: 't', instance: 't1', stream: { write } }) };
}

/** @param mounted false for a server of before the link */
async function serve(handler: RawUnaryHandler, options: Partial<RpcServerOptions> = {}, mounted = true) {
  const { lines, logger } = recorder();
  const metrics = createMetrics({ service: 't', instanceId: 't1', processMetrics: false });
  const server = createRpcServer({ logger, metrics, clock: systemClock, transport: transportName(), ...options });
  const names = Object.values(inferenceService.definition).map((each) => each.originalName!);
  const others = Object.fromEntries(names.map((name) => [name, unimplemented('not here')])) as unknown;
  const infer = raw(handler, () => ({ 'sluice-prediction-id': 'refused' }));
  type Inference = Handlers<NonNullable<typeof inferenceService.methods>>;
  server.addService(inferenceService, { ...(others as Inference), modelInfer: infer });
  const link = mounted ? linkHandler({ [method]: infer }) : unimplemented('no link here');
  server.addService(runtimeService, {
    watchStatus: unimplemented('not here'),
    locateSequence: unimplemented('not here'),
    loadVersion: unimplemented('not here'),
    link,
  });
  const port = await server.bind('127.0.0.1', 0);
  cleanups.push(() => server.tryShutdown(0));
  return { server, metrics, lines, port };
}

function connect(port: number, options: Partial<LinkClientOptions> = {}) {
  const { lines, logger } = recorder();
  const address = `127.0.0.1:${port}`;
  const client = createLinkClient({
    address,
    clock: systemClock,
    random: { uniform: Math.random },
    logger,
    transport: transportName(),
    ...options,
  });
  cleanups.push(() => client.close());
  return { client, lines };
}

function send(client: LinkClient, message: Uint8Array, options: Partial<RawCallOptions> = {}) {
  const { promise, resolve } = Promise.withResolvers<RawOutcome>();
  const call = client.call(inferPath, message, { deadlineMs: Date.now() + 20_000, ...options }, resolve);
  return Object.assign(promise, { call: call satisfies RawClientCall });
}

describe('over gRPC', () => {
  it('calls of all sizes come back whole, and are counted as calls of their method', async () => {
    const { port, metrics } = await serve((message, call) => {
      call.setTrailer('sluice-prediction-id', call.metadata('traceparent') ?? 'none');
      call.respond(message);
    });
    const { client } = connect(port);
    const sizes = [0, 1, 292, 10_000, 131_072, 131_073, 1_000_000, 20_000_000, 64 * 1024 * 1024];
    const messages = sizes.map((size, seed) => Buffer.alloc(size, Buffer.from(`${seed}, and so on`)));
    const outcomes = messages.map((message) => send(client, message, { metadata: { traceparent: '00-1' } }));
    for (const [index, outcome] of (await Promise.all(outcomes)).entries()) {
      expect(outcome.error).toBeUndefined();
      expect(outcome.message!.equals(messages[index]!)).toBe(true);
      expect(outcome.trailer('sluice-prediction-id')).toBe('00-1');
    }
    expect(metrics.method(method).count(0)).toBe(sizes.length);
    expect(metrics.method(linkPath.slice(1)).inFlight).toBe(1);
  });

  it('facts come with answers and failures', async () => {
    const { port } = await serve((message, call) => {
      call.setFacts?.(Buffer.concat([message, Buffer.of(7)]));
      if (message[0] === 1) call.respond(message);
      else throw new SluiceError('not-found', 'no such model');
    });
    const { client } = connect(port);
    const [answered, failed] = await Promise.all([send(client, Buffer.of(1)), send(client, Buffer.of(2))]);
    expect([answered.error, answered.facts]).toEqual([undefined, Buffer.of(1, 7)]);
    expect([failed.error?.kind, failed.facts]).toEqual(['not-found', Buffer.of(2, 7)]);
  });

  it('a small request overtakes a 32 MiB one', async () => {
    const order: number[] = [];
    const { port } = await serve((message, call) => {
      order.push(message.length);
      call.respond(message.subarray(0, 10));
    });
    const { client } = connect(port);
    await send(client, Buffer.alloc(1));
    const large = send(client, Buffer.alloc(32 * 1024 * 1024));
    const small = send(client, Buffer.alloc(100));
    expect((await small).message).toHaveLength(10);
    expect((await large).message).toHaveLength(10);
    expect(order).toEqual([1, 100, 32 * 1024 * 1024]);
  });

  it('deadlines and cancellations reach the handler', async () => {
    const reasons: string[] = [];
    let begun = 0;
    const { port } = await serve((_message, call) => {
      begun++;
      call.onCancel(({ kind }) => reasons.push(kind));
    });
    const { client } = connect(port);
    const late = send(client, Buffer.alloc(1), { deadlineMs: Date.now() + 1_000 });
    const given = send(client, Buffer.alloc(1));
    expect((await late).error).toMatchObject({ kind: 'deadline-exceeded', origin: 'local' });
    await eventually(() => expect(begun).toBe(2));
    given.call.cancel();
    expect((await given).error).toMatchObject({ kind: 'cancelled', origin: 'local' });
    await eventually(() => expect(reasons).toEqual(['deadline-exceeded', 'cancelled']));
  });

  it('a request over the limit says so, with the trailers that every answer has', async () => {
    const limit = 2 * 1024 * 1024;
    const { port } = await serve((message, call) => call.respond(message), { maxMessageBytes: limit });
    const { client } = connect(port);
    const outcome = await send(client, Buffer.alloc(limit + 1));
    expect(outcome.error).toMatchObject({ kind: 'resource-exhausted', origin: 'answered' });
    expect(outcome.error?.message).toMatch(/more than the limit of 2097152; send less at once/);
    expect(outcome.trailer('sluice-prediction-id')).toBe('refused');
  });

  it('a peer of before the link is called one by one, without facts', async () => {
    const agents = new Set<string | undefined>();
    const answer: RawUnaryHandler = (message, call) => {
      agents.add(call.metadata('user-agent'));
      expect(call.takesFacts ?? false).toBe(false);
      call.setFacts?.(message);
      call.respond(message);
    };
    const { port } = await serve(answer, {}, false);
    const { client, lines } = connect(port);
    const outcomes = await Promise.all(['a', 'b'].map((text) => send(client, Buffer.from(text))));
    expect(outcomes.map(({ message }) => message?.toString())).toEqual(['a', 'b']);
    expect(outcomes.map(({ facts }) => facts)).toEqual([undefined, undefined]);
    expect(lines).toMatchObject([{ msg: 'there is no link to it: calls go one by one', reason: 'no link here' }]);
    // On the stack of the link: grpc-js says who it is, wire does not.
    expect([...agents]).toEqual([
      transportName() === 'wire' ? undefined : (expect.stringMatching(/^grpc-node-js/) as unknown),
    ]);
  });
});

describe('a server that stops', () => {
  it('finishes what came over the link, and ends when its client has left', async () => {
    const held: (() => void)[] = [];
    const { server, port } = await serve((message, call) => held.push(() => call.respond(message)));
    const { client } = connect(port);
    const outcome = send(client, Buffer.from('held'));
    await eventually(() => expect(held).toHaveLength(1));
    expect(server.busy()).toEqual([expect.stringMatching(new RegExp(`^${method} from 127.0.0.1:`))]);
    const stopped = server.tryShutdown(10_000);
    await eventually(() => expect(client.isConnected()).toBe(false));
    expect((await send(client, Buffer.of(1))).error?.origin).toBe('unsent');
    held[0]!();
    expect((await outcome).message?.toString()).toBe('held');
    expect(await stopped).toEqual([]);
  });

  it('with no time left answers UNAVAILABLE and names what it ended', async () => {
    let seen = 0;
    const { server, port } = await serve(() => {
      seen++;
    });
    const { client } = connect(port);
    const outcomes = Array.from({ length: 50 }, () => send(client, Buffer.of(1)));
    await eventually(() => expect(seen).toBe(50));
    const unfinished = await server.tryShutdown(50);
    expect(unfinished).toHaveLength(21);
    for (const { error } of await Promise.all(outcomes))
      expect(error).toMatchObject({ kind: 'unavailable', origin: 'answered', message: 'the server is stopping' });
  });

  it('with an idle link stops at once', async () => {
    const { server, port } = await serve((message, call) => call.respond(message));
    const { client } = connect(port);
    await send(client, Buffer.of(1));
    const started = performance.now();
    expect(await server.tryShutdown(10_000)).toEqual([]);
    expect(performance.now() - started).toBeLessThan(5_000);
  });
});

describe('a process', () => {
  async function startProcess() {
    const child = fork(path.join(import.meta.dirname, 'link-process.ts'), {
      execArgv: ['--conditions=@sluice/source'],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    cleanups.push(() => child.kill('SIGKILL'));
    const seen = { port: 0, requests: 0 };
    child.on('message', (message: { port?: number }) => {
      if (message.port === undefined) seen.requests++;
      else seen.port = message.port;
    });
    await eventually(() => expect(seen.port).toBeGreaterThan(0));
    return { child, seen };
  }

  it('that is killed loses what it had; later requests are unsent', async () => {
    const { child, seen } = await startProcess();
    const { client, lines } = connect(seen.port);
    const inFlight = Array.from({ length: 100 }, () => send(client, Buffer.alloc(1_000)));
    await eventually(() => expect(seen.requests).toBe(100));
    child.kill('SIGKILL');
    for (const { error, messageArrived } of await Promise.all(inFlight)) {
      expect([error?.kind, error?.origin, messageArrived]).toEqual(['unavailable', 'lost', false]);
      expect(error?.message).toContain(`the connection to 127.0.0.1:${seen.port} broke`);
    }
    await eventually(async () => expect((await send(client, Buffer.of(1))).error?.origin).toBe('unsent'));
    expect(lines).toContainEqual(expect.objectContaining({ msg: 'a link broke', inFlight: 100 }));
  });

  it('that stands still is known within a second', async () => {
    const { child, seen } = await startProcess();
    const { client } = connect(seen.port);
    const outcome = send(client, Buffer.of(1));
    await eventually(() => expect(seen.requests).toBe(1));
    child.kill('SIGSTOP');
    const stopped = performance.now();
    expect((await outcome).error).toMatchObject({ kind: 'unavailable', origin: 'lost' });
    // Four seconds more for a busy machine.
    expect(performance.now() - stopped).toBeLessThan(5_000);
    child.kill('SIGCONT');
    await eventually(async () => {
      const again = send(client, Buffer.of(1), { deadlineMs: Date.now() + 200 });
      expect((await again).error?.kind).toBe('deadline-exceeded');
    });
  });
});

describe('a caller that does not speak the protocol', () => {
  it.each([
    ['random bytes', [Buffer.from('hello')], /not the protocol of the link: a message that is not of the link/],
    ['requests before HELLO', [Buffer.from([10, 9, 7, 4, 0, 0, 0, 1, 2, 3, 4])], /does not begin with HELLO/],
  ])('%s: the stream ends with a reason, the log has a line, others go on', async (_what, messages, reason) => {
    const { port, lines } = await serve((message, call) => call.respond(message));
    const { client } = connect(port);
    await send(client, Buffer.of(1));
    const stranger = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
    cleanups.push(() => stranger.close());
    const identity = (bytes: Buffer): Buffer => bytes;
    const stream = stranger.makeBidiStreamRequest(linkPath, identity, identity);
    const error = await new Promise<ServiceError>((resolve) => {
      stream.on('error', (thrown) => resolve(thrown as ServiceError));
      stream.on('data', () => undefined);
      for (const message of messages) stream.write(message);
    });
    expect([error.code, error.details]).toEqual([3, expect.stringMatching(reason)]);
    expect(lines.filter(({ msg }) => msg === 'a link was closed')).toHaveLength(1);
    expect((await send(client, Buffer.from('fine'))).message?.toString()).toBe('fine');
  });
});
