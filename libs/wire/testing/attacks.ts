import { setTimeout } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { clientPreface, flags } from '../src/http2/frame-types.ts';
import { blocksWith, callBlock, callHeaders, message } from './attacker.ts';
import type { Attacker } from './attacker.ts';
import { floods, many } from './floods.ts';
import type { Flood } from './floods.ts';
import { data, headers, settings, windowUpdate } from './frames.ts';

/**
 * What is done to a server of `test.Echo` on one connection. Who does it ends the connection behind it, and comes again.
 * The server has the methods Unary (never answers with `x-wait-ms`), Upload (does not read), Download (`x-count` answers) and Chat.
 */
export interface Attack {
  /** Connections that do it at once. */
  readonly connections: number;
  /** With the preface and SETTINGS first, as an honest client does; so unless it is said. */
  readonly greets?: boolean;
  act(attacker: Attacker): Promise<unknown>;
}

const mebi = 1024 * 1024;
const contentType = Buffer.from([0x0f, 0x10, 16, ...Buffer.from('application/grpc')]);

/** A field of four thousand octets that goes into the table, and is referred to in what is left of the block. */
export const headerBomb = Buffer.concat([
  callBlock('Unary'),
  Buffer.from([0x40, 1, 0x61, 0x7f, 0xa1, 0x1e]),
  Buffer.alloc(4000, 'a'),
  Buffer.alloc(12_000, 0xbe),
]);

/** Calls of a method with a name of 3,900 octets, which is in the table from the first. */
const callsOfLongName = (count: number): Buffer =>
  many(count, (at) => {
    const first = Buffer.concat([Buffer.from([0x44, 0x7f, 0xbd, 0x1d]), Buffer.alloc(3900, '/')]);
    const block = Buffer.concat([Buffer.from('8386', 'hex'), at === 0 ? first : Buffer.from([0xbe]), contentType]);
    return headers(2 * at + 1, flags.END_HEADERS | flags.END_STREAM, block);
  });

/** It is made when it is needed first: that takes a while. */
let zipped: Buffer | undefined;
const zipBomb = (): Buffer => (zipped ??= gzipSync(Buffer.alloc(60 * mebi)));

/** Opens `count` streams of a connection, each with what `make` makes, and waits until the server ends it. */
const hold =
  (count: number, make: (streamId: number) => Buffer) =>
  async (each: Attacker): Promise<void> => {
    for (let at = 0; at < count; at++) if (!(await each.write(make(2 * at + 1)))) return;
    await each.closed;
  };

const flood = ({ first = [], batch }: Flood): Attack => ({
  connections: 4,
  act: async (each) => {
    await each.write(...first);
    await each.flood(batch, Infinity);
  },
});

/** Requests for each of which a few octets stand for a field that was told once. */
const repeated =
  (field: readonly [string, string], times = 1, method = 'Chat', flag = 0) =>
  (count: number): Buffer => {
    const { first, others } = blocksWith(method, field, times);
    return many(count, (at) => headers(2 * at + 1, flags.END_HEADERS | flag, at === 0 ? first : others));
  };

const spaces = ' '.repeat(3900);
/** What is told back to who sent it: a path that nobody has, a coding, a timeout. */
export const echoes = {
  'a path': repeated([':path', `/a${spaces}x\u00ff`], 1, '', flags.END_STREAM),
  'a coding': repeated(['grpc-encoding', `a${spaces}x\u00ff`], 1, 'Unary', flags.END_STREAM),
  'a timeout': repeated(['grpc-timeout', `a${spaces}x\u00ff`], 1, 'Unary', flags.END_STREAM),
} as const;

/** Metadata of thousands of values. */
export const manyValues = repeated(['x-bin', ','.repeat(3900)], 4);
/** As many as there may be. */
export const mostValues = repeated(['x-bin', ','.repeat(60)], 4);
/** As many octets as there may be. */
export const longMetadata = repeated(['x', 'a'.repeat(3900)], 3);

/** Messages of a thousand octets that become a million. */
let small: Buffer | undefined;
export const smallBombs = (from: number, count: number): Buffer => {
  const bomb = (small ??= gzipSync(Buffer.alloc(1_000_000), { level: 9 }));
  return many(count, (at) => {
    const streamId = 2 * (from + at) + 1;
    const head = callHeaders(streamId, 'Unary', { 'grpc-encoding': 'gzip', 'x-status': '5' });
    return Buffer.concat([head, message(streamId, bomb, true, true)]);
  });
};

const wait = (each: Attacker): Promise<void> => each.closed;

/** By what each is, for a row of the bench. */
export const attacks: Readonly<Record<string, Attack>> = {
  ...Object.fromEntries(Object.entries<Flood>(floods).map(([name, each]) => [name, flood(each)])),
  'header blocks that stand for much': {
    connections: 4,
    act: async (each) => {
      const end = flags.END_HEADERS | flags.END_STREAM;
      await each.flood((at) => headers(2 * at + 1, end, headerBomb), 500);
    },
  },
  'messages that are inflated to much more': {
    connections: 2,
    act: async (each) => {
      const start = (at: number): Buffer => callHeaders(2 * at + 1, 'Unary', { 'grpc-encoding': 'gzip' });
      await each.flood((at) => Buffer.concat([start(at), message(2 * at + 1, zipBomb(), true, true)]), 16);
      await setTimeout(100);
    },
  },
  'small messages that are inflated to much more': {
    connections: 4,
    act: async (each) => {
      await each.flood((at) => smallBombs(50 * at, 50), Infinity);
    },
  },
  ...Object.fromEntries(
    Object.entries(echoes).map(([name, make]) => [
      `${name} that is told back`,
      { connections: 4, act: (each: Attacker) => each.write(make(700)) },
    ]),
  ),
  'metadata of thousands of values': { connections: 4, act: (each) => each.write(manyValues(500)) },
  'metadata of many values, of calls that go on': {
    connections: 10,
    act: async (each) => {
      await each.write(mostValues(1000));
      await each.closed;
    },
  },
  'messages that are too large': {
    connections: 4,
    act: async (each) => {
      const piece = (id: number): Buffer => Buffer.concat([callHeaders(id, 'Unary'), data(id, '00 7f ff ff ff 61')]);
      await each.flood((at) => many(10, (one) => piece(2 * (10 * at + one) + 1)), Infinity);
    },
  },
  'messages that are announced and never come': {
    connections: 50,
    act: hold(50, (streamId) => Buffer.concat([callHeaders(streamId, 'Unary'), data(streamId, '00 04 00 00 00 61')])),
  },
  'messages of calls that go on': {
    connections: 10,
    act: hold(40, (streamId) =>
      Buffer.concat([callHeaders(streamId, 'Unary'), message(streamId, Buffer.alloc(100_000), false)]),
    ),
  },
  'small messages for a handler that does not read': {
    connections: 4,
    act: hold(100, (streamId) =>
      Buffer.concat([callHeaders(streamId, 'Upload'), many(10_000, () => message(streamId, Buffer.alloc(1), false))]),
    ),
  },
  'windows that never open': {
    connections: 10,
    act: async (each) => {
      await each.write(settings('0004 00000000'));
      await hold(500, (streamId) =>
        Buffer.concat([
          callHeaders(streamId, 'Download', { 'x-count': '100' }),
          message(streamId, Buffer.alloc(10_000), true),
        ]),
      )(each);
    },
  },
  'who reads nothing': {
    connections: 10,
    act: async (each) => {
      each.stopReading();
      await each.write(settings('0004 7fffffff'), windowUpdate(0, 0x7fff_0000 - 65_535));
      await hold(100, (streamId) =>
        Buffer.concat([
          callHeaders(streamId, 'Download', { 'x-count': '100000' }),
          message(streamId, Buffer.alloc(100_000), true),
        ]),
      )(each);
    },
  },
  'answers to methods with long names, which nobody reads': {
    connections: 10,
    act: async (each) => {
      each.stopReading();
      await each.write(callsOfLongName(2000));
      await each.closed;
    },
  },
  'HEADERS octet by octet': { connections: 500, act: (each) => each.drip(callHeaders(1, 'Unary'), 20) },
  'the preface octet by octet': { connections: 500, greets: false, act: (each) => each.drip(clientPreface, 200) },
  'connections that say nothing': { connections: 2000, greets: false, act: wait },
  'connections that come and go': { connections: 20, act: async () => undefined },
  'FIN with calls under way': {
    connections: 20,
    act: async (each) => {
      await each.write(many(20, (at) => callHeaders(2 * at + 1, 'Chat')));
      each.halfClose();
      await each.closed;
    },
  },
};
