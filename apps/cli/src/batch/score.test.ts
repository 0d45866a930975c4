import { SluiceError } from '@sluice/domain/errors';
import { RpcError, statusCodes } from '@sluice/rpc/status';
import { decodeTensor } from '@sluice/inference/tensor-data';
import { bytesInMemory, type TableReader } from '@sluice/tabular/reader';
import { openCsv } from '@sluice/tabular/csv-reader';
import { openJsonLines } from '@sluice/tabular/json-lines-reader';
import { eventually } from '@sluice/testkit/eventually';
import { FakeClock } from '@sluice/testkit/fake-clock';
import { describe, expect, it } from 'vitest';
import type { CliContext, Services } from '../context.ts';
import type { BatchModel } from './batch-model.ts';
import { columnsNeeded, planRows, prepareRow, preparedRows, type PreparedRow } from './row-plan.ts';
import { bytesPerRequest, rowsPerRequest, type ScoredRow, Scorer, type ScoreOptions } from './score.ts';

const model: BatchModel = {
  name: 'twice',
  version: '2',
  digest: 'd',
  inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 1], features: [] }],
  batched: true,
  outputs: [{ name: 'y', datatype: 'FP32', count: 1 }],
  task: { kind: 'regression', prediction: 'y' },
  maxRows: 4,
  priority: 0,
};
const options: ScoreOptions = { outputs: [], inFlight: 3, timeoutMs: 1_000, patienceMs: 60_000 };

type Infer = Services['inferOnce']['infer'];
type Sent = Parameters<Infer>;

/** A router whose model doubles; `behave` may throw instead, or wait. */
function routerOf(behave: (values: readonly number[], call: number) => void | Promise<void> = () => undefined) {
  const sent: Sent[] = [];
  const clock = new FakeClock();
  const stop = new AbortController();
  const infer: Infer = async (inference, given) => {
    const call = sent.push([inference, given]);
    const values = [...(decodeTensor('FP32', inference.inputs[0]!.data as Uint8Array) as Float32Array)];
    await behave(values, call);
    const y = {
      name: 'y',
      datatype: 'FP32',
      shape: [values.length, 1],
      values: Float32Array.from(values, (value) => value * 2),
    };
    return { model: 'twice', version: '2', predictionId: `p-${call}`, outputs: [y] } as unknown as Awaited<
      ReturnType<Infer>
    >;
  };
  const context = { clock, signal: stop.signal, services: { inferOnce: { infer } } } as unknown as CliContext;
  return { sent, clock, context, stop };
}

const csv = (text: string): Promise<TableReader> => openCsv(bytesInMemory(Buffer.from(text)));
const numbers = (count: number): Promise<TableReader> =>
  csv(`id,x\n${Array.from({ length: count }, (_, index) => `r${index},${index}\n`).join('')}`);

async function score(
  context: CliContext,
  table: TableReader,
  change: Partial<ScoreOptions> = {},
  of: BatchModel = model,
): Promise<readonly ScoredRow[]> {
  const plan = planRows(of, table, []);
  const scorer = new Scorer(context, of, plan, { ...options, ...change });
  const rows: ScoredRow[] = [];
  for await (const scored of scorer.score(preparedRows(plan, table.rows(), 4, Infinity))) rows.push(...scored);
  return rows;
}

const shown = (rows: readonly ScoredRow[]) =>
  rows.map(({ prepared, answer, problem }) => [prepared.source.index, answer?.outputs[0]!.values[0] ?? problem]);
const away = (kind: 'unavailable' | 'resource-exhausted', retryAfterMs?: number) =>
  new RpcError(kind, 'busy', {
    origin: 'answered',
    code: statusCodes.UNAVAILABLE,
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  });

/** Moves time on until a promise has settled. */
async function withTime<T>(clock: FakeClock, work: Promise<T>, stepMs = 100): Promise<T> {
  const state = { settled: false };
  const mark = () => (state.settled = true);
  work.then(mark, mark);
  for (let turn = 0; !state.settled && turn < 5_000; turn += 1) {
    await new Promise((resolve) => setImmediate(resolve));
    if (clock.pendingTimers > 0) clock.advance(stepMs);
  }
  return work;
}

describe('scoring', () => {
  it('sends portions at the lowest priority under its own name, and keeps the order', async () => {
    const { context, sent } = routerOf();
    const rows = await score(context, await numbers(10), {}, { ...model, priority: 3 });
    expect(shown(rows)).toEqual(Array.from({ length: 10 }, (_, index) => [index, index * 2]));
    expect(rows.map(({ answer }) => [answer!.predictionId, answer!.row]).slice(3, 6)).toEqual([
      ['p-1', 3],
      ['p-2', 0],
      ['p-2', 1],
    ]);
    expect(
      sent.map(([inference, given]) => [
        inference.version,
        inference.inputs[0]!.shape,
        inference.parameters,
        given!.metadata,
        given!.timeoutMs,
      ])[0],
    ).toEqual(['2', [4, 1], { priority: 3 }, { 'sluice-caller': 'sluice batch' }, 1_000]);
    expect(sent).toHaveLength(3);
  });

  it('names no priority where there are no levels, and asks for the outputs that are wanted', async () => {
    const { context, sent } = routerOf();
    await score(context, await numbers(1), { outputs: ['y'] });
    expect([sent[0]![0].parameters, sent[0]![0].outputs]).toEqual([undefined, ['y']]);
  });

  it('has no more under way than it may, and keeps the order when the first answer is the last', async () => {
    let under = 0;
    let most = 0;
    const waiting: (() => void)[] = [];
    const { context } = routerOf(async (_, call) => {
      under += 1;
      most = Math.max(most, under);
      if (call > 4) await new Promise<void>((resolve) => waiting.push(resolve));
      under -= 1;
    });
    const scoring = score(context, await numbers(60), { inFlight: 3 });
    let ended = false;
    void scoring.finally(() => (ended = true));
    await eventually(() => {
      waiting.pop()?.();
      if (!ended) throw new Error('not yet');
    });
    expect(shown(await scoring)).toEqual(Array.from({ length: 60 }, (_, index) => [index, index * 2]));
    expect(most).toBe(3);
  });

  it('waits while the platform is full or away, as long as it asks for, and sends the same rows again', async () => {
    let refusals = 0;
    const at: number[] = [];
    const router = routerOf(() => {
      at.push(router.clock.monotonic());
      refusals += 1;
      if (refusals === 1) throw away('resource-exhausted', 2_000);
      if (refusals === 2) throw away('unavailable');
      if (refusals === 3)
        throw new RpcError('deadline-exceeded', 'slow', { origin: 'local', code: statusCodes.DEADLINE_EXCEEDED });
    });
    const rows = await withTime(router.clock, score(router.context, await numbers(4)));
    expect(shown(rows)).toEqual([0, 1, 2, 3].map((index) => [index, index * 2]));
    expect(at[1]! - at[0]!).toBeGreaterThanOrEqual(2_000);
    expect(at[2]! - at[1]!).toBeGreaterThanOrEqual(200);
    expect(router.sent).toHaveLength(4);
  });

  it('gives up when nothing gets through for too long: sooner before the first answer', async () => {
    const never = routerOf(() => {
      throw away('unavailable');
    });
    await expect(withTime(never.clock, score(never.context, await numbers(1)))).rejects.toThrow('busy');
    expect(never.clock.monotonic()).toBeGreaterThan(20_000);
    expect(never.clock.monotonic()).toBeLessThan(40_000);
    const later = routerOf((_, call) => {
      if (call > 1) throw away('unavailable');
      later.clock.advance(100_000);
    });
    await expect(withTime(later.clock, score(later.context, await numbers(8)))).rejects.toThrow('busy');
    expect(later.clock.monotonic()).toBeGreaterThan(150_000);
    expect(later.clock.monotonic()).toBeLessThan(170_000);
  });

  it('sends fewer rows at once where they are too much together, and waits with a single one', async () => {
    const sizes: number[] = [];
    const router = routerOf((values, call) => {
      sizes.push(values.length);
      if (values.length > 1 || call === 4) throw new SluiceError('resource-exhausted', 'more than the limit');
    });
    const rows = await withTime(router.clock, score(router.context, await numbers(3)));
    expect(shown(rows)).toEqual([0, 1, 2].map((index) => [index, index * 2]));
    expect(sizes).toEqual([3, 2, 1, 1, 1, 1]);
    expect(router.clock.monotonic()).toBeLessThan(1_000);
  });

  it('takes no time for an outage in which nothing was asked', async () => {
    const router = routerOf((_, call) => {
      if (call === 1) throw away('unavailable');
    });
    const table = await numbers(1);
    const plan = planRows(model, table, []);
    const scorer = new Scorer(router.context, model, plan, options);
    router.clock.advance(300_000);
    const scoring = scorer
      .score(preparedRows(plan, table.rows(), 4, Infinity))
      [Symbol.asyncIterator]()
      .next();
    expect(shown((await withTime(router.clock, scoring)).value as ScoredRow[])).toEqual([[0, 0]]);
  });

  it.each([
    ['not-found', new SluiceError('not-found', 'gone')],
    ['internal', new SluiceError('internal', 'broken')],
    ['what may end a runtime', new SluiceError('invalid-argument', 'poison', { neverAgain: true })],
    ['what ended one', new SluiceError('unavailable', 'poison', { neverAgain: true })],
  ])('ends at once at %s', async (_, error) => {
    const { context, sent } = routerOf(() => {
      throw error;
    });
    await expect(score(context, await numbers(4))).rejects.toThrow(error.message);
    expect(sent).toHaveLength(1);
  });

  it('finds the rows that the version refuses, and has answers for all others', async () => {
    const { context, sent } = routerOf((values) => {
      if (values.includes(2)) throw new SluiceError('invalid-argument', 'x is 2');
      if (values.includes(5)) throw new SluiceError('model-failed', 'x is 5');
    });
    const rows = await score(context, await numbers(8));
    expect(shown(rows)).toEqual([
      [0, 0],
      [1, 2],
      [2, 'line 4: x is 2'],
      [3, 6],
      [4, 8],
      [5, 'line 7: x is 5'],
      [6, 12],
      [7, 14],
    ]);
    expect(sent.length).toBeLessThanOrEqual(12);
  });

  it('sends no row that cannot be read, and no request without rows', async () => {
    const { context, sent } = routerOf();
    const rows = await score(context, await csv('x\n0\nabc\n1,2\n3\n""\nz\nz\nz\n'));
    expect(shown(rows).map(([, result]) => result)).toEqual([
      0,
      'line 3, column "x": "abc" is not a number (FP32)',
      'line 4: has 2 cells where 1 are expected',
      6,
      'line 6, column "x": the value is missing and the feature is not nullable',
      'line 7, column "x": "z" is not a number (FP32)',
      'line 8, column "x": "z" is not a number (FP32)',
      'line 9, column "x": "z" is not a number (FP32)',
    ]);
    expect(sent.map(([inference]) => inference.inputs[0]!.shape)).toEqual([[2, 1]]);
  });

  it('ends when it is interrupted while it waits', async () => {
    const { context, clock, stop } = routerOf(() => {
      throw away('unavailable');
    });
    const scoring = score(context, await numbers(1));
    scoring.catch(() => undefined);
    await eventually(() => {
      if (clock.pendingTimers === 0) throw new Error('does not wait yet');
    });
    stop.abort();
    await expect(scoring).rejects.toThrow('busy');
  });

  it('refuses an answer of other rows than were sent', async () => {
    const { context } = routerOf((values) => void (values as number[]).pop());
    await expect(score(context, await numbers(4))).rejects.toThrow('output "y" has 3 rows for 4 that were sent');
  });
});

describe('rows of one request', () => {
  const wide = (rowShape: number[]): BatchModel => ({
    ...model,
    maxRows: 1_000,
    inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, ...rowShape], features: [] }],
  });
  const json = (text: string) => openJsonLines(bytesInMemory(Buffer.from(text)));

  it('are as many as the version batches, fewer where they are large, one where they differ in shape', async () => {
    const one = planRows(model, await numbers(1), []);
    expect([rowsPerRequest(model, one, 0), rowsPerRequest(model, one, 3)]).toEqual([4, 3]);
    expect(() => rowsPerRequest(model, one, 5)).toThrow('--rows: twice version 2 takes 4 in a request');
    const large = wide([65_536]);
    const list = await json('{"x":[0]}');
    expect(rowsPerRequest(large, planRows(large, list, []), 0)).toBe(7);
    const ragged = wide([-1]);
    expect(rowsPerRequest(ragged, planRows(ragged, list, []), 0)).toBe(1);
    expect(() => rowsPerRequest(ragged, planRows(ragged, list, []), 2)).toThrow(/takes 1 .* differ in shape/);
  });

  it('take lists from a column of the name of the input, beside columns that are passed on', async () => {
    const table = await json(
      '{"id":7,"x":[[1,2],[3,4]],"other":"o"}\n{"id":null,"x":[1,2,3,4]}\n{"id":1,"x":[1,2]}\n{"id":1,"x":5}\n{"id":"s","x":[1,2,3,4]}\n',
    );
    const square = wide([2, 2]);
    const plan = planRows(square, table, ['id']);
    expect([plan.note, plan.carried.map(({ name, type }) => `${name} ${type}`), columnsNeeded(plan, table)]).toEqual([
      'columns not used: other',
      ['id string'],
      ['id', 'x'],
    ]);
    const prepared: PreparedRow[] = [];
    for await (const portion of table.rows()) prepared.push(...portion.map((row) => prepareRow(plan, row)));
    expect(prepared.map((row) => row.tensors?.[0] ?? row.problem)).toEqual([
      'line 1: column "id": expected string, got 7',
      { shape: [2, 2], values: [1, 2, 3, 4] },
      'line 3: column "id": expected string, got 1',
      'line 4: column "id": expected string, got 1',
      { shape: [2, 2], values: [1, 2, 3, 4] },
    ]);
    const alone = planRows(square, table, []);
    const problems: string[] = [];
    for await (const portion of table.rows()) problems.push(...portion.map((row) => prepareRow(alone, row).problem));
    expect(problems).toEqual([
      '',
      '',
      'line 3, column "x": a list of the shape [2]; x takes [2, 2] a row',
      'line 4, column "x": expected a list of values, got 5',
      '',
    ]);
    expect(() => planRows(square, table, ['nobody'])).toThrow(
      '--columns: the input has no column "nobody"; it has "id", "x", "other"',
    );
  });

  it('take lists from JSON in a cell', async () => {
    const table = await csv('x,id\n"[1, ""NaN"", 3]",a\n[1],b\nx,c\n');
    const three = wide([3]);
    const plan = planRows(three, table, ['id']);
    const found: unknown[] = [];
    for await (const portion of table.rows()) found.push(...portion.map((row) => prepareRow(plan, row)));
    expect((found as PreparedRow[]).map((row) => row.tensors?.[0]!.values ?? row.problem)).toEqual([
      [1, Number.NaN, 3],
      'line 3, column "x": a list of the shape [1]; x takes [3] a row',
      'line 4, column "x": expected a list of values in JSON, such as [0, 1.5]',
    ]);
  });

  it('are fewer where texts are long, also those that are passed on', async () => {
    const sizesOf = async (text: string, of: BatchModel, carry: string[], most: number) => {
      const table = await json(text);
      const sizes: number[] = [];
      for await (const portion of preparedRows(planRows(of, table, carry), table.rows(), 4, Infinity, most))
        sizes.push(portion.length);
      return sizes;
    };
    const texts: BatchModel = { ...model, inputs: [{ name: 'x', datatype: 'BYTES', shape: [-1, 1], features: [] }] };
    const rowOf = (x: number, id: number) => `{"x":"${'x'.repeat(x)}","id":"${'i'.repeat(id)}"}\n`;
    const [long, short] = [rowOf(60, 1), rowOf(5, 1)];
    expect(await sizesOf(long + long + long + short + short, texts, [], 100)).toEqual([2, 3]);
    expect(await sizesOf(short.repeat(9), texts, [], 100)).toEqual([4, 4, 1]);
    expect(await sizesOf(rowOf(5, 60).repeat(4), texts, ['id'], 100)).toEqual([2, 2]);
    expect(await sizesOf('{"x":1,"id":["a"]}\n'.repeat(4), model, ['id'], 30)).toEqual([2, 2]);
    expect([bytesPerRequest(0), bytesPerRequest(7)]).toEqual([4_194_304, 33_554_432]);
  });

  it('end at the limit', async () => {
    const table = await numbers(10);
    const sizes: number[] = [];
    for await (const portion of preparedRows(planRows(model, table, []), table.rows(), 4, 6))
      sizes.push(portion.length);
    expect(sizes).toEqual([4, 2]);
  });
});
