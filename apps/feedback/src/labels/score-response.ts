import { textProblem } from '@sluice/domain/text';
import type { TensorValues } from '@sluice/inference/tensor-data';
import type { Truth } from './item.ts';
import { isName } from './item.ts';
import { limits } from './limits.ts';
import { readOutput } from './read-output.ts';
import type { Task } from './task.ts';
import { namesOf } from './task.ts';

/** What an answer says of one row, held against the truth. */
export interface RowScore {
  readonly predictedName: string | null;
  readonly predictedNumber: number | null;
  /** What the answer gave the true class; null where it gives no probabilities. */
  readonly truthProbability: number | null;
}

/** Undefined for a row that says nothing: it is not there, or has no number where one is needed; or a truth of the other type. */
export type ScoreRow = (row: number, truth: Truth) => RowScore | undefined;

type Classification = Extract<Task, { kind: 'classification' }>;

/** How far the sum of probabilities may be from 1. */
const tolerance = 1e-3;

/**
 * Decodes the answer of a version once, for any number of its rows. Undefined when the version has no task or the answer does not
 * have the output that the task names, row by row.
 */
export function scoreResponse(response: Uint8Array, task: Task): ScoreRow | undefined {
  if (task.kind === 'none') return undefined;
  const output = readOutput(response, task.output);
  if (!output) return undefined;
  const { shape, values } = output;
  const rows = task.batched ? (shape[0] ?? 0) : 1;
  const width = values.length / rows;
  if (rows === 0 || width === 0 || !Number.isInteger(width)) return undefined;
  const within =
    (score: ScoreRow): ScoreRow =>
    (row, truth) =>
      row < rows ? score(row, truth) : undefined;
  if (task.kind === 'regression') return width === 1 ? within(numbers(values)) : undefined;
  switch (task.classFrom) {
    case 'argmax':
      return width === shape.at(-1) || shape.length === 0 ? within(largest(values, width, task)) : undefined;
    case 'threshold':
      return width === 1 ? within(thresholds(values, task)) : undefined;
    case 'label':
      return width === 1 ? within(classes(values, task)) : undefined;
  }
}

function numbers(values: TensorValues): ScoreRow {
  return (row, truth) => {
    const value = isName(truth) ? NaN : numberAt(values, row);
    return Number.isFinite(value) ? { predictedName: null, predictedNumber: value, truthProbability: null } : undefined;
  };
}

const numberAt = (values: TensorValues, index: number): number => {
  const value = values[index]!;
  return typeof value === 'string' ? NaN : Number(value);
};

const named = (predictedName: string, truthProbability: number | null): RowScore => ({
  predictedName,
  predictedNumber: null,
  truthProbability,
});

/** The largest value of a row, of equal ones the first, as the classification parameter of requests has it. */
function largest(values: TensorValues, width: number, task: Classification): ScoreRow {
  const { classNames } = task;
  if (classNames.length > 0 && classNames.length !== width) return () => undefined;
  return (row, truth) => {
    if (!isName(truth)) return undefined;
    let [best, sum, areProbabilities] = [0, 0, true];
    const from = row * width;
    for (let index = 0; index < width; index++) {
      const value = numberAt(values, from + index);
      if (Number.isNaN(value)) return undefined;
      // 64-bit integers are compared as they are: as numbers, two of them might be one.
      if (values[from + index]! > values[from + best]!) best = index;
      if (!(value >= 0 && value <= 1)) areProbabilities = false;
      sum += value;
    }
    const at = classNames.length > 0 ? namesOf(task).get(truth.name) : indexOf(truth.name, width);
    const isSum = Math.abs(sum - 1) <= tolerance;
    const probability = areProbabilities && isSum && at !== undefined ? numberAt(values, from + at) : null;
    return named(classNames[best] ?? String(best), probability);
  };
}

/** Where a version names no classes, their indexes are their names. */
function indexOf(name: string, width: number): number | undefined {
  const index = /^(?:0|[1-9]\d{0,8})$/.test(name) ? Number(name) : width;
  return index < width ? index : undefined;
}

/** One value a row: the second class from the threshold on. */
function thresholds(values: TensorValues, task: Classification): ScoreRow {
  const [below = '0', above = '1'] = task.classNames;
  return (row, truth) => {
    const value = numberAt(values, row);
    if (!isName(truth) || Number.isNaN(value)) return undefined;
    const isProbability = value >= 0 && value <= 1;
    const ofTruth = truth.name === above ? value : truth.name === below ? 1 - value : null;
    return named(value >= task.threshold ? above : below, isProbability ? ofTruth : null);
  };
}

/** The output is the class: its name, or a whole number that is a name, or else the index of one. */
function classes(values: TensorValues, task: Classification): ScoreRow {
  return (row, truth) => {
    if (!isName(truth)) return undefined;
    const value = values[row]!;
    if (typeof value === 'string') return isClass(value) ? named(value, null) : undefined;
    if (Number.isNaN(Number(value))) return undefined;
    const text = String(value);
    return named(namesOf(task).has(text) ? text : (task.classNames[Number(value)] ?? text), null);
  };
}

/** What a model writes into its answer is its own: a text that no class can have is none, and could not be stored either. */
const isClass = (text: string): boolean =>
  Buffer.byteLength(text) <= limits.nameBytes && textProblem(text) === undefined;
