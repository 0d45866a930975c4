import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Signature } from '@sluice/domain/signature';
import { spec } from './runtime.ts';
import type { TestVersion } from './test-registry.ts';

const folder = fileURLToPath(new URL('../../../../examples/models/', import.meta.url));

/** Rows of a data set with the truth of each. */
export interface Labelled {
  readonly rows: readonly (readonly number[])[];
  readonly labels: readonly string[];
}

export function holdout(name: 'digits' | 'wdbc'): Labelled {
  const [, ...lines] = readFileSync(`${folder}${name}/holdout.csv`, 'utf8').trim().split('\n');
  const cells = lines.map((line) => line.split(','));
  return { rows: cells.map((row) => row.slice(0, -1).map(Number)), labels: cells.map((row) => row.at(-1)!) };
}

export const digitsSignature: Signature = {
  inputs: [spec('pixels', 'FP32', [-1, 64])],
  outputs: [spec('probabilities', 'FP32', [-1, 10])],
  batched: true,
};

export const wdbcSignature: Signature = {
  inputs: [spec('features', 'FP32', [-1, 30])],
  outputs: [spec('label', 'BYTES', [-1]), spec('probabilities', 'FP32', [-1, 2])],
  batched: true,
};

export const exampleFile = (model: string): string => `${folder}${model}.onnx`;

export function example(model: 'digits' | 'wdbc', name: string, version: number, ...aliases: string[]): TestVersion {
  const signature = model === 'digits' ? digitsSignature : wdbcSignature;
  return { model, version, signature, files: { 'model.onnx': readFileSync(exampleFile(`${model}/${name}`)) }, aliases };
}
