import type { Worker } from 'node:worker_threads';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '@sluice/testkit/eventually';
import { openGrpcStream } from '@sluice/testkit/grpc-stream';
import { inferenceService } from '@sluice/contracts/services';
import type { ModelStreamInferResponse__Output } from '@sluice/contracts/gen/inference/ModelStreamInferResponse';
import { accumulator, read, start, step, tooLarge } from './support/accumulator.ts';
import { startRuntime, temporaryFolder, type TestRuntime } from './support/runtime.ts';
import { TestRegistry } from './support/test-registry.ts';

let registry: TestRegistry;
let runtime: TestRuntime;
const workers: Worker[] = [];
const collect = (worker: Worker): void => void workers.push(worker);

beforeAll(async () => {
  process.on('worker', collect);
  registry = await new TestRegistry().start();
  registry.place(
    accumulator({ aliases: ['champion'] }),
    { ...accumulator({ batched: false, id: 'BYTES', initial: 1000 }), model: 'single' },
    { ...accumulator({ serving: { maxBatchSize: 1 } }), model: 'narrow' },
    { ...accumulator({ sequences: { maxSequenceIdleMicroseconds: 150_000 } }), model: 'hasty' },
    { ...accumulator({ serving: { maxBatchSize: 8, allowedBatchSizes: [4, 8] } }), model: 'padded' },
    { ...accumulator(), model: 'weak' },
    { ...accumulator(), model: 'simple_sequence' },
  );
  runtime = await startRuntime({ registry: registry.address, stateDir: temporaryFolder() });
  await runtime.ready();
});
afterAll(async () => {
  process.off('worker', collect);
  await runtime.stop();
  await registry.stop();
});

const ask = async (bytes: Buffer) => read(await runtime.infer(bytes));
const failure = async (bytes: Buffer) => (await runtime.send(bytes)).error;
const stateOf = async (model: string) =>
  (await runtime.state()).versions.find((version) => version['model'] === model) as unknown as {
    batches: number;
    rows: number;
    stateBytes: number;
    queue: { sequences: number; backlog: number; queuedRequests: number };
  };
const lost = { kind: 'failed-precondition', message: expect.stringContaining('sequence lost') as string };

describe('sequences', () => {
  it('that run in the same batches keep apart, with their controls and ids', async () => {
    const ids = [1n, 2n, 3n, -4n, 5n, 6n, 7n];
    const before = await stateOf('accumulator');
    const begun = await Promise.all(ids.map((id, index) => ask(start(id, index))));
    expect(begun).toEqual(ids.map((id, index) => ({ sum: index, flags: 3, id: BigInt.asUintN(64, id) })));
    const more = await Promise.all([...ids].reverse().map((id) => ask(step(id, 10))));
    expect(more.map(({ sum, flags }) => [sum, flags])).toEqual([6, 5, 4, 3, 2, 1, 0].map((index) => [index + 10, 2]));
    const ended = await Promise.all(ids.map((id) => ask(step(id, 1, { end: true }))));
    expect(ended.map(({ sum, flags }) => [sum, flags])).toEqual(ids.map((_, index) => [index + 11, 6]));
    const after = await stateOf('accumulator');
    expect(after.rows - before.rows).toBe(3 * ids.length);
    expect(after.batches - before.batches).toBeLessThan(3 * ids.length);
    expect(after.queue.sequences).toBe(0);
    expect(after.stateBytes).toBe(4 * ids.length);
  });

  it('run in the order of their requests, however many are sent at once', async () => {
    const steps = Array.from({ length: 20 }, (_, index) => ask(index === 0 ? start(8n, 1) : step(8n, 1)));
    expect((await Promise.all(steps)).map(({ sum }) => sum)).toEqual(Array.from({ length: 20 }, (_, at) => at + 1));
    // A start on an id that lives begins anew; start and end in one is a sequence of one.
    expect(await ask(start(8n, 5, { end: true }))).toMatchObject({ sum: 5, flags: 7 });
    expect(await failure(step(8n, 1))).toMatchObject(lost);
  });

  it('have texts as ids, a state to begin with, and a slot by instance where the model has no batch dimension', async () => {
    const single = { model: 'single', batched: false };
    expect(await ask(start('left', 1, single))).toEqual({ sum: 1001, flags: 3, id: 'left' });
    const right = ask(start('right', 2, single));
    expect(await ask(step('left', 5, { ...single, end: true }))).toMatchObject({ sum: 1006, id: 'left' });
    expect(await right).toMatchObject({ sum: 1002, id: 'right' });
    expect(await ask(step('right', 1, { ...single, end: true }))).toMatchObject({ sum: 1003, flags: 6 });
  });

  it('are padded with rows that are not ready and of no sequence', async () => {
    const padded = { model: 'padded' };
    const sums = await Promise.all([ask(start(1n, 1, padded)), ask(start(2n, 2, padded))]);
    expect(sums.map(({ sum, flags }) => [sum, flags])).toEqual([
      [1, 3],
      [2, 3],
    ]);
    expect(await ask(step(1n, 1, padded))).toMatchObject({ sum: 2, flags: 2, id: 1n });
  });

  it('refuse what belongs to none, has several rows, or an id that the model cannot take', async () => {
    const wrong = (message: string) => ({
      kind: 'invalid-argument',
      message: expect.stringContaining(message) as string,
    });
    expect(await failure(step(undefined, 1))).toMatchObject(wrong('parameter "sequence_id" must be'));
    expect(await failure(step(0n, 1))).toMatchObject(wrong('parameter "sequence_id" must be'));
    expect(await failure(start(30n, 1, { rows: 2 }))).toMatchObject(wrong('must have 1 row, got 2'));
    expect(await failure(start('text', 1))).toMatchObject(wrong('expected an integer'));
    const single = { model: 'single', batched: false };
    expect(await failure(start(1n, 1, single))).toMatchObject(wrong('expected a string'));
    expect(await failure(step(30n, 1))).toMatchObject(lost);
    // A start that is refused is a start: what was sent behind it does not meet the sequence before it.
    await ask(start(31n, 1));
    expect(await failure(step(31n, 1, { rows: 2 }))).toMatchObject(wrong('must have 1 row, got 2'));
    expect((await ask(step(31n, 1))).sum).toBe(2);
    expect(await failure(start(31n, 1, { rows: 2 }))).toMatchObject(wrong('must have 1 row, got 2'));
    expect(await failure(step(31n, 1))).toMatchObject(lost);
  });

  it('stay as they were where a run fails, and the others of the batch are answered', async () => {
    await Promise.all([ask(start(11n, 1)), ask(start(12n, 2))]);
    const [fine, failed] = await Promise.all([ask(step(11n, 10)), failure(step(12n, tooLarge))]);
    expect([fine.sum, failed?.kind]).toEqual([11, 'model-failed']);
    expect((await ask(step(12n, 3))).sum).toBe(5);
    // Whatever row it had in the batch that failed, and has in the run of its own.
    const [other, second] = await Promise.all([failure(step(11n, tooLarge)), ask(step(12n, 10))]);
    expect([other?.kind, second.sum]).toEqual(['model-failed', 15]);
    expect([(await ask(step(11n, 1))).sum, (await ask(step(12n, 1))).sum]).toEqual([12, 16]);
    // Neither the old one nor a new one lives after a start that failed.
    const [began, behind] = await Promise.all([failure(start(12n, tooLarge)), failure(step(12n, 1))]);
    expect(began?.kind).toBe('model-failed');
    expect(behind).toMatchObject(lost);
  });

  it('wait for a slot, and have it when one ends; a deadline ends the waiting', async () => {
    const narrow = { model: 'narrow' };
    await ask(start(1n, 1, narrow));
    const second = ask(start(2n, 2, narrow));
    await eventually(async () => expect((await stateOf('narrow')).queue).toMatchObject({ sequences: 1, backlog: 1 }));
    expect((await runtime.send(start(3n, 3, narrow), 100)).error?.kind).toBe('deadline-exceeded');
    expect((await ask(step(1n, 1, { ...narrow, end: true }))).sum).toBe(2);
    expect((await second).sum).toBe(2);
    expect((await ask(step(2n, 1, { ...narrow, end: true }))).sum).toBe(3);
  });

  it('are over when they have been idle, and can be started again', async () => {
    const hasty = { model: 'hasty' };
    await ask(start(1n, 1, hasty));
    expect(await located('hasty', { number: '1' })).toEqual({ known: true, version: '1' });
    await eventually(async () => expect(await located('hasty', { number: '1' })).toMatchObject({ known: false }));
    expect(await failure(step(1n, 1, hasty))).toMatchObject(lost);
    expect((await ask(start(1n, 4, hasty))).sum).toBe(4);
  });
});

const located = (model: string, id: { number: string } | { text: string } | object, version = '0') =>
  runtime.status.locateSequence({ model, version, ...id });

describe('LocateSequence', () => {
  it('says where a sequence lives; a number and a text are never the same, and a number is its bits', async () => {
    await ask(start(-2n, 1));
    const bits = String(2n ** 64n - 2n);
    expect(await located('accumulator', { number: bits })).toEqual({ known: true, version: '1' });
    expect(await located('accumulator', { number: bits }, '1')).toEqual({ known: true, version: '1' });
    for (const [id, version] of [
      [{ number: bits }, '2'],
      [{ number: '77' }, '0'],
      [{ number: '0' }, '0'],
      [{ text: bits }, '0'],
      [{ text: '' }, '0'],
    ] as const) {
      expect(await located('accumulator', id, version)).toEqual({ known: false, version: '0' });
    }
    expect(await located('nobody', { number: '1' })).toEqual({ known: false, version: '0' });
    await expect(located('accumulator', {})).rejects.toMatchObject({ kind: 'invalid-argument' });
    await expect(located('', { number: '1' })).rejects.toMatchObject({ kind: 'invalid-argument' });
  });
});

describe('what clients see of a model with sequences', () => {
  it('are its own tensors and its settings, without controls and states', async () => {
    const { extensions } = await runtime.inference.serverMetadata({});
    expect(extensions).toContain('sequence');
    const { inputs, outputs } = await runtime.inference.modelMetadata({ name: 'single' });
    expect([inputs, outputs].map((tensors) => tensors.map(({ name }) => name))).toEqual([
      ['INPUT'],
      ['OUTPUT', 'FLAGS', 'ID'],
    ]);
    const { config } = await runtime.inference.modelConfig({ name: 'single' });
    expect(config!.dynamicBatching).toBeFalsy();
    expect(config!.sequenceBatching).toMatchObject({
      maxSequenceIdleMicroseconds: '60000000',
      direct: { maxQueueDelayMicroseconds: '0', minimumSlotUtilization: 0 },
      controlInput: [
        { name: 'START', control: [{ kind: 'CONTROL_SEQUENCE_START', int32FalseTrue: [0, 1] }] },
        { name: 'READY' },
        { name: 'END' },
        { name: 'CORRID', control: [{ kind: 'CONTROL_SEQUENCE_CORRID', dataType: 'TYPE_STRING' }] },
      ],
      state: [{ inputName: 'STATE', outputName: 'STATE_NEXT', dataType: 'TYPE_INT32', dims: ['1'] }],
    });
  });

  it('are answers in the order of the requests of a sequence on a stream, failures too', async () => {
    const stream = openGrpcStream(runtime.address, '/inference.GRPCInferenceService/ModelStreamInfer');
    const inputs = [1, 1, tooLarge, 1, 1, tooLarge, 1];
    const wrong = step(41n, 1, { name: 'wrong', rows: 2 });
    stream.send(
      ...[41n, 42n].map((id) => start(id, 0, { name: `${id}-start` })),
      ...inputs.flatMap((input, at) => [41n, 42n].map((id) => step(id, input, { name: `${id}-${at}` }))),
      wrong,
    );
    stream.halfClose();
    expect((await stream.end).code).toBe(0);
    const { responseDeserialize } = inferenceService.definition['ModelStreamInfer']!;
    const answers = stream.messages.map((message) => responseDeserialize(message) as ModelStreamInferResponse__Output);
    for (const id of ['41', '42']) {
      const own = answers.filter(({ inferResponse }) => inferResponse!.id.startsWith(id));
      expect(own.map(({ inferResponse }) => inferResponse!.id)).toEqual([
        `${id}-start`,
        ...inputs.map((_, at) => `${id}-${at}`),
      ]);
      expect(own.map(({ errorMessage }) => errorMessage !== '')).toEqual([false, ...inputs.map((input) => input > 1)]);
    }
    // Refused before it could run, and still in its turn.
    expect(answers.filter(({ inferResponse }) => !inferResponse!.id.startsWith('4'))).toHaveLength(1);
    const order = answers.map(({ inferResponse }) => inferResponse!.id);
    expect(order.indexOf('wrong')).toBeGreaterThan(order.indexOf(`41-${inputs.length - 1}`));
    stream.close();
  });
});

describe('Triton’s example of sequences', () => {
  it('works as its clients send it: two sequences on one stream, one output asked for', async () => {
    const stream = openGrpcStream(runtime.address, '/inference.GRPCInferenceService/ModelStreamInfer');
    const values = [11, 7, 5, 3, 2, 0, 1];
    const of = (id: bigint, first: number) =>
      [first, ...values].map((value, at) => {
        const marks = { start: at === 0, end: at === values.length, name: `${id}_${at}` };
        return step(id, value, { ...marks, model: 'simple_sequence', outputs: ['OUTPUT'] });
      });
    stream.send(...of(1007n, 0), ...of(1008n, 90));
    stream.halfClose();
    expect((await stream.end).code).toBe(0);
    const { responseDeserialize } = inferenceService.definition['ModelStreamInfer']!;
    const sums = (id: bigint) =>
      stream.messages
        .map((message) => (responseDeserialize(message) as ModelStreamInferResponse__Output).inferResponse!)
        .filter((response) => response.id.startsWith(`${id}_`))
        .map(({ outputs, rawOutputContents }) => {
          expect(outputs.map(({ name, datatype, shape }) => [name, datatype, shape])).toEqual([
            ['OUTPUT', 'INT32', ['1', '1']],
          ]);
          return Buffer.from(rawOutputContents[0]!).readInt32LE();
        });
    expect(sums(1007n)).toEqual([0, 11, 18, 23, 26, 28, 28, 29]);
    expect(sums(1008n)).toEqual([90, 101, 108, 113, 116, 118, 118, 119]);
    stream.close();
  });
});

describe('a sequence and its version', () => {
  let own: TestRuntime | undefined;
  afterEach(async () => {
    await own?.stop();
    own = undefined;
  });

  it('stay together while aliases move, and while the version drains', async () => {
    const mine = await new TestRegistry().start();
    mine.place(accumulator({ version: 1, aliases: ['champion', 'live'] }));
    own = await (await startRuntime({ registry: mine.address, stateDir: temporaryFolder() })).ready();
    const to = own;
    const answer = async (bytes: Buffer) => {
      const response = await to.infer(bytes);
      return [response.modelVersion, read(response).sum];
    };
    expect(await answer(start(1n, 1))).toEqual(['1', 1]);
    expect(await answer(start(2n, 2, { version: 'live' }))).toEqual(['1', 2]);
    mine.place(accumulator({ version: 1 }), accumulator({ version: 2, aliases: ['champion', 'live'], initial: 50 }));
    await to.modelReady('accumulator', 'live');
    await eventually(async () => expect((await answer(start(9n, 1)))[0]).toBe('2'));
    expect(await answer(step(1n, 1))).toEqual(['1', 2]);
    expect(await answer(step(2n, 1, { version: 'live' }))).toEqual(['1', 3]);
    // A number is that version.
    expect((await to.send(step(1n, 1, { version: '2' }))).error).toMatchObject(lost);
    // A start goes where the name leads now, and the sequence lives there from then on.
    expect(await answer(start(2n, 1))).toEqual(['2', 51]);
    expect(await answer(step(2n, 1))).toEqual(['2', 52]);
    mine.place(accumulator({ version: 2, aliases: ['champion', 'live'], initial: 50 }));
    await eventually(async () =>
      expect((await to.inference.modelReady({ name: 'accumulator', version: '1' })).ready).toBe(false),
    );
    expect(await answer(step(1n, 1))).toEqual(['1', 3]);
    expect(await answer(step(1n, 1, { version: '1' }))).toEqual(['1', 4]);
    expect((await to.send(start(5n, 1, { version: '1' }))).error).toMatchObject({ kind: 'not-found' });
    const where = () => to.status.locateSequence({ model: 'accumulator', number: '1' });
    expect(await where()).toEqual({ known: true, version: '1' });
    expect(await answer(step(1n, 1, { end: true }))).toEqual(['1', 5]);
    expect(await where()).toEqual({ known: false, version: '0' });
    await eventually(() => expect(to.log.some(({ msg }) => msg === 'version unloaded')).toBe(true));
    expect((await to.send(step(1n, 1, { version: '1' }))).error).toMatchObject({ kind: 'not-found' });
    await to.stop();
    own = undefined;
    await mine.stop();
  });

  it('end together when a session is lost', async () => {
    const weak = { model: 'weak' };
    await ask(start(1n, 1, weak));
    const before = (await stateOf('weak')).queue;
    expect(before.sequences).toBe(1);
    // Nothing that the threads' protocol knows: it ends the thread that all of these small versions share.
    for (const worker of workers) worker.postMessage(null);
    expect((await runtime.send(step(1n, 1, weak))).error).toBeDefined();
    await eventually(async () => {
      await runtime.modelReady('weak');
      expect(await failure(step(1n, 1, weak))).toMatchObject(lost);
    });
    expect((await ask(start(1n, 7, weak))).sum).toBe(7);
  });
});
