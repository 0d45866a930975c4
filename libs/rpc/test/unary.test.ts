import { SluiceError, errorKinds } from '@sluice/domain/errors';
import { eventually } from '@sluice/testkit/eventually';
import { describe, expect, it } from 'vitest';
import type { CallContext } from '../src/handlers.ts';
import type { RawOutcome } from '../src/raw-client.ts';
import { failureOf, rawClientOf, start } from './world.ts';

describe('unary handlers', () => {
  it.each(errorKinds)('send a thrown %s as its status', async (kind) => {
    const { registry } = await start({
      getModel: async () => {
        throw new SluiceError(kind, `about ${kind}`);
      },
    });
    const error = await failureOf(registry.getModel({ name: 'm' }));
    expect([error.kind, error.message, error.origin]).toEqual([kind, `about ${kind}`, 'answered']);
  });

  it('answer INTERNAL for an unknown error, thrown at once or later, and log the cause once with method and peer', async () => {
    const { registry, logged, metrics } = await start({
      getModel: () => {
        throw new TypeError('hunter2 at once');
      },
      listModels: async () => {
        await Promise.resolve();
        throw new TypeError('hunter2 later');
      },
    });
    for (const call of [registry.getModel({}), registry.listModels({})]) {
      const error = await failureOf(call);
      expect([error.kind, error.message]).toEqual(['internal', 'internal error']);
    }
    const lines = logged().filter((line) => line['severity'] === 'error');
    expect(lines.map((line) => (line['err'] as { message: string }).message)).toEqual([
      'hunter2 at once',
      'hunter2 later',
    ]);
    expect(lines[0]).toMatchObject({
      method: 'sluice.registry.v1.RegistryService/GetModel',
      peer: expect.stringMatching(/^127\.0\.0\.1:\d+$/) as string,
    });
    expect(metrics.method('sluice.registry.v1.RegistryService/GetModel').count(13)).toBe(1);
  });

  it.each([
    ['white space at its end', 'queue full \t\n ', 'queue full'],
    ['percent signs, quotes and lines', '100% of "ä"\nnext: %41', '100% of "ä"\nnext: %41'],
    ['characters beyond the first plane', 'model 😀', 'model 😀'],
    ['half a character', 'a\uD800b', 'a\uFFFDb'],
    ['more than trailers hold', 'ß'.repeat(30_000), `${'ß'.repeat(666)}...`],
  ])('carry a message with %s', async (_name, message, expected) => {
    const { registry } = await start({
      getModel: async () => {
        throw new SluiceError('not-found', message);
      },
    });
    expect((await failureOf(registry.getModel({}))).message).toBe(expected);
  });

  it('answer INTERNAL for a value that does not fit the message', async () => {
    const { registry } = await start({ getModel: async () => [] as never });
    expect((await failureOf(registry.getModel({}))).message).toBe('internal error');
  });

  it('get actor, metadata, peer and deadline, and set trailers', async () => {
    let seen: CallContext | undefined;
    const { registry } = await start({
      getModel: async (_request, ctx) => {
        seen = ctx;
        ctx.setTrailer('sluice-prediction-id', 'p-1');
        return {};
      },
    });
    let trailers: Readonly<Record<string, string>> = {};
    const deadlineMs = Date.now() + 5_000;
    const options = { deadlineMs, actor: 'Åsa Öberg', metadata: { 'sluice-caller': 'test' } };
    await registry.getModel({}, { ...options, onTrailers: (received) => (trailers = received) });
    expect(seen).toMatchObject({ method: 'sluice.registry.v1.RegistryService/GetModel', actor: 'Åsa Öberg' });
    expect(seen!.metadata('sluice-caller')).toBe('test');
    expect(seen!.metadata('absent')).toBeUndefined();
    expect(Math.abs(seen!.deadlineMs! - deadlineMs)).toBeLessThan(500);
    expect(trailers['sluice-prediction-id']).toBe('p-1');
    await registry.getModel({});
    expect(seen!.actor).toBe('anonymous');
    const error = await failureOf(registry.getModel({}, { actor: 'x'.repeat(257) }));
    expect(error.message).toBe('metadata sluice-actor has 257 bytes, at most 256 are allowed');
  });

  it('see their caller go: the signal aborts', async () => {
    const aborted = Promise.withResolvers<string>();
    const started = Promise.withResolvers<undefined>();
    const { registry, server, metrics } = await start({
      getModel: (_request, ctx) =>
        new Promise(() => {
          ctx.signal.addEventListener('abort', () => aborted.resolve((ctx.signal.reason as SluiceError).kind));
          started.resolve(undefined);
        }),
    });
    const controller = new AbortController();
    const call = failureOf(registry.getModel({}, { signal: controller.signal }));
    await started.promise;
    expect(server.busy()).toEqual([expect.stringMatching(/^sluice\.registry\.v1\.RegistryService\/GetModel from 127/)]);
    controller.abort();
    expect([(await call).kind, (await call).origin]).toEqual(['cancelled', 'local']);
    expect(await aborted.promise).toBe('cancelled');
    expect(server.inFlight).toBe(0);
    expect(metrics.method('sluice.registry.v1.RegistryService/GetModel').count(1)).toBe(1);
    expect((await failureOf(registry.getModel({}, { signal: controller.signal }))).message).toMatch(
      /before it was sent/,
    );
  });

  it("end at the caller's deadline, and at the server's when the caller has none", async () => {
    const signals: AbortSignal[] = [];
    const { registry, metrics } = await start(
      {
        getModel: (_request, ctx) =>
          new Promise(() => {
            signals.push(ctx.signal);
          }),
      },
      { defaultDeadlineMs: 300 },
    );
    const own = await failureOf(registry.getModel({}, { timeoutMs: 1_000 }));
    expect([own.kind, own.origin]).toEqual(['deadline-exceeded', 'local']);
    const unlimited = { deadlineMs: Number.POSITIVE_INFINITY };
    const error = await failureOf(registry.getModel({}, unlimited));
    expect([error.kind, error.origin]).toEqual(['deadline-exceeded', 'answered']);
    expect(error.message).toBe("not answered within the server's default deadline of 300 ms");
    await eventually(() => expect(signals.map((signal) => signal.aborted)).toEqual([true, true]));
    expect(metrics.method('sluice.registry.v1.RegistryService/GetModel').count(4)).toBe(2);
  });

  it('refuse bytes that are no protobuf message, or text that is not UTF-8, with INVALID_ARGUMENT', async () => {
    const { port } = await start({ getModel: async () => ({}) });
    const client = rawClientOf(port);
    const send = (bytes: number[]): Promise<RawOutcome> =>
      new Promise((resolve) => {
        const method = '/sluice.registry.v1.RegistryService/GetModel';
        client.call(method, Uint8Array.from(bytes), { deadlineMs: Date.now() + 5_000 }, resolve);
      });
    for (const garbage of [[0xff, 0xff, 0xff], [0x0a, 0x7f, 0x41], [0x0f]]) {
      const { error } = await send(garbage);
      expect(error?.kind).toBe('invalid-argument');
      expect(error?.message).toMatch(/^the bytes are no GetModelRequest message: /);
    }
    expect((await send([0x0a, 0x02, 0xc3, 0x28])).error?.message).toMatch(/: name is not valid UTF-8$/);
    expect((await send([0x0a, 0x03, 0xef, 0xbf, 0xbd])).error).toBeUndefined();
    expect((await send([])).error).toBeUndefined();
  });

  it('have bounds on messages, both ways, at exactly the limit', async () => {
    const { registry } = await start(
      {
        getModel: async ({ name }) => ({ model: { name: 'x'.repeat(Number(name) || 0) } }),
        listModels: async () => ({}),
      },
      { maxMessageBytes: 1024 },
    );
    // 1 byte tag and 2 of length around the text, twice: once for the model, once for its name.
    expect((await registry.getModel({ name: '1018' })).model?.name).toHaveLength(1018);
    const large = await failureOf(registry.getModel({ name: '1019' }));
    expect([large.kind, large.message]).toEqual([
      'resource-exhausted',
      'the answer has 1025 bytes, more than the limit of 1024',
    ]);
    await registry.listModels({ pageToken: 'x'.repeat(1021) });
    const request = await failureOf(registry.listModels({ pageToken: 'x'.repeat(1022) }));
    expect(request.kind).toBe('resource-exhausted');
    expect(request.message).toMatch(/1025.*1024/);
  });

  it('answer UNIMPLEMENTED where a service says so, and for methods that nobody has', async () => {
    const { registry, port } = await start({});
    expect((await failureOf(registry.rollback({}))).message).toBe('not in this test');
    const client = rawClientOf(port);
    const outcome = await new Promise<RawOutcome>((resolve) =>
      client.call('/no.Such/Method', new Uint8Array(), { deadlineMs: Date.now() + 5_000 }, resolve),
    );
    expect(outcome.error?.kind).toBe('unimplemented');
  });
});
