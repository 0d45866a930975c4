import { connect, createServer } from 'node:http2';
import type { ClientHttp2Session, ServerHttp2Session, ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { eventually } from '@sluice/testkit/eventually';
import { afterEach, describe, expect, it } from 'vitest';
import { NumberMap } from '@sluice/wire/number-map';
import { replaceStreams, releaseStreams, stateOf } from './stream-table.ts';

const cleanups: (() => unknown)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0).reverse()) cleanup();
});

interface Connection {
  client: ClientHttp2Session;
  session: ServerHttp2Session;
  streams: ServerHttp2Stream[];
}

async function connection(): Promise<Connection> {
  const server = createServer();
  // As grpc-js keeps its servers.
  releaseStreams({ http2Servers: new Map([[server, {}]]) });
  const sessions: ServerHttp2Session[] = [];
  const streams: ServerHttp2Stream[] = [];
  server.on('session', (session) => sessions.push(session));
  server.on('stream', (stream: ServerHttp2Stream) => {
    stream.on('error', () => {});
    streams.push(stream);
    if (stream.id! % 4 === 1) stream.respond({ ':status': 200 }, { endStream: true });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const client = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  client.on('error', () => {});
  cleanups.push(
    () => server.close(),
    () => client.destroy(),
  );
  await eventually(() => expect(sessions).toHaveLength(1));
  return { client, session: sessions[0]!, streams };
}

const open = ({ client }: Connection, options = {}) => client.request({ ':path': '/' }, options).on('error', () => {});

describe('the streams of a connection', () => {
  it('are in a table of ours on this version of Node', async () => {
    const { session } = await connection();
    expect(stateOf(session)?.streams).toBeInstanceOf(NumberMap);
  });

  it('leave the table as they end', async () => {
    const held = await connection();
    for (let request = 0; request < 400; request++) open(held).resume();
    await eventually(() => expect(held.streams).toHaveLength(400));
    // Every other one was answered.
    await eventually(() => expect(stateOf(held.session)!.streams.size).toBe(200));
    for (const stream of held.streams) if (!stream.destroyed) stream.respond({ ':status': 200 }, { endStream: true });
    await eventually(() => expect(stateOf(held.session)!.streams.size).toBe(0));
  });

  it('are all ended when their connection is', async () => {
    const held = await connection();
    for (let request = 0; request < 50; request++) open(held, { endStream: false });
    await eventually(() => expect(held.streams).toHaveLength(50));
    held.session.destroy();
    await eventually(() => expect(held.streams.every(({ destroyed }) => destroyed)).toBe(true));
    expect(stateOf(held.session)?.streams.size ?? 0).toBe(0);
  });

  it('stay where they are when node:http2 is not as expected, or has some already', () => {
    const state = Symbol('state');
    const used = new Map([[1, {}]]);
    for (const streams of [used, { get: () => {}, size: 0 }, undefined, []]) {
      const session = { [state]: { streams } };
      replaceStreams(session);
      expect(session[state].streams).toBe(streams);
    }
    for (const session of [{}, { [state]: undefined }]) expect(() => replaceStreams(session)).not.toThrow();
    const known = { [state]: { streams: new Map() as unknown } };
    replaceStreams(known);
    expect(known[state].streams).toBeInstanceOf(NumberMap);
  });
});
