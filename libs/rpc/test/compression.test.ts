import http2 from 'node:http2';
import { gunzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { raw } from '../src/handlers.ts';
import { createRawClient } from '../src/raw-client.ts';
import type { RawOutcome } from '../src/raw-client.ts';
import { cleanups } from './cleanups.ts';
import { path, start, transport } from './world.ts';

const answer = Buffer.alloc(20_000, 'abc');

/** The data of an answer, as they come. */
async function answerOf(port: number, method: string, accepts?: string): Promise<Buffer> {
  const session = http2.connect(`http://127.0.0.1:${port}`);
  cleanups.push(() => session.destroy());
  const headers = { ':method': 'POST', ':path': method, 'content-type': 'application/grpc', te: 'trailers' };
  const stream = session.request({ ...headers, ...(accepts === undefined ? {} : { 'grpc-accept-encoding': accepts }) });
  stream.end(Buffer.alloc(5));
  const pieces: Buffer[] = [];
  for await (const piece of stream) pieces.push(piece as Buffer);
  return Buffer.concat(pieces);
}

it('answers of handlers of bytes and of messages are compressed for who takes that, where the stack can', async () => {
  const { port, registry, metrics } = await start(
    { getModel: async () => ({ model: { name: 'm'.repeat(5000) } }) },
    { answerCompression: 'gzip' },
    {
      modelInfer: raw((_request, call) => {
        call.setTrailer('sluice-x', 'y');
        call.respond(answer);
      }),
    },
  );
  for (const [method, least] of [
    [path, 20_000],
    ['/sluice.registry.v1.RegistryService/GetModel', 5000],
  ] as const) {
    const asked = await answerOf(port, method, 'identity,gzip');
    expect([asked[0], asked.length < least]).toEqual(transport === 'wire' ? [1, true] : [0, false]);
    const plain = asked[0] === 1 ? gunzipSync(asked.subarray(5)) : asked.subarray(5);
    expect((await answerOf(port, method)).subarray(5).equals(plain)).toBe(true);
  }
  expect((await registry.getModel({})).model?.name).toBe('m'.repeat(5000));
  const client = createRawClient(`127.0.0.1:${port}`);
  cleanups.push(() => client.close());
  const outcome = await new Promise<RawOutcome>((resolve) =>
    client.call(path, Buffer.alloc(0), { deadlineMs: Date.now() + 10_000 }, resolve),
  );
  expect([outcome.error, answer.equals(outcome.message!)]).toEqual([undefined, true]);
  expect(metrics.method(path.slice(1)).count(0)).toBe(3);
});
