import { once } from 'node:events';
import { connect, sensitiveHeaders } from 'node:http2';
import type { ClientHttp2Session, OutgoingHttpHeaders } from 'node:http2';
import { eventually } from '@sluice/testkit/eventually';
import fc from 'fast-check';
import { afterEach, expect, it } from 'vitest';
import { fewerRuns } from './property-runs.ts';
import { RawPeer } from './raw-peer.ts';
import type { Fields } from './raw-peer.ts';

const { numRuns, seed = 1 } = fewerRuns(10);

let cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups) cleanup();
  cleanups = [];
});

const names = [
  'x-a',
  'x-b',
  'grpc-timeout',
  'accept-language',
  'x-a-rather-long-name-of-a-field',
  'cache-control',
  'via',
];
const text = fc
  .string({ unit: fc.constantFrom('a', 'b', 'c', '0', '9', ' ', '.', ';', '"', '%', '~', '/'), maxLength: 30 })
  .map((value) => value.trim());
const value = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom('1', 'application/grpc', '20m', 'no-cache', '') },
  { weight: 3, arbitrary: text },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 3000 }).map((length) => 'long '.repeat(length / 5) + '.') },
);
const list = fc.array(fc.tuple(fc.constantFrom(...names), value), { maxLength: 10 });
/** What a client may send in its place, and how large tables may be from then on; most of the time as before. */
const exchanges = fc.sample(
  fc.record({
    ...{ request: list, response: list, trailers: list },
    secret: fc.boolean(),
    tables: fc.option(fc.tuple(fc.constantFrom(0, 50, 100, 300, 4096, 8192), fc.boolean()), {
      freq: 15,
      nil: undefined,
    }),
  }),
  { numRuns, seed },
);

/** As node takes it: a field by its name, with all of its values. */
function toObject(pairs: readonly (readonly [string, string])[]): Record<string, string[]> {
  const object: Record<string, string[]> = {};
  for (const [name, each] of pairs) (object[name] ??= []).push(each);
  return object;
}

interface Response {
  readonly head: Fields;
  readonly trailers: Fields;
}

function ask(session: ClientHttp2Session, headers: OutgoingHttpHeaders): Promise<Response> {
  return new Promise((resolve, reject) => {
    let [head, trailers]: Fields[] = [[], []];
    const stream = session.request(headers, { endStream: true });
    stream.on('response', (_headers, _flags, raw: string[]) => (head = raw));
    stream.on('trailers', (_headers: unknown, _flags: unknown, raw: string[]) => (trailers = raw));
    stream.on('error', reject);
    stream.on('close', () => resolve({ head: head!, trailers: trailers! }));
    stream.resume();
  });
}

it('header lists of node:http2 are read as they were meant, and ours by it, as tables grow and shrink', async () => {
  const received: Fields[] = [];
  let next: { fields: Fields; trailers: Fields } = { fields: [], trailers: [] };
  const repeated = ['x-a', '1', 'x-b', 'application/grpc', 'grpc-timeout', '20m', 'via', ''];
  const peer = new RawPeer(repeated, (fields) => {
    received.push(fields);
    return next;
  });
  const port = await peer.listen();
  const session = connect(`http://127.0.0.1:${port}`);
  session.on('error', () => undefined);
  await once(session, 'remoteSettings');
  cleanups.push(
    () => session.destroy(),
    () => peer.close(),
  );
  for (const { request, response, trailers, secret, tables } of exchanges) {
    if (tables !== undefined) {
      const [size, isOurs] = tables;
      if (isOurs) peer.allowTableSize(size);
      else await new Promise<void>((resolve) => session.settings({ headerTableSize: size }, () => resolve()));
    }
    const pseudo = { ':method': 'POST', ':scheme': 'http', ':path': '/d/Echo', ':authority': `a${request.length}` };
    const object = toObject(request);
    next = { fields: [':status', '200', ...response.flat()], trailers: ['x-last', '1', ...trailers.flat()] };
    const answer = await ask(session, { ...pseudo, ...object, ...(secret ? { [sensitiveHeaders]: ['x-a'] } : {}) });
    const expected = [
      ...Object.entries(pseudo),
      ...Object.entries(object).flatMap(([name, values]) => values.map((each) => [name, each])),
    ];
    expect(peer.error).toBeUndefined();
    expect(received.at(-1)).toEqual(expected.flat());
    expect(answer).toEqual({ head: next.fields, trailers: next.trailers });
  }
  expect([peer.error, received.length]).toEqual([undefined, exchanges.length]);
});

it('the tables of node:http2 are in use', async () => {
  const peer = new RawPeer([], () => ({ fields: [':status', '200'], trailers: ['x', '1'] }));
  const session = connect(`http://127.0.0.1:${await peer.listen()}`);
  cleanups.push(
    () => session.destroy(),
    () => peer.close(),
  );
  await ask(session, { ':path': '/', 'x-a': '1' });
  expect(peer.decoderTable).toBeGreaterThan(0);
  peer.allowTableSize(0);
  await eventually(async () => {
    await ask(session, { ':path': '/', 'x-a': '1' });
    expect(peer.decoderTable).toBe(0);
  });
});
