import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http2';
import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { gunzipSync, inflateSync } from 'node:zlib';
import { eventually } from '@sluice/testkit/eventually';
import { afterEach, describe, expect, it } from 'vitest';
import { WireChannel } from '../src/client/wire-channel.ts';
import { valueOf } from '../src/http2/fields.ts';
import { Attacker, callHeaders, message } from './attacker.ts';
import { all, definition, serveOnGrpcJs } from './echo-service.ts';
import { rstStream, settings, windowUpdate } from './frames.ts';
import { messagesIn } from './grpc-side.ts';
import { cleanUp, echo, grpcJsClient, identity, later, serve, unary } from './interop/echo.ts';
import type { Call, Send } from './interop/echo.ts';
import { cCore, noCCore } from './interop/programs.ts';
import { Metadata, systemClock } from './peers.ts';

afterEach(cleanUp);

const accepts = { 'grpc-accept-encoding': 'identity, deflate, gzip' };
const inflaters = { gzip: gunzipSync, deflate: inflateSync };

/** What one unary call of these octets is answered with, as it comes. */
async function answerTo(port: number, request: Buffer, fields: Readonly<Record<string, string>>) {
  const client = await Attacker.connect(port);
  await client.write(settings('0004 7fffffff'), windowUpdate(0, 0x7000_0000));
  await client.write(callHeaders(1, 'Unary', fields), message(1, request, true));
  await eventually(() => expect(client.count('HEADERS')).toBe(2));
  const data = client.frames().filter(({ type }) => type === 'DATA');
  const { messages, rest } = messagesIn(Buffer.concat(data.map(({ payload }) => payload)));
  const [head, trailers] = client.fields();
  return { head: head!, trailers: trailers!, messages, rest };
}

describe.each(['gzip', 'deflate'] as const)('answers of a server that compresses with %s', (coding) => {
  it('are compressed where their caller takes that and they have a kilobyte', async () => {
    const { port } = await serve({ compression: coding });
    const text = Buffer.alloc(50_000, 'abc');
    const { head, trailers, messages, rest } = await answerTo(port, text, accepts);
    expect([valueOf(head, 'grpc-encoding'), valueOf(trailers, 'grpc-status'), rest]).toEqual([coding, '0', 0]);
    const [[flag, octets]] = messages as [[number, Buffer]];
    expect([messages.length, flag, octets.length < 1000]).toEqual([1, 1, true]);
    expect(inflaters[coding](octets).equals(text)).toBe(true);
    const noise = randomBytes(2000);
    for (const whole of [Buffer.alloc(1023, 'a'), Buffer.alloc(0), noise])
      expect((await answerTo(port, whole, accepts)).messages).toEqual([[0, whole]]);
  });

  it('are not where their caller does not', async () => {
    const { port } = await serve({ compression: coding });
    const text = Buffer.alloc(50_000, 'abc');
    for (const fields of [{}, { 'grpc-accept-encoding': 'identity,br' }]) {
      const { head, messages } = await answerTo(port, text, fields);
      expect([valueOf(head, 'grpc-encoding'), messages]).toEqual([undefined, [[0, text]]]);
    }
  });

  it('say which codings are taken to who came with one that nobody had told it of, and to nobody else', async () => {
    const { port } = await serve({ compression: coding });
    const fields = ({ head, trailers }: { head: readonly string[]; trailers: readonly string[] }) =>
      [head, trailers].map((each) => valueOf(each, 'grpc-accept-encoding'));
    const told = 'identity,deflate,gzip';
    const text = Buffer.alloc(2000, 'a');
    for (const more of [{}, accepts])
      for (const theirs of ['gzip', 'deflate'])
        expect(fields(await answerTo(port, text, { ...more, 'grpc-encoding': theirs }))).toEqual([told, undefined]);
    for (const more of [{}, accepts, { 'grpc-encoding': 'identity' }])
      expect(fields(await answerTo(port, text, more))).toEqual([undefined, undefined]);
    // An answer that is a status alone.
    const client = await Attacker.connect(port);
    await client.write(callHeaders(1, 'Nobody', { 'grpc-encoding': 'gzip' }), callHeaders(3, 'Nobody'));
    await eventually(() => expect(client.count('HEADERS')).toBe(2));
    expect(client.fields().map((each) => valueOf(each, 'grpc-accept-encoding'))).toEqual([told, undefined]);
  });

  it('are what grpc-js takes them for, one and many, in their order', async () => {
    const { address, wire } = await serve({ compression: coding });
    const client = grpcJsClient(address);
    for (const size of [0, 1023, 1024, 100_000, 5_000_000]) {
      const { value, error } = await unary(client, Buffer.alloc(size, 'abc'));
      expect([error, value?.equals(Buffer.alloc(size, 'abc'))]).toEqual([undefined, true]);
    }
    const chat = client.makeBidiStreamRequest(echo.Chat.path, identity, identity, new Metadata());
    for (let count = 0; count < 200; count++) chat.write(Buffer.alloc(count % 3 === 0 ? 20_000 : 10, `${count} `));
    chat.end();
    const back = await all(chat as AsyncIterable<Buffer>);
    expect(back.map((one) => Number(one.split(' ')[0]))).toEqual(back.map((_, at) => at));
    expect([back.length, wire.waitingOctets]).toEqual([200, 0]);
  });

  it.skipIf(noCCore() !== undefined)('are what grpc’s C core takes them for', async () => {
    const { address, failures } = await serve({ compression: coding });
    expect(await cCore('streams', address)).toMatchObject({ download: 1000, upload: true, chat: true, large: true });
    expect(failures).toEqual([]);
  });

  it('are what a client of ours takes them for, and its requests what a server of grpc-js does', async () => {
    const servers = [
      { ...(await serve({ compression: coding })), one: echo.Unary.path, many: echo.Chat.path },
      { ...(await serveOnGrpcJs({}, {})), one: definition.Unary.path, many: definition.Chat.path },
    ];
    for (const { port, one, many } of servers) {
      const channel = channelTo(port, coding);
      for (const size of [0, 1024, 3_000_000]) {
        const { messages, code } = await send(channel, one, [Buffer.alloc(size, 'x')]);
        expect([code, messages[0]?.equals(Buffer.alloc(size, 'x'))]).toEqual([0, true]);
      }
      const requests = Array.from({ length: 60 }, (_, at) => Buffer.alloc(at % 2 === 0 ? 30_000 : 3, String(at)));
      const { messages, code } = await send(channel, many, requests);
      expect([code, messages.length, Buffer.concat(messages).equals(Buffer.concat(requests))]).toEqual([0, 60, true]);
    }
  });

  it('are asked for by a client of ours, which compresses its requests likewise', async () => {
    const seen: IncomingHttpHeaders[] = [];
    const flags: (number | undefined)[] = [];
    const server = createServer();
    server.on('stream', (stream: ServerHttp2Stream, fields) => {
      seen.push(fields);
      stream.once('data', (octets: Buffer) => {
        flags.push(octets[0]);
        const { messages } = messagesIn(octets);
        if (flags.at(-1) === 1) expect(inflaters[coding](messages[0]![1])).toEqual(Buffer.alloc(5000, 'x'));
        stream.respond({ ':status': 200, 'content-type': 'application/grpc', 'grpc-status': '0' }, { endStream: true });
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    later(() => server.close());
    const { port } = server.address() as AddressInfo;
    for (const [channel, size] of [
      [channelTo(port, coding), 5000],
      [channelTo(port, coding), 1000],
      [channelTo(port), 5000],
    ] as const)
      expect((await send(channel, '/a.B/C', [Buffer.alloc(size, 'x')], true)).code).toBe(0);
    expect(flags).toEqual([1, 0, 0]);
    expect(seen.map((fields) => [fields['grpc-accept-encoding'], fields['grpc-encoding']])).toEqual([
      ['identity,deflate,gzip', coding],
      ['identity,deflate,gzip', coding],
      ['identity,deflate,gzip', undefined],
    ]);
  });
});

function channelTo(port: number, compression?: 'gzip' | 'deflate'): WireChannel {
  const channel = new WireChannel(`127.0.0.1:${port}`, {
    ...{ clock: systemClock, random: { uniform: () => 0.5 } },
    ...(compression === undefined ? {} : { compression }),
  });
  later(() => channel.close());
  return channel;
}

/** A call with these requests, of which the end is said with the last, or by itself. */
function send(
  channel: WireChannel,
  path: string,
  requests: readonly Buffer[],
  withLast = false,
): Promise<{ readonly messages: Buffer[]; readonly code: number }> {
  return new Promise((resolve) => {
    const messages: Buffer[] = [];
    const call = channel.call(
      path,
      { deadlineAt: systemClock.monotonic() + 20_000 },
      { message: (octets) => messages.push(octets), ended: ({ code }) => resolve({ messages, code }) },
    );
    for (const octets of withLast ? requests.slice(0, -1) : requests) call.write(octets);
    if (withLast) call.writeLast(requests.at(-1)!);
    else call.halfClose();
  });
}

describe('what comes while an answer is compressed', () => {
  const large = Buffer.alloc(8 * 1024 * 1024, 'abc');

  it('an end of its caller, and nothing is left of it', async () => {
    const { port, wire, failures } = await serve({ compression: 'gzip' });
    const client = await Attacker.connect(port);
    for (let at = 0; at < 10; at++)
      await client.write(
        callHeaders(2 * at + 1, 'Download', { ...accepts, 'x-count': '100' }),
        message(2 * at + 1, large.subarray(0, 500_000), true),
      );
    await eventually(() => expect(wire.waitingOctets).toBeGreaterThan(0));
    for (let at = 0; at < 10; at++) await client.write(rstStream(2 * at + 1));
    await eventually(() => expect(wire.waitingOctets).toBe(0));
    expect(failures).toEqual([]);
  });

  it('its deadline, which its caller is told', async () => {
    const slow = {
      unary: (call: Call, reply: Send): void => reply(null, Buffer.concat([large, large, large, call.request])),
    };
    const { port } = await serve({ compression: 'gzip' }, slow);
    const client = await Attacker.connect(port);
    await client.write(callHeaders(1, 'Unary', { ...accepts, 'grpc-timeout': '5m' }), message(1, Buffer.of(1), true));
    // Its head may have gone out before, or not.
    await eventually(() => expect(valueOf(client.fields().at(-1) ?? [], 'grpc-status')).toBe('4'));
    expect(client.count('DATA')).toBe(0);
  });

  it('too much else to be compressed, which ends with RESOURCE_EXHAUSTED whatever could go out at once', async () => {
    const { port } = await serve(
      { compression: 'gzip', limits: { maxWaiting: 20 * 1024 * 1024 } },
      { unary: (_call: Call, reply: Send) => reply(null, large) },
    );
    const client = await Attacker.connect(port);
    await client.write(settings('0004 7fffffff 0005 00ffffff'), windowUpdate(0, 0x7000_0000));
    const calls = Array.from({ length: 5 }, (_, at) => [
      callHeaders(2 * at + 1, 'Unary', accepts),
      message(2 * at + 1, Buffer.of(1), true),
    ]);
    await client.write(...calls.flat());
    await eventually(() => {
      const statuses = client.fields().map((fields) => valueOf(fields, 'grpc-status'));
      const count = (code: string): number => statuses.filter((status) => status === code).length;
      expect([count('0'), count('8')]).toEqual([2, 3]);
    });
  });

  it('answers of a stream wait for each other, and their handler for them', async () => {
    let written = 0;
    const download = async (call: Call): Promise<void> => {
      for (; written < 1000 && !call.cancelled; written++)
        if (!call.write(Buffer.alloc(300_000, randomBytes(64).toString('hex'))))
          await new Promise((resolve) => call.once('drain', resolve).once('close', resolve));
      call.end();
    };
    const { port, wire } = await serve({ compression: 'gzip' }, { download });
    const client = await Attacker.connect(port);
    await client.write(settings('0004 00000000'), callHeaders(1, 'Download', accepts), message(1, Buffer.of(1), true));
    await eventually(() => expect(wire.waitingOctets).toBeGreaterThan(0));
    await eventually(() => expect([client.count('HEADERS'), written > 10]).toEqual([1, true]));
    expect(written).toBeLessThan(30);
    client.stop();
  });
});
