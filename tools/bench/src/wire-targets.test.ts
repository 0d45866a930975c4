import { describe, expect, test } from 'vitest';
import type { Figures, LoadSeries } from './figures.ts';
import type { Measure } from './measure.ts';
import { rowsOf } from './rows.ts';
import { joinSlices } from './slices.ts';

const run = (requestsPerSecond: number, cpuUs: Record<string, number> = {}): Measure =>
  joinSlices([
    {
      ...{
        requestsPerSecond,
        seconds: 1,
        sent: 1,
        p50Ms: 1,
        p99Ms: 2,
        cpuUs,
        threadCpuUs: {},
        averageBatch: undefined,
      },
      ...{ generatorShare: 0.1, generatorCeiling: 1e5, generatorProblems: [], checkProblems: [] },
    },
  ]);
const series = (name: string, rate: number, cpuUs: Record<string, number> = {}): LoadSeries => {
  const [workload, subject, inFlight] = name.split('/');
  return { workload: workload!, subject: subject!, inFlight: Number(inFlight), runs: [run(rate, cpuUs)] };
};
const targetsOf = (load: readonly LoadSeries[], others: Partial<Figures> = {}): (readonly [string, number, number])[] =>
  rowsOf({ raw: [], rest: [], scenarios: [], load, transport: 'wire', ...others })
    .filter(({ name, target }) => target !== undefined && name.startsWith('wire: '))
    .map(({ name, value, target }) => [name, value, target!.value]);

describe('targets of libs/wire', () => {
  const load = [1, 16, 64, 256].flatMap((inFlight) => [
    series(`small/echo/${inFlight}`, 100),
    series(`small/wire-echo/${inFlight}`, 800, { 'wire-echo': 4 }),
    series(`small/direct/${inFlight}`, 10 * inFlight, { 'model-server': 8 }),
    series(`small/router/${inFlight}`, 5 * inFlight, { router: 7 + inFlight / 64, 'model-server': 3 }),
  ]);

  test('each is over the echo at the same number in flight', () => {
    expect(targetsOf(load)).toEqual([
      ['wire: CPU of an echo (64 in flight)', 4, 5],
      ['wire: echo over grpc-js echo (64 in flight)', 8, 8],
      ['wire: CPU of the model-server, small model, direct (64 in flight)', 8, 9],
      ['wire: CPU of the router, small model (64 in flight)', 8, 12],
      ['wire: CPU of the router, small model (256 in flight)', 11, 12],
      ['wire: small model, direct over grpc-js echo (64 in flight)', 6.4, 5],
      ['wire: small model, direct over grpc-js echo (256 in flight)', 25.6, 6],
      ['wire: small model, direct over grpc-js echo (16 in flight)', 1.6, 2.2],
      ['wire: small model, direct over grpc-js echo (1 in flight)', 0.1, 0.8],
      ['wire: small model, router over grpc-js echo (64 in flight)', 3.2, 2.8],
      ['wire: small model, router over grpc-js echo (256 in flight)', 12.8, 2.8],
    ]);
  });

  test('on grpc-js only the echo of libs/wire is held to them', () => {
    expect(targetsOf(load, { transport: 'grpc-js' }).map(([name]) => name)).toEqual([
      'wire: CPU of an echo (64 in flight)',
      'wire: echo over grpc-js echo (64 in flight)',
    ]);
  });

  test('the perceptron is compared with the batch of 128, though ONNX Runtime is better at another', () => {
    const raw = [
      { workload: 'perceptron', batch: 64, best: true, rowsPerSecond: [2000] },
      { workload: 'perceptron', batch: 128, best: false, rowsPerSecond: [1000] },
    ];
    const measured = [series('perceptron/direct/512', 930), series('perceptron/router/512', 870)];
    expect(targetsOf(measured, { raw })).toEqual([
      ['wire: perceptron: direct (512 in flight) over raw ONNX Runtime (batch 128)', 0.93, 0.92],
      ['wire: perceptron: router (512 in flight) over raw ONNX Runtime (batch 128)', 0.87, 0.88],
    ]);
    expect(targetsOf(measured, { raw, transport: 'grpc-js' })).toEqual([]);
  });

  test('large requests are compared with node:http2', () => {
    const measured = [series('average/http2/16', 500), series('average/direct/16', 600)];
    expect(targetsOf(measured)).toEqual([
      ['wire: MB/s of 600 kB requests into an average, over node:http2 (16 in flight)', 1.2, 1],
    ]);
    expect(targetsOf(measured.slice(1))).toEqual([]);
  });

  test('TLS is compared with the same without it, and only reported', () => {
    const measured = [
      series('small/direct/16', 400),
      ...['direct', 'direct-tls', 'router-tls'].map((subject, at) => series(`small/${subject}/64`, 1000 - 200 * at)),
    ];
    const rows = rowsOf({ raw: [], rest: [], scenarios: [], load: measured, transport: 'wire' });
    expect(rows.filter(({ name }) => name.includes('TLS'))).toMatchObject([
      { name: 'wire: small, direct with TLS 1.3, over without (64 in flight)', value: 0.8, target: undefined },
    ]);
  });
});
