import { once } from 'node:events';
import { constants } from 'node:http2';
import type { ClientHttp2Session } from 'node:http2';
import { eventually } from '@sluice/testkit/eventually';
import { afterEach, describe, expect, it } from 'vitest';
import { cleanUp, serve } from './echo.ts';
import { answerTo, begin, call, session } from './http2-peer.ts';
import { framed } from './programs.ts';

afterEach(cleanUp);

const ok = { 'grpc-status': '0' };
/** Node has it and its types do not. */
const paddingAligned = (constants as unknown as { readonly PADDING_STRATEGY_ALIGNED: number }).PADDING_STRATEGY_ALIGNED;

describe('node:http2 as a client', () => {
  it('header fields, a message and trailers', async () => {
    const { port } = await serve();
    const client = await session(port);
    const { headers, trailers, octets } = await call(client, Buffer.from('text'), {
      ...{ 'head-a': 'one', 'tail-a': ['x', 'y'], 'tail-b-bin': 'AP8' },
    });
    expect(headers).toMatchObject({ ':status': 200, 'content-type': 'application/grpc+proto', 'head-a': 'one' });
    expect(octets).toEqual(framed(Buffer.from('text')));
    // The padding is the doing of grpc-js's Metadata, which the handler uses.
    expect(trailers).toMatchObject({ ...ok, 'tail-a': 'x, y', 'tail-b-bin': 'AP8=' });
  });

  it('a request that ends with its header fields', async () => {
    const { port } = await serve();
    const client = await session(port);
    const bare = (method: string) => answerTo(begin(client, method, {}, { endStream: true }));
    const [unary, upload, chat] = await Promise.all([bare('Unary'), bare('Upload'), bare('Chat')]);
    expect(unary.headers).toMatchObject({ 'grpc-status': '12' });
    expect([upload.octets, upload.trailers]).toMatchObject([framed(Buffer.alloc(0)), ok]);
    // An answer without messages is a single block.
    expect([chat.octets, chat.headers]).toMatchObject([Buffer.alloc(0), ok]);
  });

  it('what is not gRPC, in the words of HTTP', async () => {
    const { port, failures } = await serve();
    const client = await session(port);
    const get = client.request({ ':path': '/' });
    const json = begin(client, 'Unary', { 'content-type': 'application/json' });
    json.end('{}');
    const statuses = (await Promise.all([answerTo(get), answerTo(json)])).map(({ headers }) => headers?.[':status']);
    expect(statuses).toEqual([405, 415]);
    expect((await call(client, Buffer.from('x'))).trailers).toMatchObject(ok);
    expect(failures).toEqual([]);
  });

  it('streams that are reset, and those beside them', async () => {
    const { port, counts, failures } = await serve();
    const client = await session(port);
    const waiting = Array.from({ length: 100 }, () => {
      const stream = begin(client, 'Unary', { 'x-wait-ms': '3000' });
      stream.end(framed(Buffer.from('x')));
      return stream;
    });
    const answers = waiting.map(answerTo);
    await eventually(() => expect(counts.started).toBe(100));
    for (const stream of waiting.slice(0, 50)) stream.close(constants.NGHTTP2_CANCEL);
    await eventually(() => expect(counts.cancelled).toBe(50));
    expect((await Promise.all(answers)).map(({ trailers }) => trailers?.['grpc-status'])).toEqual([
      ...Array<undefined>(50).fill(undefined),
      ...Array<string>(50).fill('0'),
    ]);
    expect(failures).toEqual([]);
  });

  it('pings', async () => {
    const { port } = await serve();
    const client = await session(port);
    const payload = Buffer.from('12345678');
    const returned = await new Promise((resolve) =>
      client.ping(payload, (error, _ms, octets) => resolve(error ?? octets)),
    );
    expect(returned).toEqual(payload);
  });

  it('a ping for every answer, as grpc-go sends them to measure the connection', async () => {
    const { port, failures } = await serve();
    const client = await session(port);
    let returned = 0;
    for (let count = 0; count < 1000; count++) {
      await call(client, Buffer.from('x'));
      client.ping(() => returned++);
    }
    await eventually(() => expect(returned).toBe(1000));
    // While a large answer comes there is always a ping under way.
    let isComing = true;
    const pingAgain = (): void => {
      if (isComing) client.ping(pingAgain);
      returned++;
    };
    const answer = answerTo(begin(client, 'Download', { 'x-count': '20' }).end(framed(Buffer.alloc(5_000_000))));
    pingAgain();
    expect((await answer).octets).toHaveLength(20 * 5_000_005);
    isComing = false;
    expect(returned).toBeGreaterThan(1200);
    expect(failures).toEqual([]);
  });

  it.each([
    ['no', constants.PADDING_STRATEGY_NONE],
    ['to multiples of eight', paddingAligned],
    ['as much as there can be', constants.PADDING_STRATEGY_MAX],
  ])('padding: %s', async (_name, paddingStrategy) => {
    const { port, failures, wire } = await serve();
    const client = await session(port, { paddingStrategy });
    for (const size of [0, 1, 100, 16_379, 2_000_000]) {
      const message = Buffer.alloc(size, 'abcd');
      const { octets, trailers } = await call(client, message, { 'x-some': 'metadata' });
      expect([trailers, octets.equals(framed(message))]).toMatchObject([ok, true]);
    }
    expect([failures, wire.bufferedOctets]).toEqual([[], 0]);
  });

  it('two thousand streams on one connection', async () => {
    const { port, wire, counts, failures } = await serve();
    const client = await session(port);
    const answers = await Promise.all(
      Array.from({ length: 2000 }, (_, at) => call(client, Buffer.from(`request ${at}`), { 'x-wait-ms': '20' })),
    );
    expect(answers.map(({ octets }) => octets.toString('latin1', 5))).toEqual(answers.map((_, at) => `request ${at}`));
    expect([wire.connections, counts.started, failures]).toEqual([1, 2000, []]);
  });

  it('messages of 64 MiB both ways', async () => {
    const { port, wire } = await serve();
    const client = await session(port, { settings: { initialWindowSize: 4 * 1024 * 1024 } });
    client.setLocalWindowSize(16 * 1024 * 1024);
    const message = Buffer.alloc(64 * 1024 * 1024, 'sluice');
    const { octets, trailers } = await call(client, message);
    expect([trailers, octets.equals(framed(message))]).toMatchObject([ok, true]);
    expect(wire.bufferedOctets).toBe(0);
  });
});

describe('windows and settings of node:http2', () => {
  const download = (client: ClientHttp2Session, count: number, size: number) => {
    const stream = begin(client, 'Download', { 'x-count': String(count) });
    stream.end(framed(Buffer.alloc(size, 'z')));
    return answerTo(stream);
  };

  it.each([1, 17, 1000])('streams with windows of %i octets', async (initialWindowSize) => {
    const { port, failures } = await serve();
    const client = await session(port, { settings: { initialWindowSize } });
    // Updates of windows by a few octets have to be rare: two thousand, and a hundred a second.
    const sizes = [3, 300, 20 * initialWindowSize];
    const answers = await Promise.all(sizes.map((size) => download(client, 4, size)));
    expect(answers.map(({ octets, trailers }) => [octets.length, trailers?.['grpc-status']])).toEqual(
      sizes.map((size) => [4 * (5 + size), '0']),
    );
    expect(failures).toEqual([]);
  });

  it('settings that change while streams are open', async () => {
    const { port, failures } = await serve();
    const client = await session(port);
    const change = (settings: object) => new Promise<void>((resolve) => client.settings(settings, () => resolve()));
    const before = download(client, 50, 100_000);
    await change({ initialWindowSize: 0 });
    const during = download(client, 3, 50_000);
    await change({ headerTableSize: 0, maxFrameSize: 1024 * 1024 });
    await change({ headerTableSize: 65_536, initialWindowSize: 10 });
    await change({ headerTableSize: 100 });
    await change({ initialWindowSize: 200_000, maxFrameSize: 16_384 });
    const after = download(client, 50, 100_000);
    const lengths = (await Promise.all([before, during, after])).map(({ octets }) => octets.length);
    expect(lengths).toEqual([50 * 100_005, 3 * 50_005, 50 * 100_005]);
    for (let count = 0; count < 10; count++)
      expect((await call(client, Buffer.from('x'), { 'tail-n': String(count) })).trailers).toMatchObject({
        ...{ ...ok, 'tail-n': String(count) },
      });
    expect(failures).toEqual([]);
  });
});

describe('going away with node:http2', () => {
  it('a client that goes away gets the answers that it waits for', async () => {
    const { port, wire, counts, failures } = await serve();
    const client = await session(port);
    const answers = Array.from({ length: 20 }, () => call(client, Buffer.from('x'), { 'x-wait-ms': '200' }));
    await eventually(() => expect(counts.started).toBe(20));
    client.goaway(constants.NGHTTP2_NO_ERROR);
    client.close();
    for (const { trailers } of await Promise.all(answers)) expect(trailers).toMatchObject(ok);
    await eventually(() => expect(wire.connections).toBe(0));
    expect(failures).toEqual([]);
  });

  it('a server that goes away answers what runs and takes nothing more', async () => {
    const { port, wire, counts, failures } = await serve();
    const client = await session(port);
    const goaways: unknown[] = [];
    client.on('goaway', (code, lastStreamId) => goaways.push([code, lastStreamId]));
    const running = Array.from({ length: 20 }, () => call(client, Buffer.from('x'), { 'x-wait-ms': '400' }));
    await eventually(() => expect(counts.started).toBe(20));
    const closed = once(client, 'close');
    const stopped = wire.stop();
    for (const { trailers } of await Promise.all(running)) expect(trailers).toMatchObject(ok);
    await Promise.all([closed, stopped]);
    // The first, which allows every stream that is on its way; of the second Node does not tell.
    expect(goaways[0]).toEqual([0, 2 ** 31 - 1]);
    expect(failures).toEqual([]);
  });
});
