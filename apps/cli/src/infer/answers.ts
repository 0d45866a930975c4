import type { Datatype } from '@sluice/domain/datatype';
import type { TensorValues } from '@sluice/inference/tensor-data';
import type { ManifestView } from '../commands/versions.ts';

/** One output of an answer, decoded. */
export interface AnswerOutput {
  readonly name: string;
  readonly datatype: Datatype;
  readonly shape: readonly number[];
  readonly values: TensorValues;
}

export interface Answer {
  readonly predictionId: string;
  /** Number of the version that ran. */
  readonly version: string;
  /** Rows of the request that it answers. */
  readonly rows: number;
  readonly outputs: readonly AnswerOutput[];
}

export type OutputValue = number | bigint | string | boolean;

/** What an answer says of one row. */
export interface RowAnswer {
  readonly predictionId: string;
  /** Index of the row in its prediction, as labels and feedback name it. */
  readonly row: number;
  readonly version: string;
  readonly outputs: readonly { readonly name: string; readonly values: readonly OutputValue[] }[];
}

/** Takes an answer apart by rows; an output without a batch dimension is given to every row whole. */
export function rowsOf(answer: Answer, batched: boolean): readonly RowAnswer[] {
  const outputs = answer.outputs.map((output) => {
    // Before the rows: one copy of the whole output for each of them would be quadratic.
    const copied = Array.from(output.values as ArrayLike<OutputValue>);
    const values = output.datatype === 'BOOL' ? copied.map(Boolean) : copied;
    const isSplit = batched && output.shape[0] === answer.rows && answer.rows > 0;
    return { name: output.name, values, rowSize: isSplit ? values.length / answer.rows : undefined };
  });
  return Array.from({ length: answer.rows }, (_, row) => ({
    predictionId: answer.predictionId,
    row,
    version: answer.version,
    outputs: outputs.map(({ name, values, rowSize }) => ({
      name,
      values: rowSize === undefined ? values : values.slice(row * rowSize, (row + 1) * rowSize),
    })),
  }));
}

export type Task = NonNullable<ManifestView['task']>;

/** The prediction of a row in the terms of the task; undefined where the task names none. */
export function predictionOf(row: RowAnswer, task: Task | undefined): string | number | undefined {
  const chosen = task && task.kind !== 'none' ? task : guessTask(row);
  const output = row.outputs.find(({ name }) => name === chosen?.prediction);
  if (!chosen || !output || output.values.length === 0) return undefined;
  if (chosen.kind === 'regression') return Number(output.values[0]);
  const names = chosen.class_names ?? [];
  switch (chosen.class_from ?? 'argmax') {
    case 'label':
      return String(output.values[0]);
    case 'threshold': {
      const index = Number(output.values[0]) >= (chosen.threshold ?? 0.5) ? 1 : 0;
      return names[index] ?? String(index);
    }
    case 'argmax': {
      const index = argmax(output.values);
      return names[index] ?? String(index);
    }
  }
}

/** The class of a row by its number, and how probable the answer says that it is. */
export interface ClassOfRow {
  /** Undefined where the answer is a name that the task does not list. */
  readonly index: number | undefined;
  /** Undefined where the answer has no probabilities. */
  readonly probability: number | undefined;
}

/** @param task of a classification */
export function classOf(row: RowAnswer, task: Task): ClassOfRow {
  const values = row.outputs.find(({ name }) => name === task.prediction)?.values ?? [];
  switch (task.class_from ?? 'argmax') {
    case 'threshold': {
      const value = Number(values[0]);
      const isSecond = value >= (task.threshold ?? 0.5);
      const isProbability = value >= 0 && value <= 1;
      return { index: isSecond ? 1 : 0, probability: isProbability ? (isSecond ? value : 1 - value) : undefined };
    }
    case 'argmax': {
      const index = values.length === 0 ? undefined : argmax(values);
      return { index, probability: areProbabilities(values) ? Number(values[index!]) : undefined };
    }
    case 'label': {
      const names = task.class_names ?? [];
      const index = names.findIndex((name) => isSameClass(name, String(values[0])));
      // Beside a label there often are the probabilities of all classes.
      const scores = row.outputs.find(
        (output) => names.length > 1 && output.values.length === names.length && areProbabilities(output.values),
      );
      return index < 0
        ? { index: undefined, probability: undefined }
        : { index, probability: scores && Number(scores.values[index]) };
    }
  }
}

/** Scores that sum to 1 and lie between 0 and 1. */
function areProbabilities(values: readonly OutputValue[]): boolean {
  if (values.length < 2) return false;
  let sum = 0;
  for (const value of values) {
    if (typeof value !== 'number' || !(value >= 0 && value <= 1)) return false;
    sum += value;
  }
  return Math.abs(sum - 1) <= 1e-3;
}

function argmax(values: readonly OutputValue[]): number {
  let best = 0;
  for (let index = 1; index < values.length; index += 1) {
    if (Number(values[index]) > Number(values[best])) best = index;
  }
  return best;
}

/** For a model without a task: a label output if there is one, else the largest of several values. */
export function guessTask(row: RowAnswer): Task | undefined {
  const label = row.outputs.find(({ values }) => values.length === 1 && typeof values[0] !== 'number');
  if (label) return { kind: 'classification', class_from: 'label', prediction: label.name };
  const scores = row.outputs.find(({ values }) => values.length > 1 && typeof values[0] === 'number');
  return scores && { kind: 'classification', class_from: 'argmax', prediction: scores.name };
}

/** How well predictions meet the truth: right ones of classes, or the mean absolute error of numbers. */
export interface Judgement {
  readonly rows: number;
  readonly right?: number;
  readonly accuracy?: number;
  readonly meanAbsoluteError?: number;
}

export function judge(
  pairs: readonly { readonly prediction: string | number | undefined; readonly label: string }[],
): Judgement | undefined {
  const known = pairs.filter((pair) => pair.prediction !== undefined);
  if (known.length === 0) return undefined;
  const rows = known.length;
  if (known.every(({ prediction }) => typeof prediction === 'number')) {
    const sum = known.reduce((total, { prediction, label }) => total + Math.abs(Number(prediction) - Number(label)), 0);
    return { rows, meanAbsoluteError: sum / rows };
  }
  const right = known.filter(({ prediction, label }) => isSameClass(String(prediction), label)).length;
  return { rows, right, accuracy: right / rows };
}

/** `3` and `3.0` are one class; `malignant` is only itself. */
export function isSameClass(left: string, right: string): boolean {
  const [one, other] = [left.trim(), right.trim()];
  if (one === other) return true;
  return one !== '' && other !== '' && Number.isFinite(Number(one)) && Number(one) === Number(other);
}

export function showJudgement(judgement: Judgement): string {
  if (judgement.meanAbsoluteError !== undefined) {
    return `mean absolute error ${judgement.meanAbsoluteError.toPrecision(4)} over ${judgement.rows} rows`;
  }
  return `accuracy ${judgement.accuracy!.toFixed(4)} (${judgement.right} of ${judgement.rows} right)`;
}
