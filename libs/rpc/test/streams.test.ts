import { createHash } from 'node:crypto';
import { inferenceService } from '@sluice/contracts/services';
import { systemClock } from '@sluice/service-kit/clock';
import { SluiceError } from '@sluice/domain/errors';
import { eventually } from '@sluice/testkit/eventually';
import { describe, expect, it } from 'vitest';
import { createRpcClient } from '../src/client.ts';
import { watch } from '../src/handlers.ts';
import { cleanups } from './cleanups.ts';
import { collect, failureOf, start } from './world.ts';

describe('server streams', () => {
  it('send every message and the trailers, at the pace of a slow reader', async () => {
    let made = 0;
    const { registry } = await start({
      downloadArtifact: async function* (_request, ctx) {
        ctx.setTrailer('sluice-note', 'whole');
        for (; made < 200; made++) yield { chunk: Buffer.alloc(100_000, made) };
      },
    });
    let note: string | undefined;
    const options = { onTrailers: (trailers: Readonly<Record<string, string>>) => (note = trailers['sluice-note']) };
    const stream = registry.downloadArtifact({}, options);
    const hash = createHash('sha256');
    await stream.next();
    await eventually(() => expect(made).toBeGreaterThan(10));
    expect(made).toBeLessThan(200);
    let count = 1;
    for await (const { chunk } of stream) {
      hash.update(chunk);
      count++;
    }
    expect(count).toBe(200);
    expect(note).toBe('whole');
  });

  it.each([
    ['a SluiceError', new SluiceError('data-loss', 'digest differs'), 'data-loss', 'digest differs'],
    ['anything else', new Error('hunter2'), 'internal', 'internal error'],
  ])('that throw %s in the middle deliver what came before, then the status', async (_name, thrown, kind, message) => {
    const { registry, server } = await start({
      downloadArtifact: async function* () {
        yield { chunk: Buffer.from('a') };
        yield { chunk: Buffer.from('b') };
        throw thrown;
      },
    });
    const received: unknown[] = [];
    const error = await failureOf(collect<unknown>(registry.downloadArtifact({}), received));
    expect(received).toHaveLength(2);
    expect([error.kind, error.message]).toEqual([kind, message]);
    expect(server.inFlight).toBe(0);
  });

  it('that throw before they are iterated answer too', async () => {
    const { registry } = await start({
      downloadArtifact: () => {
        throw new SluiceError('not-found', 'no artifact');
      },
    });
    expect((await failureOf(collect(registry.downloadArtifact({})))).message).toBe('no artifact');
  });

  it('are told when their reader stops: signal aborted, generator closed', async () => {
    const closed = Promise.withResolvers<undefined>();
    let signal: AbortSignal | undefined;
    const { registry, server } = await start({
      downloadArtifact: async function* (_request, ctx) {
        signal = ctx.signal;
        try {
          for (;;) {
            yield { chunk: Buffer.alloc(10) };
            await new Promise((resolve) => setImmediate(resolve));
          }
        } finally {
          closed.resolve(undefined);
        }
      },
    });
    for await (const message of registry.downloadArtifact({})) {
      expect(message.chunk).toHaveLength(10);
      break;
    }
    await closed.promise;
    expect(signal?.aborted).toBe(true);
    expect(server.inFlight).toBe(0);
  });

  it('outlive the default deadline', async () => {
    const { registry } = await start(
      {
        downloadArtifact: async function* () {
          const begun = Date.now();
          await eventually(() => expect(Date.now() - begun).toBeGreaterThan(400));
          yield { chunk: Buffer.from('late') };
        },
      },
      { defaultDeadlineMs: 100 },
    );
    expect(await collect(registry.downloadArtifact({}))).toHaveLength(1);
  });
});

describe('client streams', () => {
  const chunks = (count: number, onSent: () => void = () => undefined) =>
    (async function* () {
      for (let index = 0; index < count; index++) {
        onSent();
        yield { chunk: Buffer.alloc(50_000, index) };
      }
    })();

  it('take every message in order, at the pace of the handler', async () => {
    const hold = Promise.withResolvers<undefined>();
    let sent = 0;
    const { registry } = await start({
      uploadArtifact: async (requests) => {
        await hold.promise;
        let size = 0;
        for await (const { chunk } of requests) size += chunk?.length ?? 0;
        return { size };
      },
    });
    const call = registry.uploadArtifact(chunks(400, () => sent++));
    await eventually(() => expect(sent).toBeGreaterThan(10));
    expect(sent).toBeLessThan(400);
    hold.resolve(undefined);
    expect((await call).size).toBe('20000000');
    expect(sent).toBe(400);
  });

  it('may be answered early, and stop their sender', async () => {
    let sent = 0;
    const { registry } = await start({
      uploadArtifact: async (requests) => {
        for await (const message of requests) {
          expect(message.part).toBe('chunk');
          throw new SluiceError('resource-exhausted', 'the disk is full');
        }
        return {};
      },
    });
    const error = await failureOf(registry.uploadArtifact(chunks(100_000, () => sent++)));
    expect([error.kind, error.message]).toEqual(['resource-exhausted', 'the disk is full']);
    expect(sent).toBeLessThan(100_000);
  });

  it('refuse a malformed message, and report an error of the source as it is', async () => {
    const { registry, server } = await start({
      uploadArtifact: async (requests) => {
        await collect(requests);
        return {};
      },
    });
    const broken = (async function* () {
      yield { chunk: Buffer.from('a') };
      throw new Error('the file went away');
    })();
    await expect(registry.uploadArtifact(broken)).rejects.toThrow('the file went away');
    await eventually(() => expect(server.inFlight).toBe(0));
  });

  it('end their handler when the caller goes', async () => {
    const aborted = Promise.withResolvers<undefined>();
    const started = Promise.withResolvers<undefined>();
    const { registry } = await start({
      uploadArtifact: async (requests, ctx) => {
        ctx.signal.addEventListener('abort', () => aborted.resolve(undefined));
        started.resolve(undefined);
        await collect(requests);
        await aborted.promise;
        return {};
      },
    });
    const controller = new AbortController();
    const endless = (async function* () {
      yield { chunk: Buffer.from('a') };
      await new Promise(() => undefined);
    })();
    const call = failureOf(registry.uploadArtifact(endless, { signal: controller.signal }));
    await started.promise;
    controller.abort();
    expect((await call).kind).toBe('cancelled');
    await aborted.promise;
  });
});

describe('idle streams', () => {
  const never = async function* () {
    yield {};
    await new Promise(() => undefined);
  };

  it('end when their caller sends nothing', async () => {
    const { registry } = await start(
      {
        uploadArtifact: async (requests) => {
          await collect(requests);
          return {};
        },
      },
      { streamIdleMs: 200 },
    );
    const error = await failureOf(registry.uploadArtifact(never()));
    expect([error.kind, error.message]).toEqual([
      'deadline-exceeded',
      'the caller neither sent nor read anything for 200 ms',
    ]);
  });

  it('end when their caller reads nothing', async () => {
    const { registry, server, metrics } = await start(
      {
        downloadArtifact: async function* () {
          for (;;) yield { chunk: Buffer.alloc(1_000_000) };
        },
      },
      { streamIdleMs: 200 },
    );
    await registry.downloadArtifact({}).next();
    await eventually(() => expect(server.inFlight).toBe(0));
    expect(metrics.method('sluice.registry.v1.RegistryService/DownloadArtifact').count(4)).toBe(1);
  });

  it('go on while their handler is what takes long, or only watch', async () => {
    const slow = async function* (): AsyncGenerator<{ done: boolean }> {
      const begun = Date.now();
      await eventually(() => expect(Date.now() - begun).toBeGreaterThan(300));
      yield { done: true };
    };
    const { registry } = await start(
      { watchAliasMove: watch(slow), createVersion: () => slow() as never },
      { streamIdleMs: 100 },
    );
    expect(await collect(registry.watchAliasMove({}))).toHaveLength(1);
    expect(await collect(registry.createVersion({}))).toHaveLength(1);
  });
});

describe('bidirectional streams', () => {
  it('answer while they are asked, and fail in the middle with their status', async () => {
    const { port } = await start(
      {},
      {},
      {
        modelStreamInfer: async function* (requests) {
          for await (const { id } of requests) {
            if (id === 'bad') throw new SluiceError('invalid-argument', 'bad id');
            yield { errorMessage: id };
          }
        },
      },
    );
    const client = createRpcClient(inferenceService, `127.0.0.1:${port}`, { clock: systemClock });
    cleanups.push(() => client.close());
    expect((await collect(client.modelStreamInfer([{ id: 'a' }, { id: 'b' }]))).map((m) => m.errorMessage)).toEqual([
      'a',
      'b',
    ]);
    const received: unknown[] = [];
    const error = await failureOf(collect<unknown>(client.modelStreamInfer([{ id: 'a' }, { id: 'bad' }]), received));
    expect(received).toHaveLength(1);
    expect([error.kind, error.message]).toEqual(['invalid-argument', 'bad id']);
  });

  it('deliver an answer and the status right behind it while the handler waits for a request', async () => {
    const { port, server } = await start(
      {},
      {},
      {
        modelStreamInfer: async function* (requests) {
          const messages = requests[Symbol.asyncIterator]();
          await messages.next();
          const waits = messages.next().catch((error: unknown) => error);
          yield { errorMessage: 'the last' };
          void waits.then((error) => reasons.push(error));
          throw new SluiceError('unavailable', 'no more of this');
        },
      },
    );
    const reasons: unknown[] = [];
    const client = createRpcClient(inferenceService, `127.0.0.1:${port}`, { clock: systemClock });
    cleanups.push(() => client.close());
    const received: { errorMessage: string }[] = [];
    const never = Promise.withResolvers<undefined>();
    const requests = async function* () {
      yield { id: 'a' };
      await never.promise;
    };
    const error = await failureOf(collect(client.modelStreamInfer(requests()), received));
    expect(received.map(({ errorMessage }) => errorMessage)).toEqual(['the last']);
    expect([error.kind, error.message]).toEqual(['unavailable', 'no more of this']);
    await eventually(() => expect(reasons).toMatchObject([{ kind: 'cancelled' }]));
    expect(server.inFlight).toBe(0);
    never.resolve(undefined);
  });
});
