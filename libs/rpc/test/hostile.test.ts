import { randomBytes } from 'node:crypto';
import http2 from 'node:http2';
import { connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { eventually } from '@sluice/testkit/eventually';
import { raw } from '../src/handlers.ts';
import { cleanups } from './cleanups.ts';
import { transport, start } from './world.ts';
import type { World } from './world.ts';

const getModel = '/sluice.registry.v1.RegistryService/GetModel';
const upload = '/sluice.registry.v1.RegistryService/UploadArtifact';
const limit = 4096;

function frame(message: Uint8Array, compressed = 0, length = message.length): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt8(compressed, 0);
  head.writeUInt32BE(length, 1);
  return Buffer.concat([head, message]);
}

/** Sends bytes as a peer that keeps to no rule would, and gives the status that it got. */
async function send(world: World, path: string, bytes: Uint8Array, headers: Record<string, string> = {}) {
  const session = http2.connect(`http://127.0.0.1:${world.port}`);
  cleanups.push(() => session.destroy());
  const stream = session.request({
    ':method': 'POST',
    ':path': path,
    'content-type': 'application/grpc',
    te: 'trailers',
    ...headers,
  });
  const seen: http2.IncomingHttpHeaders & http2.IncomingHttpStatusHeader = {};
  const ended = new Promise<typeof seen>((resolve, reject) => {
    stream.on('response', (received) => Object.assign(seen, received));
    stream.on('trailers', (received) => Object.assign(seen, received));
    stream.on('close', () => resolve(seen));
    stream.on('error', reject);
  });
  stream.resume();
  stream.end(bytes);
  const got = await ended;
  session.destroy();
  return {
    code: Number(got['grpc-status']),
    message: decodeURI(got['grpc-message']?.toString() ?? ''),
    http: got[':status'],
  };
}

async function world(): Promise<World> {
  return start(
    {
      getModel: async ({ name }) => ({ model: { name } }),
      uploadArtifact: async (requests) => {
        let size = 0;
        for await (const { chunk } of requests) size += chunk?.length ?? 0;
        return { size };
      },
    },
    { maxMessageBytes: limit },
    { modelInfer: raw((request, call) => call.respond(request)) },
  );
}

/** The server still answers, and nothing of what came before is left in it. */
async function isWell(served: World): Promise<void> {
  expect((await served.registry.getModel({ name: 'm' })).model?.name).toBe('m');
  await eventually(() => expect(served.server.inFlight).toBe(0));
}

const onWire = transport === 'wire';

describe('a peer that breaks the rules gets one clear status, and the server lives', () => {
  it.each<[string, string, Uint8Array, Record<string, string>, number, RegExp]>([
    ['bytes that are no protobuf', getModel, frame(Buffer.of(0xff, 0xff, 0xff)), {}, 3, /no GetModelRequest message/],
    ['a text that is cut off', getModel, frame(Buffer.of(0x0a, 9, 0x41)), {}, 3, /: name is cut off/],
    ['no message', getModel, Buffer.alloc(0), {}, 12, /no request message/],
    // grpc-js forgets what was not whole.
    [
      'half a message',
      getModel,
      frame(Buffer.of(0x0a, 1), 0, 3),
      {},
      onWire ? 3 : 12,
      onWire ? /within a message/ : /no request message/,
    ],
    [
      'two messages for one',
      getModel,
      Buffer.concat([frame(Buffer.alloc(0)), frame(Buffer.alloc(0))]),
      {},
      12,
      /second request/,
    ],
    ['a message over the limit', getModel, frame(Buffer.alloc(limit + 1)), {}, 8, /4097.*4096/],
    ['the announcement of 4 GiB', getModel, frame(Buffer.alloc(1), 0, 0xffff_ffff), {}, 8, /4294967295.*4096/],
    [
      'a zip bomb',
      getModel,
      frame(gzipSync(Buffer.alloc(1_000_000)), 1),
      { 'grpc-encoding': 'gzip' },
      8,
      /more bytes than the limit of 4096 when it is decompressed/,
    ],
    [
      'compressed bytes that are not',
      getModel,
      frame(Buffer.from('not gzip'), 1),
      { 'grpc-encoding': 'gzip' },
      13,
      /decompress/,
    ],
    ['a compression that nobody knows', getModel, frame(Buffer.of(1), 1), { 'grpc-encoding': 'rot13' }, 12, /rot13/],
    ['a method that nobody has', '/no.Such/Method', frame(Buffer.alloc(0)), {}, 12, /does not implement/],
    ['a deadline that is none', getModel, frame(Buffer.alloc(0)), { 'grpc-timeout': 'soon' }, 13, /grpc-timeout/],
    [
      'half a message in a stream',
      upload,
      Buffer.concat([frame(Buffer.of(0x12, 1, 7)), frame(Buffer.of(0x12), 0, 9)]),
      {},
      3,
      /ended within a message/,
    ],
    [
      'a malformed message in a stream',
      upload,
      Buffer.concat([frame(Buffer.of(0x12, 1, 7)), frame(Buffer.of(0x12, 9))]),
      {},
      3,
      /: chunk is cut off/,
    ],
    ['a message over the limit in a stream', upload, frame(Buffer.alloc(limit + 1)), {}, 8, /4097.*4096/],
  ])('%s', async (_name, path, bytes, headers, code, message) => {
    const served = await world();
    const got = await send(served, path, bytes, headers);
    expect([got.code, got.message]).toEqual([code, expect.stringMatching(message)]);
    await isWell(served);
    expect(served.logged().filter((line) => line['severity'] === 'error')).toEqual([]);
  });

  it('a content type of something else', async () => {
    const served = await world();
    const got = await send(served, getModel, Buffer.from('{}'), { 'content-type': 'application/json' });
    expect(got.http).toBe(415);
    await isWell(served);
  });

  it('1,000 random messages', async () => {
    const served = await world();
    const session = http2.connect(`http://127.0.0.1:${served.port}`);
    cleanups.push(() => session.destroy());
    const codes = new Set<unknown>();
    for (let round = 0; round < 10; round++)
      await Promise.all(
        Array.from({ length: 100 }, async () => {
          const headers = { ':method': 'POST', ':path': getModel, 'content-type': 'application/grpc', te: 'trailers' };
          const stream = session.request(headers);
          stream.resume().end(frame(randomBytes(1 + Math.floor(Math.random() * 40))));
          await new Promise((resolve) => {
            stream.on('response', (got) => codes.add(got['grpc-status'] ?? '0')).on('close', resolve);
          });
        }),
      );
    for (const code of codes) expect(['0', '3']).toContain(code);
    await isWell(served);
  });

  it('connections that speak no HTTP/2, or hang up in the middle', async () => {
    const served = await world();
    for (const bytes of [
      Buffer.from('GET / HTTP/1.1\r\n\r\n'),
      randomBytes(1000),
      Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
    ]) {
      const socket = connect(served.port, '127.0.0.1');
      socket.on('error', () => undefined).resume();
      socket.end(bytes);
      await new Promise((resolve) => socket.once('close', resolve));
    }
    await isWell(served);
  });
});

describe.runIf(onWire)('a peer that the stack itself has to stop', () => {
  it('is in the log once, however often it comes', async () => {
    const served = await world();
    for (let count = 0; count < 20; count++) {
      const socket = connect(served.port, '127.0.0.1');
      socket.on('error', () => undefined).resume();
      socket.end('GET / HTTP/1.1\r\n\r\n');
      await new Promise((resolve) => socket.once('close', resolve));
    }
    await isWell(served);
    const warnings = served.logged().filter((line) => line['severity'] === 'warn');
    expect(warnings).toMatchObject([
      { fault: 'PROTOCOL_ERROR', peer: expect.stringMatching(/^127\.0\.0\.1:/) as string },
    ]);
  });

  it('gets no more answers than may wait for it, and those count as failed', async () => {
    const answer = Buffer.alloc(60 * 1024 * 1024);
    const served = await start({}, {}, { modelInfer: raw((_request, call) => call.respond(answer)) });
    const session = http2.connect(`http://127.0.0.1:${served.port}`, { settings: { initialWindowSize: 0 } });
    cleanups.push(() => session.destroy());
    const method = '/inference.GRPCInferenceService/ModelInfer';
    const statuses: unknown[] = [];
    for (let count = 0; count < 6; count++) {
      const headers = { ':method': 'POST', ':path': method, 'content-type': 'application/grpc', te: 'trailers' };
      const stream = session.request(headers);
      stream.on('response', (got) => statuses.push(got['grpc-status'])).on('error', () => undefined);
      stream.end(frame(Buffer.alloc(0)));
    }
    // Four of them are within 256 MiB.
    await eventually(() => expect(statuses.filter((status) => status === '8')).toHaveLength(2));
    expect(statuses).toHaveLength(6);
    const stats = served.metrics.method(method.slice(1));
    expect([stats.count(0), stats.count(8)]).toEqual([4, 2]);
  });
});
