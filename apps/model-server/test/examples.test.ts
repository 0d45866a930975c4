import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeTensor } from '@sluice/inference/tensor-data';
import type { InferResponse } from '@sluice/inference/infer-response';
import { example, exampleFile, holdout, type Labelled } from './support/examples.ts';
import { referenceRun } from './support/reference.ts';
import { requestOf, startRuntime, temporaryFolder, type TestRuntime } from './support/runtime.ts';
import { TestRegistry } from './support/test-registry.ts';

let registry: TestRegistry;
let runtime: TestRuntime;
const digits = holdout('digits');
const wdbc = holdout('wdbc');

beforeAll(async () => {
  registry = await new TestRegistry().start();
  registry.place(
    example('digits', 'linear', 1, 'linear'),
    example('digits', 'mlp', 2, 'mlp'),
    example('digits', 'cnn', 3, 'cnn', 'champion'),
    example('wdbc', 'logistic', 1, 'logistic', 'champion'),
    example('wdbc', 'forest', 2, 'forest'),
  );
  runtime = await (await startRuntime({ registry: registry.address, stateDir: temporaryFolder() })).ready();
});
afterAll(async () => {
  await runtime.stop();
  await registry.stop();
});

function output(response: InferResponse, name: string): readonly (number | bigint | string)[] {
  const found = response.outputs.find((tensor) => tensor.name === name)!;
  return [...decodeTensor(found.datatype, found.data)];
}

/** Sends all rows in requests of `size` rows, all at once, and gives one output row by row. */
async function ask(model: string, version: string, data: Labelled, size: number, name: string, input: string) {
  const parts: (readonly (readonly number[])[])[] = [];
  for (let at = 0; at < data.rows.length; at += size) parts.push(data.rows.slice(at, at + size));
  const answers = await Promise.all(
    parts.map(async (rows) => {
      const shape = [rows.length, rows[0]!.length];
      const response = await runtime.infer(requestOf(model, 'FP32', shape, rows.flat(), { version, input }));
      return { rows: rows.length, values: output(response, name), answered: response.modelVersion };
    }),
  );
  return answers.flatMap(({ rows, values, answered }) => {
    const width = values.length / rows;
    return Array.from({ length: rows }, (_, row) => ({
      answered,
      values: values.slice(row * width, (row + 1) * width),
    }));
  });
}

const argmax = (values: readonly unknown[]): number =>
  values.reduce<number>((best, value, index) => (Number(value) > Number(values[best]) ? index : best), 0);

describe('the example models', () => {
  it.each([
    { name: 'cnn', number: '3', right: 586 },
    { name: 'mlp', number: '2', right: 574 },
    { name: 'linear', number: '1', right: 514 },
  ])('digits/$name gets $right of 597 right, one by one and in batches, as ONNX Runtime itself', async (model) => {
    const truth = await referenceRun(exampleFile(`digits/${model.name}`), 'pixels', digits.rows, 'probabilities');
    for (const size of [1, 7, 32, 100, 597]) {
      const answers = await ask('digits', model.name, digits, size, 'probabilities', 'pixels');
      expect(answers).toHaveLength(597);
      expect(answers.every(({ answered }) => answered === model.number)).toBe(true);
      const right = answers.filter(({ values }, row) => String(argmax(values)) === digits.labels[row]).length;
      expect(right).toBe(model.right);
      const worst = Math.max(
        ...answers.map(({ values }, row) =>
          Math.max(...values.map((value, i) => Math.abs(Number(value) - truth[row]![i]!))),
        ),
      );
      expect(worst).toBeLessThanOrEqual(1e-6);
    }
  });

  it.each([
    { name: 'forest', right: 157 },
    { name: 'logistic', right: 163 },
  ])('wdbc/$name gets $right of 169 right with string labels', async (model) => {
    for (const size of [1, 13, 169]) {
      const answers = await ask('wdbc', model.name, wdbc, size, 'label', 'features');
      const right = answers.filter(({ values }, row) => values[0] === wdbc.labels[row]).length;
      expect(right).toBe(model.right);
    }
  });

  it('forms batches under concurrency', async () => {
    const before = (await runtime.state()).versions.find(
      (version) => version['model'] === 'digits' && version['version'] === 2,
    )!;
    await ask('digits', 'mlp', digits, 1, 'probabilities', 'pixels');
    const after = (await runtime.state()).versions.find(
      (version) => version['model'] === 'digits' && version['version'] === 2,
    )!;
    const rows = Number(after['rows']) - Number(before['rows']);
    const batches = Number(after['batches']) - Number(before['batches']);
    expect(rows).toBe(597);
    expect(rows / batches).toBeGreaterThan(4);
  });

  it('answers only the outputs that are asked for, in that order', async () => {
    const row = wdbc.rows[0]!;
    const send = async (...outputs: string[]) =>
      (await runtime.infer(requestOf('wdbc', 'FP32', [1, 30], row, { input: 'features', outputs }))).outputs.map(
        ({ name }) => name,
      );
    await expect(send()).resolves.toEqual(['label', 'probabilities']);
    await expect(send('probabilities')).resolves.toEqual(['probabilities']);
    await expect(send('probabilities', 'label')).resolves.toEqual(['probabilities', 'label']);
  });

  it('answers a request without rows', async () => {
    for (const [model, input, width] of [
      ['digits', 'pixels', 64],
      ['wdbc', 'features', 30],
    ] as const) {
      const response = await runtime.infer(requestOf(model, 'FP32', [0, width], [], { input }));
      expect(response.outputs.every((tensor) => tensor.shape[0] === 0 && tensor.data.byteLength === 0)).toBe(true);
    }
  });
});
