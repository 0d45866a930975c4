import { SluiceError } from '@sluice/domain/errors';
import { generateRow, seeded } from '@sluice/domain/generated-rows';
import { type ServingConfig, servingDefaults, type Signature, type WarmupInput } from '@sluice/domain/signature';
import { decodeTensor, encodeTensor, type PlainValue } from '@sluice/inference/tensor-data';
import { describe, expect, it } from 'vitest';
import type { SessionPool } from '../runtime/session-pool.ts';
import type { BatchJob, BatchOutcome } from '../runtime/session-thread.ts';
import { warmUp, warmUpAgain, type WarmUpOptions } from './warm-up.ts';

const spec = (name: string, datatype: 'FP32' | 'INT64' | 'BYTES', shape: readonly number[]) => ({
  name,
  datatype,
  shape,
  dimNames: shape.map(() => ''),
  features: [],
});
const signature: Signature = {
  inputs: [spec('x', 'FP32', [-1, 2]), spec('t', 'BYTES', [-1])],
  outputs: [spec('y', 'FP32', [-1, 1])],
  batched: true,
};

interface Ran {
  readonly rows: number;
  readonly x: readonly number[];
  readonly t: readonly string[];
  readonly knownOutput: boolean;
}

/** Memory that nobody may write to. */
const untouchable = (bytes: Uint8Array): Uint8Array =>
  Object.assign(bytes, {
    fill: () => {
      throw new Error('zeros were written into new memory');
    },
  });

/** A pool of one session that notes what it is given. @param refuse why a batch of these values fails; '' for none */
function fakePool(
  refuse: (ran: Ran) => string = () => '',
  inferUs: (ran: Ran) => number = () => 1000,
  memory: 'kept' | 'new' = 'kept',
) {
  const ran: Ran[] = [];
  /** By plan and rows, what was written there. */
  const kept = new Map<string, Uint8Array[]>();
  const submit = (job: BatchJob): void => {
    const elements = job.plan.inputs[0]!.dims.reduce((product, size) => product * size, job.rows);
    const dirty = memory === 'new' ? 0 : 255;
    const key = `${job.plan.id}/${job.rows}`;
    const targets = (memory === 'kept' ? kept.get(key) : undefined) ?? [
      new Uint8Array(4 * elements).fill(dirty),
      new Uint8Array(job.stringBytes[1]!).fill(dirty),
    ];
    kept.set(key, targets);
    job.fill(memory === 'new' ? targets.map(untouchable) : targets, memory === 'new');
    const x = [...(decodeTensor('FP32', targets[0]!) as Float32Array)];
    const t = decodeTensor('BYTES', targets[1]!) as string[];
    const one = { rows: job.rows, x, t, knownOutput: job.plan.outputs[0]!.dims !== undefined };
    ran.push(one);
    const problem = refuse(one);
    const outcome = problem
      ? { ok: false, error: new SluiceError('model-failed', problem), sessionLost: false }
      : { ok: true, outputs: { rows: job.rows, outputs: [{ dims: [1] }] }, timing: { inferUs: inferUs(one) } };
    job.done(outcome as unknown as BatchOutcome);
  };
  return { ran, pool: { slots: 2, submit } as unknown as SessionPool };
}

const data = (
  name: string,
  datatype: 'FP32' | 'BYTES',
  shape: readonly number[],
  values: PlainValue[],
): WarmupInput => ({
  name,
  source: 'data',
  shape,
  base64: Buffer.from(encodeTensor(datatype, values)).toString('base64'),
});
const generated = (name: string, source: 'zero' | 'random', shape: readonly number[]): WarmupInput => ({
  name,
  source,
  shape,
  base64: '',
});
const servingOf = (more: Partial<ServingConfig>): ServingConfig => ({
  ...servingDefaults,
  maxBatchSize: 8,
  warmupCount: 0,
  ...more,
});
const request = (batchSize: number, inputs: readonly WarmupInput[], name = 'real', count = 1) => ({
  ...{ name, batchSize, count, inputs },
});
/** What ends nothing. */
const endless: WarmUpOptions = { seed: 0, signal: new AbortController().signal, clock: { monotonic: () => 0 } };
const warm = (pool: SessionPool, of: Signature, serving: ServingConfig, more: Partial<WarmUpOptions> = {}) =>
  warmUp(pool, of, serving, { ...endless, ...more });

/** Counts turns of the event loop until it is asked how many there were. */
function countTurns(): () => number {
  let turns = 0;
  let over = false;
  const count = (): void => {
    turns += 1;
    if (!over) setImmediate(count);
  };
  setImmediate(count);
  return () => {
    over = true;
    return turns;
  };
}

describe('warming up with requests', () => {
  it('runs each as often as it says in every slot, after the generated rows, row by row as given', async () => {
    const { pool, ran } = fakePool();
    const requests = [
      request(2, [data('x', 'FP32', [2, 2], [1, 2, 3, 4]), data('t', 'BYTES', [2], ['a', 'größe'])], 'first', 3),
      request(3, [data('x', 'FP32', [1, 2], [5, 6]), data('t', 'BYTES', [1], ['b'])], 'second'),
      request(2, [generated('x', 'zero', [2, 2]), generated('t', 'zero', [2])], 'third'),
    ];
    const report = await warm(pool, signature, servingOf({ warmupRequests: requests }));
    expect(ran.map(({ rows }) => rows)).toEqual([1, 2, 2, 2, 2, 2, 2, 3, 3, 2, 2]);
    expect(report.runs).toBe(ran.length);
    expect(ran[1]).toEqual({ rows: 2, x: [1, 2, 3, 4], t: ['a', 'größe'], knownOutput: true });
    expect(ran[7]).toMatchObject({ x: [5, 6, 5, 6, 5, 6], t: ['b', 'b', 'b'] });
    expect(ran[9]).toMatchObject({ x: [0, 0, 0, 0], t: ['', ''] });
  });

  it('draws the same values at every load of a version, inside the ranges, and others for another', async () => {
    const inputs = [generated('x', 'random', [4, 2]), generated('t', 'random', [4])];
    const ranged: Signature = {
      ...signature,
      inputs: [{ ...signature.inputs[0]!, min: 3, max: 4 }, signature.inputs[1]!],
    };
    const drawn = async (seed: number, count = 1) => {
      const { pool, ran } = fakePool();
      const requests = Array.from({ length: count }, (_, index) => request(4, inputs, `r${index}`));
      await warm(pool, ranged, servingOf({ warmupRequests: requests }), { seed });
      return ran.slice(1);
    };
    const [first, again, other] = [await drawn(7), await drawn(7), await drawn(8)];
    expect(first).toEqual(again);
    expect(first[0]!.x).not.toEqual(other[0]!.x);
    expect(new Set(first[0]!.x).size).toBe(8);
    expect(first[0]!.x.every((value) => value >= 3 && value <= 4)).toBe(true);
    const two = await drawn(7, 2);
    expect(two[0]!.x).not.toEqual(two[2]!.x);
  });

  it('lets others have their turn while it generates', async () => {
    const turns = countTurns();
    const inputs = [generated('x', 'random', [120_000, 2]), generated('t', 'zero', [120_000])];
    await warm(fakePool().pool, signature, servingOf({ maxBatchSize: 0, warmupRequests: [request(120_000, inputs)] }));
    expect(turns()).toBeGreaterThanOrEqual(4);
  });

  it('lets others have their turn inside a wide row, of which values are the same whoever reads them', async () => {
    const features = [
      { name: 'a', min: 1, max: 2, nullable: false },
      { name: 'b', min: 3, max: 4, nullable: false },
    ];
    const wide: Signature = {
      ...{ inputs: [{ ...spec('x', 'FP32', [-1, -1, 2]), features }, spec('t', 'BYTES', [-1])], batched: true },
      outputs: signature.outputs,
    };
    const inputs = [generated('x', 'random', [1, 50_001, 2]), generated('t', 'random', [1])];
    const { pool, ran } = fakePool();
    const turns = countTurns();
    await warm(pool, wide, servingOf({ warmupRequests: [request(1, inputs)] }), { seed: 5 });
    expect(turns()).toBeGreaterThanOrEqual(10);
    const uniform = seeded(5);
    const x = Float32Array.from(generateRow(wide.inputs[0]!, [50_001, 2], 'random', uniform) as number[]);
    expect(ran[1]!.x).toHaveLength(100_002);
    expect(ran[1]!.x.every((value, index) => value === x[index])).toBe(true);
    expect(ran[1]!.t).toEqual(generateRow(wide.inputs[1]!, [], 'random', uniform));
  });

  it('keeps to the rows that a batch may have here', async () => {
    const { pool, ran } = fakePool();
    const inputs = [data('x', 'FP32', [3, 2], [1, 2, 3, 4, 5, 6]), data('t', 'BYTES', [3], ['a', 'b', 'c'])];
    await warm(pool, signature, servingOf({ maxBatchSize: 2, warmupRequests: [request(3, inputs)] }));
    expect(ran[1]).toMatchObject({ rows: 2, x: [1, 2, 3, 4], t: ['a', 'b'] });
    // Without batching a request runs as it is.
    await warm(pool, signature, servingOf({ maxBatchSize: 0, warmupRequests: [request(3, inputs)] }));
    expect(ran.at(-1)).toMatchObject({ rows: 3, t: ['a', 'b', 'c'] });
  });

  it('names the request that the model fails on', async () => {
    const { pool, ran } = fakePool((one) => (one.x[0] === 5 ? 'the model failed: out of range' : ''));
    const fine = request(1, [generated('x', 'zero', [1, 2]), generated('t', 'zero', [1])], 'fine');
    const bad = request(1, [data('x', 'FP32', [1, 2], [5, 6]), generated('t', 'zero', [1])], 'bad one');
    await expect(warm(pool, signature, servingOf({ warmupRequests: [fine, bad, fine] }))).rejects.toMatchObject({
      kind: 'failed-precondition',
      message: 'warm-up "bad one": the model failed: out of range',
    });
    expect(ran).toHaveLength(5);
  });

  it('also runs them where generated rows cannot be run', async () => {
    const open: Signature = { ...signature, inputs: [spec('x', 'FP32', [-1, -1]), signature.inputs[1]!] };
    const { pool, ran } = fakePool((one) => (one.x.length === 1 ? 'too narrow' : ''));
    const real = request(1, [data('x', 'FP32', [1, 3], [1, 2, 3]), generated('t', 'zero', [1])]);
    const report = await warm(pool, open, servingOf({ warmupCount: 1, warmupRequests: [real] }));
    expect(report).toEqual({
      knownOutputs: [false],
      runs: 2,
      runMs: 1,
      note: 'a generated row could not be run: too narrow',
    });
    expect(ran.at(-1)).toMatchObject({ x: [1, 2, 3], knownOutput: false });
  });

  it('goes on where an empty text is what a generated row cannot have, but not where numbers are', async () => {
    const { pool } = fakePool(({ t }) => (t[0] === '' ? 'no number' : ''));
    const { knownOutputs, runs, note } = await warm(pool, signature, servingOf({}));
    expect([knownOutputs, runs, note]).toEqual([[false], 0, 'a generated row could not be run: no number']);
    const numbers = { ...signature, inputs: [signature.inputs[0]!, spec('t', 'INT64', [-1])] };
    const failing = {
      slots: 1,
      submit: (job: BatchJob) =>
        job.done({ ok: false, error: new SluiceError('model-failed', 'no'), sessionLost: false }),
    };
    await expect(warm(failing as unknown as SessionPool, numbers, servingOf({}))).rejects.toMatchObject({
      kind: 'failed-precondition',
      message: 'warm-up: a generated row could not be run: no',
    });
  });

  it('counts them when it says how long the slowest batch takes, each at its best', async () => {
    const times = [9_000, 3_000, 9_000, 9_000];
    const { pool } = fakePool(undefined, (one) => (one.rows === 1 ? 500 : times.shift()!));
    const real = request(2, [generated('x', 'zero', [2, 2]), generated('t', 'zero', [2])], 'real', 2);
    expect((await warm(pool, signature, servingOf({ warmupRequests: [real] }))).runMs).toBe(3);
    expect((await warm(fakePool().pool, signature, servingOf({}))).runMs).toBeUndefined();
  });

  it.each([
    ['an input is missing', [generated('x', 'zero', [1, 2])], /"t" is missing/],
    ['a shape is another', [generated('x', 'zero', [1, 3]), generated('t', 'zero', [1])], /"x" has the shape \[1, 3\]/],
    ['rows are others', [generated('x', 'zero', [3, 2]), generated('t', 'zero', [1])], /"x" has the shape \[3, 2\]/],
    ['bytes are too few', [data('x', 'FP32', [1, 2], [1]), generated('t', 'zero', [1])], /"x" has 4 bytes/],
    ['texts are too many', [generated('x', 'zero', [1, 2]), data('t', 'BYTES', [1], ['a', 'b'])], /"t" has 2 elements/],
  ])('refuses what the registry should not have sent: %s', async (_what, inputs, message) => {
    const serving = servingOf({ warmupRequests: [request(2, inputs)] });
    await expect(warm(fakePool().pool, signature, serving)).rejects.toMatchObject({
      kind: 'data-loss',
      message: expect.stringMatching(message) as string,
    });
  });
});

describe('warming up again', () => {
  it('runs a generated row where such rows can be run, and each request once', async () => {
    const inputs = [data('x', 'FP32', [1, 2], [5, 6]), generated('t', 'zero', [1])];
    const serving = servingOf({ warmupCount: 9, warmupRequests: [request(1, inputs, 'one', 4), request(3, inputs)] });
    for (const [note, rows] of [
      ['', [1, 1, 1, 3, 3]],
      ['too narrow', [1, 1, 3, 3]],
    ] as const) {
      const { pool, ran } = fakePool((one) => (note && one.x[0] === 0 ? note : ''));
      const report = { knownOutputs: [true], runs: 0, runMs: 1, note };
      await warmUpAgain(pool, signature, serving, report, endless);
      expect(ran.map((one) => one.rows)).toEqual(rows);
      expect(ran.at(-1)).toMatchObject({ x: [5, 6, 5, 6, 5, 6], knownOutput: true });
    }
  });
});

describe('what ends a warm-up', () => {
  const zeros = (name: string, count: number) =>
    request(1, [generated('x', 'zero', [1, 2]), generated('t', 'zero', [1])], name, count);

  it('is the withdrawal of the version, between two rounds', async () => {
    const gone = new SluiceError('cancelled', 'withdrawn');
    for (const more of [{ warmupRequests: [zeros('many', 1000)] }, { warmupCount: 1000 }]) {
      const abort = new AbortController();
      const { pool, ran } = fakePool(() => {
        if (ran.length === 7) abort.abort(gone);
        return '';
      });
      await expect(warm(pool, signature, servingOf(more), { signal: abort.signal })).rejects.toBe(gone);
      expect(ran).toHaveLength(7);
    }
  });

  it('is the withdrawal of the version while values are made', async () => {
    const gone = new SluiceError('cancelled', 'withdrawn');
    const abort = new AbortController();
    const turns = countTurns();
    setImmediate(() => abort.abort(gone));
    const { pool, ran } = fakePool();
    const wide = request(200_000, [generated('x', 'random', [200_000, 2]), generated('t', 'zero', [200_000])]);
    const serving = servingOf({ maxBatchSize: 0, warmupRequests: [wide] });
    await expect(warm(pool, signature, serving, { signal: abort.signal })).rejects.toBe(gone);
    expect(ran).toHaveLength(1);
    expect(turns()).toBeLessThan(4);
  });

  it('is a minute of warm-up requests, all together', async () => {
    let ms = 0;
    const { pool, ran } = fakePool(() => {
      ms += 10_000;
      return '';
    });
    const clock = { monotonic: () => ms };
    const serving = servingOf({ warmupRequests: [zeros('short', 2), zeros('long', 3)] });
    await expect(warm(pool, signature, serving, { clock })).rejects.toMatchObject({
      kind: 'failed-precondition',
      message: 'warm-up "long" did not end in time: the warm-up requests of a version may take 60 s together',
    });
    // What ran before them does not count.
    expect(ran).toHaveLength(1 + 4 + 4);
    ms = 0;
    await expect(
      warm(pool, signature, servingOf({ warmupRequests: [zeros('short', 3)] }), { clock }),
    ).resolves.toBeTruthy();
  });
});

describe('generated batches', () => {
  it('are of one row and of the maximum, or of every size that is allowed', async () => {
    const sizes = async (more: Partial<ServingConfig>) => {
      const { pool, ran } = fakePool();
      const report = await warm(pool, signature, servingOf({ warmupCount: 2, ...more }));
      expect(report.runs).toBe(ran.length);
      return [...new Set(ran.slice(1).map(({ rows }) => rows))];
    };
    expect(await sizes({})).toEqual([1, 8]);
    expect(await sizes({ allowedBatchSizes: [2, 4, 8] })).toEqual([2, 4, 8]);
    expect(await sizes({ maxBatchSize: 1, allowedBatchSizes: [1] })).toEqual([1]);
  });
});

describe('generated batches', () => {
  it('write no zeros into memory that has nothing else, since that holds up the serving thread', async () => {
    const { ran, pool } = fakePool(undefined, undefined, 'new');
    await warm(pool, signature, servingOf({ warmupCount: 2 }));
    expect(ran.at(-1)).toMatchObject({ rows: 8, x: Array(16).fill(0), t: Array(8).fill('') });
  });

  it('write zeros where something else was, in the first round of each size', async () => {
    const { ran, pool } = fakePool();
    await warm(pool, signature, servingOf({ warmupCount: 3 }));
    for (const { x, t } of ran) expect([...x, ...t].every((value) => value === 0 || value === '')).toBe(true);
  });
});
