import { inferenceService } from '@sluice/contracts/services';
import type { ModelStreamInferResponse__Output } from '@sluice/contracts/gen/inference/ModelStreamInferResponse';
import { buildInferRequest } from '@sluice/inference/request-builder';
import { decodeTensor, encodeTensor } from '@sluice/inference/tensor-data';
import { eventually } from '@sluice/testkit/eventually';
import { openGrpcStream } from '@sluice/testkit/grpc-stream';
import type { GrpcStream } from '@sluice/testkit/grpc-stream';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { adder, ask } from './support/adder.ts';
import { example, holdout } from './support/examples.ts';
import { loopingModel } from './support/looping-model.ts';
import { identitySignature, requestOf, startRuntime, temporaryFolder, type TestRuntime } from './support/runtime.ts';
import { TestRegistry, type TestVersion } from './support/test-registry.ts';

const path = '/inference.GRPCInferenceService/ModelStreamInfer';

/** Takes some tenths of a second per batch of one. */
const slow: TestVersion = {
  model: 'slow',
  version: 1,
  signature: identitySignature('FP32', [-1, 1]),
  serving: { maxBatchSize: 1, device: 'cpu', warmupCount: 0 },
  files: { 'm.onnx': loopingModel(100_000) },
};

let registry: TestRegistry;
let runtime: TestRuntime;
const streams: GrpcStream[] = [];
const start = async (...args: string[]) =>
  (await startRuntime({ registry: registry.address, stateDir: temporaryFolder(), args })).ready();

beforeAll(async () => {
  registry = await new TestRegistry().start();
  registry.place(example('digits', 'mlp', 2, 'champion'), adder(7), slow);
  runtime = await start();
  for (const model of ['digits', 'adder', 'slow']) await runtime.modelReady(model);
});
afterEach(() => {
  for (const stream of streams.splice(0)) stream.close();
});
afterAll(async () => {
  await runtime.stop();
  await registry.stop();
});

function open(headers: Readonly<Record<string, string>> = {}, of: TestRuntime = runtime): GrpcStream {
  const stream = openGrpcStream(of.address, path, headers);
  streams.push(stream);
  return stream;
}

/** What protobufjs reads in each message. */
const read = (stream: GrpcStream): ModelStreamInferResponse__Output[] =>
  stream.messages.map(
    (message) =>
      inferenceService.definition['ModelStreamInfer']!.responseDeserialize(message) as ModelStreamInferResponse__Output,
  );

const { rows } = holdout('digits');
const digits = (row: number, id: string) => requestOf('digits', 'FP32', [1, 64], rows[row]!, { input: 'pixels', id });
const slowly = (id = '') => requestOf('slow', 'FP32', [1, 1], [1], { id });
const stateOf = async (model: string, of: TestRuntime = runtime) =>
  (await of.state()).versions.find((version) => version['model'] === model) as unknown as {
    running: { batches: number };
    batches: number;
    queue: { queuedRequests: number };
    requests: { failed: Record<string, number> };
  };

describe('ModelStreamInfer', () => {
  it('answers 200 requests in flight, each once, with the bytes that a unary call gives', async () => {
    const stream = open();
    stream.send(...Array.from({ length: 200 }, (_, row) => digits(row, `r${row}`)));
    stream.halfClose();
    expect(await stream.end).toMatchObject({ code: 0 });
    const answers = new Map(read(stream).map((answer) => [answer.inferResponse!.id, answer]));
    expect([stream.messages.length, answers.size]).toEqual([200, 200]);
    for (let row = 0; row < 200; row++) {
      const { errorMessage, inferResponse } = answers.get(`r${row}`)!;
      const unary = await runtime.infer(digits(row, `r${row}`));
      expect(errorMessage).toBe('');
      expect(inferResponse).toMatchObject({ modelName: 'digits', modelVersion: '2', parameters: {} });
      expect(inferResponse!.outputs.map(({ name, shape }) => [name, shape])).toEqual([['probabilities', ['1', '10']]]);
      const got = [...decodeTensor('FP32', inferResponse!.rawOutputContents[0]!)] as number[];
      const expected = [...decodeTensor('FP32', unary.outputs[0]!.data)] as number[];
      // Batches of other sizes may round otherwise.
      for (const [index, each] of got.entries()) expect(each).toBeCloseTo(expected[index]!, 4);
    }
  });

  it('answers what fails in its own message, as a unary call would, and goes on', async () => {
    const wrong: Record<string, Buffer> = {
      model: requestOf('nobody', 'FP32', [1, 3], [0, 1, 2], { id: 'model', version: '4' }),
      version: requestOf('adder', 'FP32', [1, 3], [0, 1, 2], { id: 'version', version: 'canary' }),
      shape: requestOf('adder', 'FP32', [1, 2], [0, 1], { id: 'shape' }),
      cut: ask().subarray(0, -3),
      garbage: Buffer.from('GET / HTTP/1.1'),
      nothing: Buffer.alloc(0),
    };
    for (const [name, value] of [
      ['triton_x', { kind: 'bool', value: true }],
      ['triton_enable_empty_final_response', { kind: 'int64', value: 1n }],
      ['sequence_id', { kind: 'double', value: 4 }],
    ] as const) {
      const inputs = [{ name: 'x', datatype: 'FP32' as const, shape: [1, 3], data: new Uint8Array(12) }];
      wrong[name] = buildInferRequest({ modelName: 'adder', id: name, parameters: new Map([[name, value]]), inputs });
    }
    const stream = open();
    for (const bytes of Object.values(wrong)) stream.send(bytes, ask());
    stream.halfClose();
    expect((await stream.end).code).toBe(0);
    const failed = read(stream).filter(({ errorMessage }) => errorMessage !== '');
    const expected = await Promise.all(
      Object.values(wrong).map(async (each) => (await runtime.send(each)).error!.message),
    );
    expect(failed.map(({ errorMessage }) => errorMessage).sort()).toEqual(expected.sort());
    expect(stream.messages).toHaveLength(2 * expected.length);
    expect(failed.map(({ inferResponse }) => inferResponse!.id).sort()).toEqual(
      ['', '', '', ...Object.keys(wrong).filter((name) => !['cut', 'garbage', 'nothing'].includes(name))].sort(),
    );
    const unknown = failed.find(({ inferResponse }) => inferResponse!.id === 'model')!;
    expect(unknown.inferResponse).toMatchObject({
      modelName: 'nobody',
      modelVersion: '4',
      outputs: [],
      parameters: {},
    });
    expect(await runtime.state()).toMatchObject({ heldRequestBytes: 0 });
  });

  it('marks the last response of a request that asks for it', async () => {
    const asks = (value: boolean) =>
      buildInferRequest({
        modelName: 'adder',
        id: String(value),
        parameters: new Map([['triton_enable_empty_final_response', { kind: 'bool', value }]]),
        inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 3], data: encodeTensor('FP32', [0, 1, 2]) }],
      });
    const stream = open();
    stream.send(asks(true), asks(false), ask());
    stream.halfClose();
    await stream.end;
    const marks = read(stream).map(({ inferResponse }) => [
      inferResponse!.id,
      inferResponse!.parameters['triton_final_response']?.boolParam,
      [...decodeTensor('FP32', inferResponse!.rawOutputContents[0]!)].join(),
    ]);
    expect(marks.sort()).toEqual([
      ['', undefined, '7,8,9'],
      ['false', undefined, '7,8,9'],
      ['true', true, '7,8,9'],
    ]);
  });

  it('ends with the first error as its status when triton_grpc_error asks for it', async () => {
    const stream = open({ triton_grpc_error: 'true' });
    stream.send(ask());
    await eventually(() => expect(stream.messages).toHaveLength(1));
    stream.send(slowly(), requestOf('nobody', 'FP32', [1, 3], [0, 1, 2]));
    const end = await stream.end;
    expect([end.code, end.message]).toEqual([5, expect.stringContaining("Request for unknown model: 'nobody'")]);
    expect(stream.messages).toHaveLength(1);
    expect(end.trailers['sluice-kind']).toBe('not-found');
    const polite = open({ triton_grpc_error: 'false' });
    polite.send(requestOf('nobody', 'FP32', [1, 3], [0, 1, 2]));
    polite.halfClose();
    expect((await polite.end).code).toBe(0);
    await eventually(async () => expect(await runtime.state()).toMatchObject({ heldRequestBytes: 0 }));
  });

  it('takes requests that wait out of the queue when its caller goes', async () => {
    const before = await stateOf('slow');
    const stream = open();
    stream.send(...Array.from({ length: 12 }, (_, index) => slowly(String(index))));
    await eventually(async () => expect((await stateOf('slow')).queue.queuedRequests).toBeGreaterThan(5));
    stream.cancel();
    expect((await stream.end).code).toBe(1);
    await eventually(async () =>
      expect(await stateOf('slow')).toMatchObject({ running: { batches: 0 }, queue: { queuedRequests: 0 } }),
    );
    const after = await stateOf('slow');
    expect(after.batches - before.batches).toBeLessThan(8);
    expect(after.requests.failed['CANCELED']! - before.requests.failed['CANCELED']!).toBeGreaterThan(5);
    expect(await runtime.state()).toMatchObject({ heldRequestBytes: 0 });
  });

  it('is bounded by its grpc-timeout, and its requests leave the queue then', async () => {
    const stream = open({ 'grpc-timeout': '400m' });
    stream.send(...Array.from({ length: 12 }, (_, index) => slowly(String(index))));
    expect((await stream.end).code).toBe(4);
    await eventually(async () => expect(await runtime.state()).toMatchObject({ heldRequestBytes: 0 }));
  });

  it('counts requests as unary ones are counted, and the stream once', async () => {
    const value = async (name: string, labels: string) => {
      const line = new RegExp(`^${name}\\{${labels}[^}]*\\} (\\S+)$`, 'm').exec(await runtime.metrics());
      return Number(line?.[1] ?? 0);
    };
    const counts = async () => [
      await value('nv_inference_request_success', 'model="adder"'),
      await value('nv_inference_count', 'model="adder"'),
      await value('sluice_requests_total', 'method="inference.GRPCInferenceService/ModelStreamInfer",code="OK"'),
      await value(
        'sluice_streamed_requests_total',
        'method="inference.GRPCInferenceService/ModelStreamInfer",code="OK"',
      ),
      await value(
        'sluice_streamed_requests_total',
        'method="inference.GRPCInferenceService/ModelStreamInfer",code="NOT_FOUND"',
      ),
    ];
    const before = await counts();
    const stream = open();
    stream.send(ask(), ask(), ask(), requestOf('nobody', 'FP32', [1, 3], [0, 1, 2]));
    stream.halfClose();
    await stream.end;
    const after = await counts();
    expect(after.map((count, index) => count - before[index]!)).toEqual([3, 3, 1, 3, 1]);
  });

  it('has at most so many requests of a stream at once, and answers all in the end', async () => {
    const small = await start('--max-stream-requests=4');
    try {
      await small.modelReady('slow');
      const stream = open({}, small);
      stream.send(...Array.from({ length: 10 }, (_, index) => slowly(String(index))));
      stream.halfClose();
      let most = 0;
      await eventually(async () => {
        const { queue, running } = await stateOf('slow', small);
        most = Math.max(most, queue.queuedRequests + running.batches);
        expect(stream.messages).toHaveLength(10);
      }, 30_000);
      expect(most).toBe(4);
      expect((await stream.end).code).toBe(0);
      expect(new Set(read(stream).map(({ inferResponse }) => inferResponse!.id)).size).toBe(10);
    } finally {
      await small.stop();
    }
  });

  it('is answered to the end when the server stops, and then ends UNAVAILABLE', async () => {
    const leaving = await start();
    await leaving.modelReady('slow');
    const [busy, idle, done] = [open({}, leaving), open({}, leaving), open({}, leaving)];
    busy.send(slowly('a'), slowly('b'), slowly('c'));
    done.send(slowly('d'));
    done.halfClose();
    // All four are there: what comes on a stream after the stop has begun is too late.
    await eventually(async () => {
      const { queue, running } = await stateOf('slow', leaving);
      expect(queue.queuedRequests + running.batches).toBe(4);
    });
    const stopped = leaving.stop();
    expect(await idle.end).toMatchObject({ code: 14, message: 'the server is stopping' });
    busy.send(slowly('too late'));
    expect(await busy.end).toMatchObject({ code: 14, message: 'the server is stopping' });
    expect(read(busy).map(({ errorMessage, inferResponse }) => errorMessage || inferResponse!.id)).toEqual([
      'a',
      'b',
      'c',
    ]);
    expect([(await done.end).code, done.messages.length]).toEqual([0, 1]);
    await stopped;
  });
});
