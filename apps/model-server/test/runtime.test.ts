import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import type { Datatype } from '@sluice/domain/datatype';
import { decodeTensor, encodeTensor, type PlainValue } from '@sluice/inference/tensor-data';
import { attribute, graph, identityModel, model, node, tensor, value } from '@sluice/testkit/onnx-builder';
import type { BatchPlan, OutputPlan } from '../src/runtime/batch-plan.ts';
import type { RuntimeDatatype } from '../src/runtime/datatypes.ts';
import { rowRange } from '../src/runtime/outputs.ts';
import { SessionPool } from '../src/runtime/session-pool.ts';
import type { BatchOutcome } from '../src/runtime/session-thread.ts';

const folder = mkdtempSync(join(tmpdir(), 'sluice-runtime-'));
const pools: SessionPool[] = [];
const exits: string[] = [];
let files = 0;

afterEach(async () => {
  await Promise.all(pools.splice(0).map((pool) => pool.close()));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function load(bytes: Uint8Array, instances = 1): Promise<SessionPool> {
  const graphFile = join(folder, `${files++}.onnx`);
  writeFileSync(graphFile, bytes);
  const settings = { graphFile, intraOpThreads: 1, spinning: false };
  const pool = await SessionPool.load(settings, instances, (error) => exits.push(error.message));
  pools.push(pool);
  return pool;
}

interface Ran {
  readonly rows: number;
  readonly outputs: Record<string, { dims: readonly number[]; values: PlainValue[] }>;
}

/** Runs one batch and copies what came out. */
function run(pool: SessionPool, plan: BatchPlan, rows: number, inputs: readonly Uint8Array[]): Promise<Ran> {
  return new Promise((resolve, reject) => {
    pool.submit({
      plan,
      rows,
      maxRows: 32,
      stringBytes: inputs.map((bytes) => bytes.byteLength),
      fill: (targets) => targets.forEach((target, index) => target.set(inputs[index]!)),
      done: (outcome: BatchOutcome) => {
        if (!outcome.ok) {
          reject(outcome.error);
          return;
        }
        const entries = outcome.outputs.outputs.map((output) => {
          const { start, end } = rowRange(output, 0, rows);
          const values = [...decodeTensor(output.datatype, output.bytes.slice(start, end))];
          return [output.name, { dims: output.dims, values }] as const;
        });
        resolve({ rows: outcome.outputs.rows, outputs: Object.fromEntries(entries) });
      },
    });
  });
}

function identityPlan(id: number, datatype: RuntimeDatatype, dims: readonly number[], batched = true): BatchPlan {
  const output: OutputPlan = { name: 'y', datatype, dims: datatype === 'BYTES' ? undefined : dims };
  return { id, batched, inputs: [{ name: 'x', datatype, dims }], outputs: [output] };
}

const samples: Record<Exclude<Datatype, 'BF16'>, PlainValue[]> = {
  BOOL: [1, 0, 1, 0, 0, 1],
  UINT8: [0, 1, 2, 254, 255, 7],
  UINT16: [0, 1, 2, 65_534, 65_535, 7],
  UINT32: [0, 1, 2, 4_294_967_295, 5, 7],
  UINT64: [0n, 1n, 2n, 18_446_744_073_709_551_615n, 5n, 7n],
  INT8: [0, -1, 2, -128, 127, 7],
  INT16: [0, -1, 2, -32_768, 32_767, 7],
  INT32: [0, -1, 2, -2_147_483_648, 2_147_483_647, 7],
  INT64: [0n, -1n, 2n, -9_223_372_036_854_775_808n, 9_223_372_036_854_775_807n, 7n],
  FP16: [0, 0.5, -2, 65_504, 0.000061035, 7],
  FP32: [0, 0.5, -2, 3.4e38, 1e-30, 7],
  FP64: [0, 0.5, -2, 1.7e308, 1e-300, 7],
  BYTES: ['', 'a', 'größe', '日本', 'x'.repeat(300), '7'],
};

describe('sessions in worker threads', () => {
  it.each(Object.keys(samples) as RuntimeDatatype[])('carries %s through shared memory exactly', async (datatype) => {
    const pool = await load(identityModel(datatype, ['batch', 3]));
    expect(pool.inputs).toEqual([{ name: 'x', datatype, shape: [-1, 3] }]);
    const bytes = encodeTensor(datatype, samples[datatype]);
    const ran = await run(pool, identityPlan(1, datatype, [3]), 2, [bytes]);
    expect(ran.outputs['y']?.dims).toEqual([3]);
    expect(Buffer.from(encodeTensor(datatype, ran.outputs['y']!.values))).toEqual(Buffer.from(bytes));
    // A second batch of another size in the same slot, and one of no rows.
    const again = await run(pool, identityPlan(1, datatype, [3]), 1, [
      encodeTensor(datatype, samples[datatype].slice(0, 3)),
    ]);
    expect(again.outputs['y']?.values).toHaveLength(3);
    const none = await run(pool, identityPlan(1, datatype, [3]), 0, [new Uint8Array()]);
    expect(none.outputs['y']?.values).toEqual([]);
  });

  it('keeps scalars and zero-sized dimensions as they are', async () => {
    const scalar = await load(identityModel('FP32', []));
    const ran = await run(scalar, identityPlan(1, 'FP32', [], false), 1, [encodeTensor('FP32', [2.5])]);
    expect(ran.outputs['y']).toEqual({ dims: [], values: [2.5] });
    const empty = await load(identityModel('INT64', ['a', 'b']));
    const plan = {
      ...identityPlan(1, 'INT64', [0, 3], false),
      outputs: [{ name: 'y', datatype: 'INT64', dims: undefined }],
    };
    const gone = await run(empty, plan as BatchPlan, 1, [new Uint8Array()]);
    expect(gone.outputs['y']).toEqual({ dims: [0, 3], values: [] });
  });

  it('takes outputs of unknown shape on the path that asks the run', async () => {
    const nonZero = await load(
      model({
        graph: graph({
          nodes: [node('NonZero', ['x'], ['y'])],
          inputs: [value('x', 'FP32', ['n'])],
          outputs: [value('y', 'INT64', [1, 'found'])],
        }),
      }),
    );
    const plan: BatchPlan = {
      id: 1,
      batched: false,
      inputs: [{ name: 'x', datatype: 'FP32', dims: [5] }],
      outputs: [{ name: 'y', datatype: 'INT64', dims: undefined }],
    };
    const ran = await run(nonZero, plan, 1, [encodeTensor('FP32', [0, 3, 0, 0, 4])]);
    expect(ran.outputs['y']).toEqual({ dims: [1, 2], values: [1n, 4n] });
  });

  it('runs hundreds of batches of changing size, plan and instance without mixing them up', async () => {
    const pool = await load(identityModel('FP32', ['batch', 'width']), 2);
    const plans = Array.from({ length: 80 }, (_, index) => identityPlan(index + 1, 'FP32', [index + 1]));
    let next = 0;
    const lane = async (): Promise<void> => {
      while (next < 600) {
        const number = next++;
        const plan = plans[(number * 7) % plans.length]!;
        const rows = (number % 9) + 1;
        const values = Array.from({ length: rows * plan.inputs[0]!.dims[0]! }, (_, index) => number * 1000 + index);
        const ran = await run(pool, plan, rows, [encodeTensor('FP32', values)]);
        expect(ran.outputs['y']?.values).toEqual(values.map((v) => Math.fround(v)));
      }
    };
    await Promise.all(Array.from({ length: pool.slots }, lane));
    expect(pool.inFlight).toBe(0);
  });

  it('mixes batches of both paths in one thread', async () => {
    const pool = await load(identityModel('FP32', ['batch', 3]));
    const fixed = identityPlan(1, 'FP32', [3]);
    const open: BatchPlan = { ...fixed, id: 2, outputs: [{ name: 'y', datatype: 'FP32', dims: undefined }] };
    let next = 0;
    const lane = async (): Promise<void> => {
      while (next < 200) {
        const number = next++;
        const values = [number, number + 0.5, -number];
        const ran = await run(pool, number % 3 === 0 ? open : fixed, 1, [encodeTensor('FP32', values)]);
        expect(ran.outputs['y']?.values).toEqual(values);
      }
    };
    await Promise.all([lane(), lane()]);
  });

  it('answers a run that fails and goes on', async () => {
    const gather = await load(
      model({
        graph: graph({
          nodes: [node('Gather', ['table', 'x'], ['y'], [attribute.int('axis', 0)])],
          inputs: [value('x', 'INT64', ['batch'])],
          outputs: [value('y', 'FP32', ['batch'])],
          initializers: [tensor('table', 'FP32', [3], [10, 20, 30])],
        }),
      }),
    );
    const plan: BatchPlan = {
      id: 1,
      batched: true,
      inputs: [{ name: 'x', datatype: 'INT64', dims: [] }],
      outputs: [{ name: 'y', datatype: 'FP32', dims: [] }],
    };
    await expect(run(gather, plan, 1, [encodeTensor('INT64', [11n])])).rejects.toMatchObject({
      kind: 'model-failed',
      message: expect.stringContaining('the model failed') as string,
    });
    const ran = await run(gather, plan, 2, [encodeTensor('INT64', [2n, 0n])]);
    expect(ran.outputs['y']?.values).toEqual([30, 10]);
  });

  it('says why a graph does not load', async () => {
    await expect(load(identityModel('FP32').subarray(0, 40))).rejects.toMatchObject({
      kind: 'failed-precondition',
      message: expect.stringContaining('could not load the model') as string,
    });
    await expect(load(identityModel('BF16'))).rejects.toMatchObject({ kind: 'failed-precondition' });
  });

  it('gives the memory of closed sessions back', async () => {
    const weights = 2 << 20;
    const bytes = model({
      graph: graph({
        nodes: [node('Add', ['x', 'w'], ['y'])],
        inputs: [value('x', 'FP32', [1])],
        outputs: [value('y', 'FP32', [weights])],
        initializers: [tensor('w', 'FP32', [weights], new Uint8Array(weights * 4).fill(1))],
      }),
    });
    const graphFile = join(folder, 'large.onnx');
    writeFileSync(graphFile, bytes);
    const cycle = async (): Promise<void> => {
      const pool = await SessionPool.load({ graphFile, intraOpThreads: 1, spinning: false }, 1, () => undefined);
      await pool.close();
    };
    for (let index = 0; index < 4; index += 1) await cycle();
    const before = process.memoryUsage.rss();
    for (let index = 0; index < 12; index += 1) await cycle();
    expect(process.memoryUsage.rss() - before).toBeLessThan(5 * weights * 4);
  });
});
