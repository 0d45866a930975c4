import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildInferRequest } from '@sluice/inference/request-builder';
import { encodeTensor } from '@sluice/inference/tensor-data';
import type { ParameterValue } from '@sluice/inference/parameters';
import { eventually } from '@sluice/testkit/eventually';
import { compareWithPage, exposedMetrics } from '@sluice/testkit/metrics-page';
import { identityModel } from '@sluice/testkit/onnx-builder';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { accumulator } from './support/accumulator.ts';
import { adder, ask } from './support/adder.ts';
import { loopingModel } from './support/looping-model.ts';
import { identitySignature, requestOf, startRuntime, temporaryFolder, type TestRuntime } from './support/runtime.ts';
import { TestRegistry, type TestVersion } from './support/test-registry.ts';

/** Runs for some tenths of a second, so that there is time to look at what waits behind it. */
const slow: TestVersion = {
  model: 'slow',
  version: 1,
  signature: identitySignature('FP32', [-1, 1]),
  serving: { maxBatchSize: 4, device: 'cpu', warmupCount: 0, priorityLevels: 2, defaultPriorityLevel: 2 },
  files: { 'm.onnx': loopingModel(250_000) },
};

const unbatched: TestVersion = {
  model: 'unbatched',
  version: 1,
  signature: identitySignature('FP32', [3]),
  files: { 'm.onnx': identityModel('FP32', [3]) },
};

const broken: TestVersion = { ...unbatched, model: 'broken', files: { 'm.onnx': Buffer.from('no model') } };

let registry: TestRegistry;
let runtime: TestRuntime;
beforeAll(async () => {
  registry = await new TestRegistry().start();
  registry.place(adder(1, ['champion']), slow, unbatched, broken, accumulator());
  runtime = await (await startRuntime({ registry: registry.address, stateDir: temporaryFolder() })).ready();
});
afterAll(async () => {
  await runtime.stop();
  await registry.stop();
});

/** The value of the one series with this name and these labels, whatever others it has. */
async function scrape() {
  const text = await runtime.metrics();
  const series = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  const read = (name: string, ...labels: string[]): number | undefined => {
    const found = series.filter((line) => line.startsWith(`${name}{`) && labels.every((label) => line.includes(label)));
    expect(found.length).toBeLessThan(2);
    return found[0] === undefined ? undefined : Number(found[0].split(' ').at(-1));
  };
  return { text, series, read };
}

const phases = { queue: 'queue', input: 'compute_input', infer: 'compute_infer', output: 'compute_output' };

describe('what a scrape has', () => {
  it('is what the page says: names, types and labels', async () => {
    await runtime.infer(ask());
    expect((await runtime.send(ask('9'))).error).toMatchObject({ kind: 'not-found' });
    const { text } = await scrape();
    // What callers ask for and is not placed makes no series.
    expect(text).not.toContain('version="9"');
    const { differences, withoutSeries } = compareWithPage(text, 'model-server');
    expect(differences).toEqual([]);
    // Nobody streamed, nothing ended this runtime, and prom-client knows of things that no process has.
    const ours = withoutSeries.filter((name) => !name.startsWith('nodejs_'));
    expect(ours).toEqual(['sluice_streamed_requests_total', 'sluice_watchdog_strikes']);
  });

  it('has every name of Triton that the page does not leave out, under that name', async () => {
    const page = (name: string): string => readFileSync(join(import.meta.dirname, '../../../docs', name), 'utf8');
    const listed = page('oip.md').split('## Triton metric names')[1]!.split('Proposed, not merged')[0]!;
    const alternatives = (name: string): string[] => {
      const [, before, choices, after] = /^(.*?)\{(.*?)\}(.*)$/.exec(name) ?? [];
      return choices === undefined ? [name] : choices.split(',').map((choice) => `${before}${choice}${after}`);
    };
    const names = [...listed.matchAll(/`(nv_[^`]+)`/g)].flatMap(([, name]) => alternatives(name!));
    expect(names.length).toBeGreaterThan(30);
    const leftOut = page('metrics.md').split('they are left out:')[1]!.split('\n## ')[0]!;
    const patterns = [...leftOut.matchAll(/`(nv_[^`]+)`/g)].map(
      ([, pattern]) => new RegExp(`^${pattern!.replaceAll('*', '.*')}$`),
    );
    const exposed = exposedMetrics((await scrape()).text);
    for (const name of names)
      expect([name, exposed.has(name)]).toEqual([name, !patterns.some((pattern) => pattern.test(name))]);
  });

  it('counts each answered request once in every phase, and sums up to the counters of the same names', async () => {
    await runtime.infer(requestOf('unbatched', 'FP32', [3], [1, 2, 3]));
    await Promise.all(Array.from({ length: 40 }, () => runtime.infer(ask())));
    await runtime.infer(requestOf('adder', 'FP32', [0, 3], []));
    await runtime.infer(requestOf('adder', 'FP32', [40, 3], new Array<number>(120).fill(1)));
    await runtime.send(requestOf('adder', 'FP32', [1, 2], [1, 2]));
    const { read } = await scrape();
    for (const model of ['model="adder"', 'model="unbatched"']) {
      const success = read('nv_inference_request_success', model)!;
      expect(success).toBeGreaterThan(0);
      for (const [phase, name] of Object.entries({ ...phases, total: 'request' })) {
        const of = (suffix: string): number =>
          read(`sluice_inference_phase_seconds_${suffix}`, model, `phase="${phase}"`)!;
        expect(of('count')).toBe(success);
        expect(of('sum') * 1e6).toBeCloseTo(read(`nv_inference_${name}_duration_us`, model)!, 3);
        expect(of('sum')).toBeGreaterThan(0);
      }
      const parts = Object.values(phases).map((name) => read(`nv_inference_${name}_duration_us`, model)!);
      const all = read('nv_inference_request_duration_us', model)!;
      expect(parts.reduce((sum, part) => sum + part, 0)).toBeLessThanOrEqual(all + 1);
      expect(read('nv_inference_first_response_histogram_ms_count', model)).toBe(success);
      expect(read('nv_inference_first_response_histogram_ms_sum', model)! * 1000).toBeCloseTo(all, 3);
      expect(read('sluice_batch_rows_count', model)).toBe(read('nv_inference_exec_count', model));
    }
    expect(read('nv_inference_count', 'model="adder"')).toBe(
      read('nv_inference_request_success', 'model="adder"')! + 38,
    );
    expect(read('nv_inference_request_failure', 'model="adder"', 'reason="OTHER"')).toBe(1);
    // A request of 40 rows ran in two batches of at most 32.
    expect(read('sluice_batch_rows_bucket', 'model="adder"', 'le="32"')).toBe(
      read('sluice_batch_rows_count', 'model="adder"'),
    );
  });

  it('has no queue, batches and load time of a version that is not loaded, and its state', async () => {
    const { read, series } = await scrape();
    expect(read('sluice_version_state', 'model="broken"', 'state="failed"')).toBe(1);
    expect(read('sluice_version_state', 'model="broken"', 'state="ready"')).toBe(0);
    expect(series.filter((line) => /^(sluice_(queued|running|open)|nv_model_load).*broken/.test(line))).toEqual([]);
    expect(read('nv_model_load_duration_secs', 'model="adder"')).toBeGreaterThan(0);
    expect(read('nv_model_load_duration_secs', 'model="adder"')).toBeLessThan(30);
  });

  it('has the machine, where there is a /proc', async () => {
    const { read } = await scrape();
    expect(read('nv_cpu_memory_used_bytes')).toBeLessThan(read('nv_cpu_memory_total_bytes')!);
    expect(read('nv_cpu_utilization')).toBeGreaterThanOrEqual(0);
    expect(read('nv_cpu_utilization')).toBeLessThanOrEqual(1);
  });
});

describe('queues', () => {
  const slowly = (rows: number, priority?: number): Buffer => {
    const data = encodeTensor('FP32', new Array<number>(rows).fill(1));
    const parameters = new Map<string, ParameterValue>(
      priority === undefined ? [] : [['priority', { kind: 'uint64', value: BigInt(priority) }]],
    );
    const inputs = [{ name: 'x', datatype: 'FP32' as const, shape: [rows, 1], data }];
    return buildInferRequest({ modelName: 'slow', parameters, inputs });
  };

  const shows = (expected: Readonly<Record<string, number>>): Promise<void> =>
    eventually(async () => {
      const { read } = await scrape();
      const now = Object.keys(expected).map((key) => {
        const [name, ...labels] = key.split(' ');
        return [key, read(name!, 'model="slow"', ...labels)];
      });
      expect(Object.fromEntries(now)).toEqual(expected);
    }, 2_000);

  async function lookWhileOneRuns(): Promise<void> {
    const calls: { readonly cancel: () => void; readonly ended: Promise<unknown> }[] = [];
    const start = (bytes: Buffer): void => {
      const { promise, resolve } = Promise.withResolvers();
      const options = { deadlineMs: Date.now() + 60_000 };
      const call = runtime.raw.call('/inference.GRPCInferenceService/ModelInfer', bytes, options, resolve);
      calls.push({ cancel: () => call.cancel(), ended: promise });
    };
    try {
      start(slowly(1));
      await shows({ sluice_running_batches: 1, sluice_running_rows: 1, sluice_open_batches: 0 });
      start(slowly(4));
      await shows({ sluice_running_batches: 1, sluice_open_batches: 1, nv_inference_pending_request_count: 1 });
      start(slowly(3));
      start(slowly(1, 1));
      await shows({
        'sluice_queued_requests level="1"': 1,
        'sluice_queued_rows level="1"': 1,
        'sluice_queued_requests level="2"': 1,
        'sluice_queued_rows level="2"': 3,
        sluice_running_batches: 1,
        sluice_running_rows: 1,
        sluice_open_batches: 1,
        sluice_open_rows: 4,
        nv_inference_pending_request_count: 3,
      });
    } finally {
      for (const { cancel } of calls) cancel();
      await Promise.all(calls.map(({ ended }) => ended));
      await eventually(() => shows({ sluice_running_batches: 0, nv_inference_pending_request_count: 0 }), 20_000);
    }
  }

  it('show what waits by level, what stands in place and what runs', async () => {
    // On a busy machine the batch may end before there was a look at all that waits behind it.
    await eventually(lookWhileOneRuns, 50_000);
  });

  it('have the level 0 where there are no levels', async () => {
    const { series } = await scrape();
    const levels = (model: string): string[] =>
      series
        .filter((line) => line.startsWith('sluice_queued_requests{') && line.includes(`model="${model}"`))
        .map((line) => /level="(\d+)"/.exec(line)![1]!);
    expect([levels('adder'), levels('slow')]).toEqual([['0'], ['1', '2']]);
  });
});

describe('a version that is unloaded', () => {
  it('has no series at the next scrape, and counts on when it is loaded again', async () => {
    const series = async () => (await scrape()).series.filter((line) => line.includes('version="2"'));
    const statistics = async () =>
      (await runtime.inference.modelStatistics({ name: 'adder' })).modelStats.filter(({ version }) => version === '2');
    registry.place(adder(1, ['champion']), adder(2));
    await runtime.modelReady('adder', '2');
    await runtime.infer(ask('2'));
    const [before] = await statistics();
    const had = (await series()).map((line) => line.split('} ')[0]!);
    expect(had.length).toBeGreaterThan(150);
    registry.place(adder(1, ['champion']));
    await eventually(async () => expect(await statistics()).toEqual([]));
    // It may still finish what it has, and has its series until then.
    await eventually(async () => expect(await series()).toEqual([]));
    registry.place(adder(1, ['champion']), adder(2));
    await runtime.modelReady('adder', '2');
    expect(await statistics()).toEqual([before]);
    expect((await series()).map((line) => line.split('} ')[0]!)).toEqual(had);
    await runtime.infer(ask('2'));
    expect((await scrape()).read('nv_inference_request_success', 'version="2"')).toBe(2);
    expect((await scrape()).read('sluice_inference_phase_seconds_count', 'version="2"', 'phase="infer"')).toBe(2);
    expect((await statistics())[0]).toMatchObject({ inferenceCount: '2' });
  });
});
