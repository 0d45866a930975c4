import { once } from 'node:events';
import http2 from 'node:http2';
import { gzipSync } from 'node:zlib';
import { eventually } from '@sluice/testkit/eventually';
import { describe, expect, it } from 'vitest';
import { inferPath } from '../src/route/forward.ts';
import { wireModel, wireRoutes } from './routes.ts';
import { inferBytes, onEnd, temporaryFolder, testRegistry, testRouter, testRuntime, whenUp } from './world.ts';

const limit = 4096;
const streamPath = '/inference.GRPCInferenceService/ModelStreamInfer';
const uuid7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

function frame(message: Uint8Array, compressed = 0): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt8(compressed, 0);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

async function setUp() {
  const runtime = await testRuntime({ id: 'r1', loaded: [['digits', 3, true]] });
  const digits = wireModel({ aliases: { champion: 3 }, release: 3, placed: [3] });
  const registry = await testRegistry(wireRoutes(7, [digits], { addresses: [runtime.address] }));
  const router = await testRouter({
    SLUICE_REGISTRY: registry.address,
    SLUICE_STATE_DIR: await temporaryFolder(),
    SLUICE_MAX_MESSAGE_BYTES: String(limit),
  });
  await whenUp(router, 1);
  const session = http2.connect(`http://127.0.0.1:${router.ports['port']!}`);
  onEnd(() => session.destroy());
  const send = async (bytes: Uint8Array, headers: Record<string, string> = {}) => {
    const fixed = { ':method': 'POST', ':path': inferPath, 'content-type': 'application/grpc', te: 'trailers' };
    const stream = session.request({ ...fixed, ...headers });
    const got: Record<string, unknown> = {};
    for (const event of ['response', 'trailers'])
      stream.on(event, (received: object) => void Object.assign(got, received));
    const closed = once(stream, 'close');
    stream.resume().end(bytes);
    await closed;
    return { code: got['grpc-status'], text: decodeURI(String(got['grpc-message'])), id: got['sluice-prediction-id'] };
  };
  const metrics = async (): Promise<string> => {
    const answer = await fetch(`http://127.0.0.1:${router.ports['metricsPort']!}/metrics`);
    return answer.text();
  };
  return { router, runtime, send, metrics };
}

const one = frame(inferBytes());
const held = frame(inferBytes({ parameters: { test_wait: { kind: 'bool', value: true } } }));

describe('answers that the transport makes by itself', () => {
  it.each<[string, Uint8Array, Record<string, string>, string, RegExp]>([
    ['a message over the limit', frame(Buffer.alloc(limit + 1)), {}, '8', /4097 bytes, more than the limit of 4096/],
    [
      'a message of many windows',
      frame(Buffer.alloc(8_000_000)),
      {},
      '8',
      /8000000 bytes, more than the limit of 4096/,
    ],
    [
      'a message that inflates over the limit',
      frame(gzipSync(Buffer.alloc(1_000_000)), 1),
      { 'grpc-encoding': 'gzip' },
      '8',
      /more bytes than the limit of 4096/,
    ],
    ['bad gzip', frame(Buffer.from('no gzip'), 1), { 'grpc-encoding': 'gzip' }, '13', /decompress/],
    ['no message', Buffer.alloc(0), {}, '12', /no request message/],
    ['a second message', Buffer.concat([one, one]), {}, '12', /second request message/],
    ['a bad grpc-timeout', one, { 'grpc-timeout': 'soon' }, '13', /grpc-timeout/],
    ['a deadline that passes at the runtime', held, { 'grpc-timeout': '100m' }, '4', /./],
  ])('%s: one status with a prediction id, counted once', async (_name, bytes, headers, code, text) => {
    const { router, send, metrics } = await setUp();
    const answer = await send(bytes, headers);
    expect(answer).toEqual({
      code,
      text: expect.stringMatching(text) as string,
      id: expect.stringMatching(uuid7) as string,
    });
    const counted = (await metrics()).split('\n').filter((line) => /^sluice_requests_total.*ModelInfer"/.test(line));
    expect(counted.map((line) => line.split(' ').at(-1))).toEqual(['1']);
    expect((await router.infer()).outcome).toBe('ok');
    await eventually(async () => expect((await router.state()).inFlight).toMatchObject({ requests: 0, bytes: 0 }));
  });

  it.each<[string, Uint8Array, Record<string, string>, string]>([
    ['a message over the limit', Buffer.concat([held, frame(Buffer.alloc(limit + 1))]), {}, '8'],
    ['bad gzip', frame(Buffer.from('no gzip'), 1), { 'grpc-encoding': 'gzip' }, '13'],
    ['a deadline that passes', held, { 'grpc-timeout': '100m' }, '4'],
    ['a bad grpc-timeout', one, { 'grpc-timeout': 'soon' }, '13'],
  ])('%s: a stream ends with a prediction id too', async (_name, bytes, headers, code) => {
    const { send } = await setUp();
    const answer = await send(bytes, { ':path': streamPath, ...headers });
    expect(answer).toMatchObject({ code, id: expect.stringMatching(uuid7) as string });
  });

  it("a caller's deadline is counted as one, its going away as cancelled", async () => {
    const { router, runtime, metrics, send } = await setUp();
    await send(held, { 'grpc-timeout': '100m' });
    const outcome = async (name: string) =>
      (await metrics()).split('\n').find((line) => /^sluice_router_inferences_total/.test(line) && line.includes(name));
    await eventually(async () => expect(await outcome('outcome="deadline-exceeded"')).toMatch(/ 1$/));
    expect(await outcome('outcome="cancelled"')).toBeUndefined();
    // The first may not have come to the runtime in its time.
    const before = runtime.seen.requests;
    const call = router.start(inferBytes({ parameters: { test_wait: { kind: 'bool', value: true } } }));
    await eventually(() => expect(runtime.seen.requests).toBe(before + 1));
    call.cancel();
    await eventually(async () => expect(await outcome('outcome="cancelled"')).toMatch(/ 1$/));
    expect(await outcome('outcome="deadline-exceeded"')).toMatch(/ 1$/);
  });

  it('a deadline of a year is a long one, not one that has passed', async () => {
    const { send } = await setUp();
    expect((await send(one, { 'grpc-timeout': '8760H' })).code).toBe('0');
  });
});

describe('a version that keeps failing', () => {
  it('fills no log: the first is reported', async () => {
    const { router } = await setUp();
    const fails = { parameters: { test_fail: { kind: 'string', value: 'internal' } } } as const;
    for (let index = 0; index < 9; index++) expect((await router.infer(fails)).outcome).toBe('internal');
    const reported = (message: string) => router.lines.filter((line) => line['msg'] === message);
    expect([reported('inference failed').length, reported('a handler failed').length]).toEqual([1, 1]);
  });
});

describe('messages at the limit', () => {
  it('pass both hops although the router adds to them', async () => {
    const { router } = await setUp();
    const values = (count: number): number[] => Array.from({ length: 2 * count }, () => 1);
    let rows = 1;
    while (inferBytes({ values: values(rows + 1) }).length <= limit) rows++;
    // The test's runtime answers with the rows that it got: with the id and the stamps its answer is over the limit.
    const id = 'i'.repeat(limit - inferBytes({ values: values(rows) }).length - 2);
    const request = inferBytes({ values: values(rows), id });
    expect(request.length).toBeGreaterThan(limit - 10);
    const answer = await router.send(request);
    expect(answer.error?.message).toBeUndefined();
    expect(answer.message!.length).toBeGreaterThan(limit);
  });
});
