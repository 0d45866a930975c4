import { execFile, execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { ModelStreamInferResponse__Output } from '@sluice/contracts/gen/inference/ModelStreamInferResponse';
import { inferenceService } from '@sluice/contracts/services';
import { eventually } from '@sluice/testkit/eventually';
import { openGrpcStream } from '@sluice/testkit/grpc-stream';
import type { GrpcStream } from '@sluice/testkit/grpc-stream';
import { describe, expect, it } from 'vitest';
import { wireModel, wireRoutes } from './routes.ts';
import {
  inferBytes,
  onEnd,
  runtimeProcess,
  temporaryFolder,
  testRegistry,
  testRouter,
  testRuntime,
  whenUp,
} from './world.ts';
import type { InferOptions, TestRouter } from './world.ts';

const path = '/inference.GRPCInferenceService/ModelStreamInfer';
const root = join(import.meta.dirname, '../../..');
const digits = wireModel({ aliases: { champion: 3 }, release: 3, placed: [2, 3] });
const loaded = [
  ['digits', 2, true],
  ['digits', 3, true],
] as const;
const waits = { parameters: { test_wait: { kind: 'bool', value: true } } } as const;
const fails = (kind: string) => ({ parameters: { test_fail: { kind: 'string', value: kind } } }) as const;
const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

async function routerFor(addresses: readonly string[], settings: Readonly<Record<string, string>> = {}) {
  const registry = await testRegistry(wireRoutes(7, [digits], { addresses }));
  const stateDir = await temporaryFolder();
  const router = await testRouter({ SLUICE_REGISTRY: registry.address, SLUICE_STATE_DIR: stateDir, ...settings });
  await whenUp(router, addresses.length);
  return router;
}

async function setUp(settings: Readonly<Record<string, string>> = {}) {
  const runtime = await testRuntime({ id: 'r1', loaded });
  return { runtime, router: await routerFor([runtime.address], settings) };
}

function open(router: TestRouter, headers: Readonly<Record<string, string>> = {}): GrpcStream {
  const stream = openGrpcStream(`127.0.0.1:${router.ports['port']!}`, path, headers);
  onEnd(() => stream.close());
  return stream;
}

const many = (count: number, options: InferOptions = {}): Buffer[] =>
  Array.from({ length: count }, (_, index) => inferBytes({ values: [index, -index], id: `r${index}`, ...options }));

/** What protobufjs reads in each message, as far as tests look. */
function read(stream: GrpcStream) {
  const method = inferenceService.definition['ModelStreamInfer']!;
  return stream.messages.map((message) => {
    const { errorMessage, inferResponse } = method.responseDeserialize(message) as ModelStreamInferResponse__Output;
    const { id, modelName, modelVersion, parameters, rawOutputContents } = inferResponse!;
    // Zero has no sign here.
    const values = rawOutputContents.flatMap((raw) => [raw.readFloatLE(0) + 0, raw.readFloatLE(4) + 0]);
    const prediction = parameters['prediction_id']?.stringParam;
    const arm = parameters['sluice_arm']?.stringParam;
    return { error: errorMessage, id, modelName, modelVersion, parameters, prediction, arm, values };
  });
}

describe('a stream through a router', () => {
  it('answers 200 requests in flight, each once, with a prediction of its own', async () => {
    const { router, runtime } = await setUp();
    const stream = open(router);
    stream.send(...many(200, waits));
    await eventually(() => expect(runtime.seen.requests).toBe(200));
    runtime.releaseAll();
    stream.halfClose();
    expect((await stream.end).code).toBe(0);
    const answers = read(stream);
    expect(new Set(answers.map(({ id }) => id)).size).toBe(200);
    expect(new Set(answers.map(({ prediction }) => prediction)).size).toBe(200);
    for (const { id, prediction, arm, modelVersion, values, error } of answers) {
      expect(prediction).toMatch(uuid);
      expect([arm, modelVersion, error]).toEqual(['primary', '3', '']);
      expect(values).toEqual([Number(id.slice(1)), 0 - Number(id.slice(1))]);
    }
    expect(await router.state()).toMatchObject({ inFlight: { requests: 0, bytes: 0 } });
  });

  it('answers what fails like a unary call, in its own message, and goes on', async () => {
    const { router } = await setUp();
    const wrong: Record<string, Buffer> = {
      model: inferBytes({ model: 'nobody', version: '7', id: 'model' }),
      version: inferBytes({ version: '9', id: 'version' }),
      reserved: inferBytes({ id: 'reserved', parameters: { sluice_arm: { kind: 'string', value: 'a' } } }),
      triton: inferBytes({ id: 'triton', parameters: { triton_x: { kind: 'bool', value: true } } }),
      type: inferBytes({
        id: 'type',
        parameters: { triton_enable_empty_final_response: { kind: 'string', value: 'yes' } },
      }),
      shape: inferBytes({ values: [1, 2, 3], columns: 3, id: 'shape' }),
      failed: inferBytes({ id: 'failed', ...fails('model-failed') }),
    };
    const garbage = [Buffer.from('not a protobuf message at all'), inferBytes({ id: 'cut' }).subarray(0, -1)];
    const stream = open(router);
    for (const bytes of [...Object.values(wrong), ...garbage]) stream.send(bytes, inferBytes({ id: 'good' }));
    stream.halfClose();
    expect((await stream.end).code).toBe(0);
    const [failed, good] = [read(stream).filter(({ error }) => error), read(stream).filter(({ error }) => !error)];
    expect(good).toHaveLength(9);
    expect(failed.map(({ id }) => id).sort()).toEqual(['', '', ...Object.keys(wrong)].sort());
    const unary = await Promise.all([...Object.values(wrong), ...garbage].map((bytes) => router.send(bytes)));
    expect(failed.map(({ error }) => error).sort()).toEqual(unary.map(({ error }) => error!.message).sort());
    expect(failed.find(({ id }) => id === 'model')).toMatchObject({ modelName: 'nobody', modelVersion: '7' });
    for (const { parameters } of failed) expect(parameters).toEqual({});
  });

  it('routes each request by its own version, and marks the last response when asked to', async () => {
    const { router } = await setUp();
    const stream = open(router);
    const asks = { triton_enable_empty_final_response: { kind: 'bool', value: true } } as const;
    stream.send(inferBytes({ version: '2', id: 'a', parameters: asks }), inferBytes({ version: 'champion', id: 'b' }));
    stream.halfClose();
    await stream.end;
    const answers = Object.fromEntries(read(stream).map((answer) => [answer.id, answer]));
    expect(answers['a']).toMatchObject({ modelVersion: '2', arm: '', values: [1, 2] });
    expect(answers['a']!.parameters['triton_final_response']?.boolParam).toBe(true);
    expect(answers['b']).toMatchObject({ modelVersion: '3', arm: '', values: [1, 2] });
    expect(answers['b']!.parameters['triton_final_response']).toBeUndefined();
  });

  it('ends with its first error and that prediction in its trailers when triton_grpc_error asks for it', async () => {
    const { router, runtime } = await setUp();
    const stream = open(router, { triton_grpc_error: 'true' });
    stream.send(inferBytes(waits));
    await eventually(() => expect(runtime.seen.requests).toBe(1));
    stream.send(inferBytes({ ...fails('resource-exhausted') }));
    const { code, message, trailers } = await stream.end;
    expect([code, message]).toEqual([8, 'r1 answers resource-exhausted']);
    expect(trailers['sluice-prediction-id']).toMatch(uuid);
    expect(trailers['grpc-retry-pushback-ms']).toBe('7');
    await eventually(() => expect(runtime.seen.cancelled).toBe(1));
    expect(await router.state()).toMatchObject({ inFlight: { requests: 0, bytes: 0 } });
  });

  it('gives each request the deadline of a unary call, and at most that of the stream', async () => {
    const { router, runtime } = await setUp({ SLUICE_DEFAULT_DEADLINE_MS: '5000' });
    const stream = open(router);
    stream.send(inferBytes());
    const short = open(router, { 'grpc-timeout': '2000m' });
    short.send(inferBytes({ ...waits, id: 'b' }));
    expect((await short.end).code).toBe(4);
    await eventually(() => expect(runtime.seen.cancelled).toBe(1));
    const [first, second] = runtime.seen.deadlines.toSorted((one, other) => other - one);
    expect(first).toBeGreaterThan(4_000);
    expect(first).toBeLessThanOrEqual(5_000);
    expect(second).toBeLessThanOrEqual(2_000);
  });

  it('answers a request whose deadline passes, and lives on', async () => {
    const { router, runtime } = await setUp({ SLUICE_DEFAULT_DEADLINE_MS: '2000' });
    const stream = open(router);
    stream.send(inferBytes({ ...waits, id: 'slow' }));
    await eventually(() => expect(read(stream)).toHaveLength(1));
    expect(read(stream)[0]).toMatchObject({ id: 'slow', error: expect.stringMatching(/deadline/i) as string });
    await eventually(() => expect(runtime.seen.cancelled).toBe(1));
    stream.send(inferBytes({ id: 'quick' }));
    stream.halfClose();
    expect((await stream.end).code).toBe(0);
    expect(read(stream)[1]).toMatchObject({ id: 'quick', values: [1, 2] });
  });

  it('that is cancelled cancels all its requests at their runtimes', async () => {
    const { router, runtime } = await setUp();
    const stream = open(router);
    stream.send(...many(20, waits));
    await eventually(() => expect(runtime.seen.requests).toBe(20));
    stream.cancel();
    await eventually(() => expect(runtime.seen.cancelled).toBe(20));
    expect(await router.state()).toMatchObject({ inFlight: { requests: 0, bytes: 0 } });
  });

  it('is read no further while so many of its requests are under way', async () => {
    const { router, runtime } = await setUp({ SLUICE_MAX_STREAM_REQUESTS: '5' });
    const stream = open(router);
    stream.send(...many(12, waits));
    stream.halfClose();
    for (const seen of [5, 10, 12]) {
      await eventually(() => expect(runtime.seen.requests).toBe(seen));
      const inFlight = seen === 12 ? 2 : 5;
      await eventually(async () => expect((await router.state()).inFlight.requests).toBe(inFlight));
      runtime.releaseAll();
    }
    expect((await stream.end).code).toBe(0);
    expect(read(stream).filter(({ error }) => error === '')).toHaveLength(12);
  });

  it('counts its requests by outcome, and itself once', async () => {
    const { router } = await setUp();
    const stream = open(router);
    stream.send(inferBytes(), inferBytes(fails('model-failed')), inferBytes({ model: 'nobody' }));
    stream.halfClose();
    await stream.end;
    const text = await (await fetch(`http://127.0.0.1:${router.ports['metricsPort']!}/metrics`)).text();
    const value = (name: string, ...labels: string[]) =>
      text
        .split('\n')
        .find((line) => line.startsWith(name) && labels.every((label) => line.includes(label)))
        ?.split(' ')
        .at(-1);
    expect(value('sluice_router_inferences_total', 'version="3"', 'outcome="ok"')).toBe('1');
    expect(value('sluice_router_inferences_total', 'outcome="model-failed"')).toBe('1');
    expect(value('sluice_requests_total', 'ModelStreamInfer', 'code="OK"')).toBe('1');
    for (const code of ['OK', 'INTERNAL', 'NOT_FOUND'])
      expect(value('sluice_streamed_requests_total', 'ModelStreamInfer', `code="${code}"`)).toBe('1');
  });
});

describe('a stream whose runtime is killed', () => {
  it('loses no request: others answer', async () => {
    const dying = await runtimeProcess('r1', loaded);
    const other = await testRuntime({ id: 'r2', loaded });
    const router = await routerFor([dying.address, other.address]);
    const stream = open(router);
    stream.send(...many(100, waits));
    const inFlight = async () => (await router.state()).runtimes.map((runtime) => runtime.inFlight);
    await eventually(async () => expect((await inFlight()).reduce((sum, each) => sum + each, 0)).toBe(100));
    expect((await inFlight())[0]).toBeGreaterThan(30);
    await dying.kill();
    stream.send(...many(150).slice(100));
    stream.halfClose();
    await eventually(() => expect(other.seen.requests).toBe(150));
    other.releaseAll();
    expect((await stream.end).code).toBe(0);
    const answers = read(stream);
    expect(answers.filter(({ error }) => error !== '')).toEqual([]);
    expect(new Set(answers.map(({ id }) => id)).size).toBe(150);
    expect(new Set(answers.map(({ prediction }) => prediction)).size).toBe(150);
  });
});

describe('clients of others', () => {
  const run = promisify(execFile);

  function check(text: string): void {
    const answers = JSON.parse(text) as Record<string, unknown>[];
    expect(answers).toHaveLength(50);
    const byId = new Map(answers.map((answer) => [answer['id'], answer]));
    expect(new Set(answers.map((answer) => answer['prediction'])).size).toBe(50);
    for (let index = 0; index < 50; index++) {
      const answer = byId.get(`r${index}`)!;
      if (index === 13) {
        expect(answer).toMatchObject({ prediction: '', values: [], version: '' });
        expect(answer['error']).toMatch(/'x'.* shape \[1,3\]; expected \[-1,2\]/);
        continue;
      }
      expect(answer).toMatchObject({ error: '', version: '3', arm: 'primary', final: true, shape: '1,2' });
      expect(answer['prediction']).toMatch(uuid);
      expect((answer['values'] as number[]).map((each) => each + 0)).toEqual([index, 0 - index]);
    }
  }

  it('on grpc-js and protobufjs read prediction and tensors', async () => {
    const { router } = await setUp();
    const program = join(import.meta.dirname, 'stream-client.mjs');
    const address = `127.0.0.1:${router.ports['port']!}`;
    check((await run(process.execPath, [program, address, join(root, 'protos')])).stdout);
  });

  it('in Python, on the C core of gRPC, too', async (context) => {
    try {
      execFileSync('/usr/bin/python3', ['-c', 'import grpc, google.protobuf'], { stdio: 'ignore' });
    } catch {
      context.skip('python3-grpcio and python3-protobuf are not installed');
    }
    const { router } = await setUp();
    const program = join(import.meta.dirname, 'stream_client.py');
    const protocol = join(root, 'examples/clients/python/inference.binpb');
    const address = `127.0.0.1:${router.ports['port']!}`;
    check((await run('/usr/bin/python3', ['-B', program, address, protocol])).stdout);
  });
});
