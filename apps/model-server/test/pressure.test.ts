import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeTensor } from '@sluice/inference/tensor-data';
import type { RawOutcome } from '@sluice/rpc/raw-client';
import { buildInferRequest } from '@sluice/inference/request-builder';
import { readInferResponse } from '@sluice/inference/infer-response';
import { eventually } from '@sluice/testkit/eventually';
import { attribute, graph, identityModel, model, node, tensor, value } from '@sluice/testkit/onnx-builder';
import {
  identitySignature,
  requestOf,
  spec,
  startRuntime,
  temporaryFolder,
  type TestRuntime,
} from './support/runtime.ts';
import { loopingModel } from './support/looping-model.ts';
import { TestRegistry, type TestVersion } from './support/test-registry.ts';

/** Looks rows up in a table of three, and fails for every other index. */
const lookup: TestVersion = {
  model: 'lookup',
  version: 1,
  signature: { inputs: [spec('x', 'INT64', [-1])], outputs: [spec('y', 'FP32', [-1])], batched: true },
  files: {
    'm.onnx': model({
      graph: graph({
        nodes: [node('Gather', ['table', 'x'], ['y'], [attribute.int('axis', 0)])],
        inputs: [value('x', 'INT64', ['batch'])],
        outputs: [value('y', 'FP32', ['batch'])],
        initializers: [tensor('table', 'FP32', [3], [10, 20, 30])],
      }),
    }),
  },
};

/** Takes some tenths of a second per batch. */
const slow: TestVersion = {
  model: 'slow',
  version: 1,
  signature: identitySignature('FP32', [-1, 1]),
  serving: { maxBatchSize: 4, maxQueueSize: 6, device: 'cpu', warmupCount: 0 },
  files: { 'm.onnx': loopingModel(500_000) },
};

const large: TestVersion = {
  model: 'large',
  version: 1,
  signature: identitySignature('UINT8', [-1, -1]),
  files: { 'm.onnx': identityModel('UINT8', ['batch', 'width']) },
};

let registry: TestRegistry;
let runtime: TestRuntime;
const infer = '/inference.GRPCInferenceService/ModelInfer';
const ask = (): Buffer => requestOf('slow', 'FP32', [1, 1], [1]);

beforeAll(async () => {
  registry = await new TestRegistry().start();
  registry.place(lookup, slow, large);
  const args = ['--max-queued-bytes=20000000'];
  runtime = await (await startRuntime({ registry: registry.address, stateDir: temporaryFolder(), args })).ready();
});
afterAll(async () => {
  await runtime.stop();
  await registry.stop();
});

const slowState = async () =>
  (await runtime.state()).versions.find((version) => version['model'] === 'slow') as {
    queue: { queuedRequests: number; freeInstances: number };
    running: { batches: number };
    batches: number;
    requests: { failed: Record<string, number> };
  };

/** Sends requests until both places of the session are taken, so that nothing more can join. */
async function occupy(): Promise<Promise<RawOutcome>[]> {
  const first = runtime.send(ask());
  await eventually(async () => expect((await slowState()).running.batches).toBe(1));
  const second = runtime.send(requestOf('slow', 'FP32', [4, 1], [1, 1, 1, 1]));
  await eventually(async () => expect((await slowState()).running.batches).toBe(2));
  return [first, second];
}

describe('under pressure', () => {
  it('one request that the model cannot take does not cost its batch the answers', async () => {
    const outcomes = await Promise.all(
      Array.from({ length: 60 }, (_, index) =>
        runtime.send(requestOf('lookup', 'INT64', [1], [index % 20 === 7 ? 9n : BigInt(index % 3)])),
      ),
    );
    for (const [index, { error, message }] of outcomes.entries()) {
      if (index % 20 === 7)
        expect(error).toMatchObject({
          kind: 'model-failed',
          message: expect.stringContaining('the model failed') as string,
        });
      else
        expect([...decodeTensor('FP32', readInferResponse(message!).outputs[0]!.data)]).toEqual([
          [10, 20, 30][index % 3],
        ]);
    }
    // The log says which operator fails, once, and nothing of what callers sent.
    const told = runtime.log.filter((line) => line['msg'] === 'the model failed on an input');
    expect(told).toMatchObject([{ model: 'lookup', what: 'operator Gather', severity: 'warn' }]);
    expect(runtime.log.some((line) => JSON.stringify(line).includes('idx='))).toBe(false);
    // Rows that ran by themselves count as those that ran together.
    const text = await runtime.metrics();
    const read = (name: string): number =>
      Number(new RegExp(`^${name}\\{model="lookup"[^}]*\\} (\\S+)$`, 'm').exec(text)?.[1]);
    expect(read('nv_inference_count')).toBe(57);
    expect(read('nv_inference_exec_count')).toBeGreaterThan(0);
    expect(read('sluice_batch_rows_sum')).toBe(57);
  });

  it('refuses what exceeds the queue, and says when to come back', async () => {
    const running = await occupy();
    const waiting = Array.from({ length: 6 }, () => runtime.send(ask()));
    await eventually(async () => expect((await slowState()).queue.queuedRequests).toBe(6));
    const { error } = await runtime.send(ask());
    expect(error).toMatchObject({ kind: 'resource-exhausted' });
    expect(error?.retryAfterMs).toBeGreaterThan(0);
    for (const outcome of await Promise.all([...running, ...waiting])) expect(outcome.error).toBeUndefined();
  });

  it('never runs requests whose callers have gone or whose deadline has passed', async () => {
    const before = await slowState();
    const running = await occupy();
    const outcomes = Array.from({ length: 4 }, () => Promise.withResolvers<RawOutcome>());
    const calls = outcomes.map(({ resolve }) =>
      runtime.raw.call(infer, ask(), { deadlineMs: Date.now() + 10_000 }, resolve),
    );
    await eventually(async () => expect((await slowState()).queue.queuedRequests).toBe(4));
    for (const call of calls) call.cancel();
    const hasty = await runtime.send(ask(), 200);
    expect(hasty.error).toMatchObject({ kind: 'deadline-exceeded' });
    for (const { promise } of outcomes) expect((await promise).error?.kind).toBe('cancelled');
    await Promise.all(running);
    await eventually(async () =>
      expect(await slowState()).toMatchObject({ running: { batches: 0 }, queue: { queuedRequests: 0 } }),
    );
    const after = await slowState();
    expect(after.batches - before.batches).toBe(2);
    expect(
      after.requests.failed['CANCELED']! + after.requests.failed['REJECTED']! - before.requests.failed['REJECTED']!,
    ).toBe(5);
    expect(await runtime.state()).toMatchObject({ heldRequestBytes: 0 });
  });

  it('never runs them where they stand in place behind the batch that runs either', async () => {
    const ran = async (): Promise<number> =>
      Number(/^nv_inference_count\{model="slow"[^}]*\} (\S+)$/m.exec(await runtime.metrics())?.[1]);
    const before = await ran();
    const first = runtime.send(ask());
    await eventually(async () => expect((await slowState()).running.batches).toBe(1));
    const gone = Promise.withResolvers<RawOutcome>();
    const call = runtime.raw.call(infer, ask(), { deadlineMs: Date.now() + 10_000 }, gone.resolve);
    const stays = runtime.send(ask());
    await eventually(async () =>
      expect((await slowState()).queue).toMatchObject({ runningRows: 3, queuedRequests: 0 }),
    );
    call.cancel();
    expect((await runtime.send(ask(), 200)).error).toMatchObject({ kind: 'deadline-exceeded' });
    expect((await gone.promise).error?.kind).toBe('cancelled');
    for (const outcome of await Promise.all([first, stays])) expect(outcome.error).toBeUndefined();
    expect((await ran()) - before).toBe(2);
    expect(await runtime.state()).toMatchObject({ heldRequestBytes: 0 });
  });

  it('bounds the bytes that wait', async () => {
    const running = await occupy();
    const data = new Uint8Array(9_000_000);
    const inputs = [{ name: 'x', datatype: 'UINT8' as const, shape: [1, data.length], data }];
    const many = Array.from({ length: 4 }, () => runtime.send(buildInferRequest({ modelName: 'large', inputs })));
    const outcomes = await Promise.all(many);
    for (const { error } of outcomes) if (error) expect(error).toMatchObject({ kind: 'resource-exhausted' });
    expect(outcomes.some(({ error }) => !error)).toBe(true);
    await Promise.all(running);
    expect(await runtime.state()).toMatchObject({ heldRequestBytes: 0 });
  });
});
