import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '@sluice/testkit/eventually';
import { adder } from './support/adder.ts';
import { loopingModel } from './support/looping-model.ts';
import { identitySignature, requestOf, startRuntime, temporaryFolder, type TestRuntime } from './support/runtime.ts';
import { TestRegistry, type TestVersion } from './support/test-registry.ts';

const delayMs = 1_500;

/** Waits for company, much longer than anything else here takes. */
const patient: TestVersion = {
  ...adder(1),
  model: 'patient',
  serving: { maxBatchSize: 4, maxQueueDelayMicroseconds: delayMs * 1_000, device: 'cpu', warmupCount: 0 },
};

/** Takes a second per batch, and lets nobody wait for more than a tenth of one. */
const hasty: TestVersion = {
  model: 'hasty',
  version: 1,
  signature: identitySignature('FP32', [-1, 1]),
  serving: { maxBatchSize: 1, defaultTimeoutMicroseconds: 100_000, device: 'cpu', warmupCount: 0 },
  files: { 'm.onnx': loopingModel(400_000) },
};

let registry: TestRegistry;
let runtime: TestRuntime;
beforeAll(async () => {
  registry = await new TestRegistry().start();
  registry.place(patient, hasty);
  runtime = await (await startRuntime({ registry: registry.address, stateDir: temporaryFolder() })).ready();
});
afterAll(async () => {
  await runtime.stop();
  await registry.stop();
});

const stateOf = async (model: string) =>
  (await runtime.state()).versions.find((version) => version['model'] === model) as unknown as {
    running: { batches: number };
    batches: number;
    queue: { lost: { expired: number } };
  };

/** Milliseconds that a piece of work took. */
async function timed(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return performance.now() - started;
}

describe('max_queue_delay_microseconds', () => {
  const ask = () => runtime.infer(requestOf('patient', 'FP32', [1, 3], [0, 1, 2]));

  it('makes a request wait for company, and so long only', async () => {
    const { batches } = await stateOf('patient');
    const ms = await timed(() => Promise.all([ask(), ask()]));
    // Timers may fire a millisecond early.
    expect(ms).toBeGreaterThan(delayMs - 5);
    expect((await stateOf('patient')).batches - batches).toBe(1);
  });

  it('does not keep a batch that is full', async () => {
    const { batches } = await stateOf('patient');
    const ms = await timed(() => Promise.all([ask(), ask(), ask(), ask()]));
    expect(ms).toBeLessThan(delayMs);
    expect((await stateOf('patient')).batches - batches).toBe(1);
  });
});

describe('default_timeout_microseconds', () => {
  it('answers what waits too long with DEADLINE_EXCEEDED, and leaves alone what runs', async () => {
    const ask = () => runtime.send(requestOf('hasty', 'FP32', [1, 1], [1]));
    const first = ask();
    await eventually(async () => expect((await stateOf('hasty')).running.batches).toBe(1));
    const second = ask();
    const { batches } = await stateOf('hasty');
    const late = await ask();
    expect(late.error).toMatchObject({ kind: 'deadline-exceeded' });
    expect((await stateOf('hasty')).running.batches).toBeGreaterThan(0);
    expect((await first).error).toBeUndefined();
    // The second stood in place behind the first, and had not begun.
    expect((await second).error).toMatchObject({ kind: 'deadline-exceeded' });
    const after = await stateOf('hasty');
    expect(after.queue.lost.expired).toBe(2);
    expect(after.batches - batches).toBeLessThanOrEqual(1);
  });
});
