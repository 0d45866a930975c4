import http2 from 'node:http2';
import { gzipSync } from 'node:zlib';
import type { MessageRoom } from '@sluice/wire/grpc/server-call';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { raw } from '../src/handlers.ts';
import type { RawUnaryHandler } from '../src/handlers.ts';
import type { RawOutcome } from '../src/raw-client.ts';
import { UsedMemory } from '../src/transport/used-memory.ts';
import { cleanups } from './cleanups.ts';
import { path, rawClientOf, start } from './world.ts';

afterEach(() => void vi.restoreAllMocks());

const large = 300_000;

/** A server on libs/wire, and of each large request whether it came into new memory. */
async function served(handler: RawUnaryHandler) {
  const { port } = await start({}, { transport: 'wire' }, { modelInfer: raw(handler) });
  const client = rawClientOf(port, { transport: 'wire' });
  const rooms = vi.spyOn(UsedMemory.prototype, 'room');
  const send = (bytes: Uint8Array): Promise<RawOutcome> =>
    new Promise((resolve) => client.call(path, bytes, { deadlineMs: Date.now() + 20_000 }, resolve));
  const isNew = (): unknown[] =>
    rooms.mock.results.flatMap(({ value: room }) => (room === undefined ? [] : [(room as MessageRoom).isNew]));
  return { port, send, isNew };
}

const summary = (request: Buffer): Buffer => Buffer.from(`${request.length} ${request[0]} ${request.at(-1)}`);

describe('the memory of a large request', () => {
  it('serves the next one when its handler says that it is unused, and is empty for the handler from then on', async () => {
    const after: number[] = [];
    const { send, isNew } = await served((request, call) => {
      const view = request.subarray(10);
      call.respond(summary(request));
      call.requestIsUnused?.();
      call.requestIsUnused?.();
      after.push(request.length, view.length);
    });
    const answers: string[] = [];
    for (const mark of [1, 2, 3]) answers.push(String((await send(Buffer.alloc(large, mark))).message));
    expect(answers).toEqual([1, 2, 3].map((mark) => `${large} ${mark} ${mark}`));
    expect([isNew(), after]).toEqual([
      [true, false, false],
      [0, 0, 0, 0, 0, 0],
    ]);
  });

  it('is left alone where its handler says nothing', async () => {
    const requests: Buffer[] = [];
    const { send, isNew } = await served((request, call) => {
      requests.push(request);
      call.respond(summary(request));
    });
    for (const mark of [1, 2]) await send(Buffer.alloc(large, mark));
    expect([isNew(), requests.map((request) => String(summary(request)))]).toEqual([
      [true, true],
      [`${large} 1 1`, `${large} 2 2`],
    ]);
  });

  it('is no other memory: neither of a small request nor of one that was inflated', async () => {
    const requests: Buffer[] = [];
    const { send, port, isNew } = await served((request, call) => {
      requests.push(request);
      call.respond(summary(request));
      call.requestIsUnused?.();
    });
    await send(Buffer.alloc(1000, 1));
    // Of which as many octets come as a large one has.
    const octets = Buffer.from(Array.from({ length: large }, (_, at) => (at * at * 31 + (at >> 3)) % 256));
    const message = gzipSync(octets, { level: 0 });
    const prefix = Buffer.from([1, 0, 0, 0, 0]);
    prefix.writeUInt32BE(message.length, 1);
    const session = http2.connect(`http://127.0.0.1:${port}`);
    cleanups.push(() => session.destroy());
    const head = { ':method': 'POST', ':path': path, 'content-type': 'application/grpc', te: 'trailers' };
    const stream = session.request({ ...head, 'grpc-encoding': 'gzip' });
    stream.end(Buffer.concat([prefix, message]));
    for await (const piece of stream) expect((piece as Buffer).length).toBeGreaterThan(0);
    expect(requests.map(({ length }) => length)).toEqual([1000, large]);
    expect([requests[1]!.equals(octets), isNew()]).toEqual([true, [true]]);
  });
});
