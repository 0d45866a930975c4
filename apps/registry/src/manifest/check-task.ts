import { clip } from '@sluice/domain/names';
import type { Signature, TensorSpec } from '@sluice/domain/signature';
import { showShape, unknownTensor } from './check-golden.ts';
import type { ManifestTask } from './manifest.ts';
import type { ManifestProblems } from './problems.ts';

type Classification = Extract<ManifestTask, { kind: 'classification' }>;

/** The number of values of a row in the last dimension; undefined when it is dynamic. */
export function columnsOf(spec: TensorSpec, batched: boolean): number | undefined {
  const inner = batched ? spec.shape.slice(1) : spec.shape;
  const last = inner.at(-1) ?? 1;
  return last === -1 ? undefined : last;
}

/** Holds the task to the graph's outputs and fills in class names and threshold where they follow from it. */
export function checkTask(
  task: ManifestTask | undefined,
  signature: Signature,
  problems: ManifestProblems,
  derived: string[],
): ManifestTask {
  if (!task) {
    derived.push('task none: sluice.yaml names none');
    return { kind: 'none' };
  }
  if (task.kind === 'none') return task;
  const output = signature.outputs.find((spec) => spec.name === task.prediction);
  if (!output) {
    problems.add(['task', 'prediction'], () => unknownTensor('outputs', task.prediction, signature.outputs));
    return task;
  }
  if (task.kind === 'regression') {
    if (['BYTES', 'BOOL'].includes(output.datatype)) {
      problems.add(
        ['task', 'prediction'],
        `a regression needs a numeric output, "${clip(output.name)}" is ${output.datatype}`,
      );
    }
    return task;
  }
  return checkClassification(task, output, signature.batched, problems, derived);
}

function checkClassification(
  task: Classification,
  output: TensorSpec,
  batched: boolean,
  problems: ManifestProblems,
  derived: string[],
): Classification {
  const name = `"${clip(output.name)}"`;
  const wrong = (what: string) =>
    problems.add(
      ['task', 'prediction'],
      `${task.classFrom} needs ${what}, ${name} is ${output.datatype} ${showShape(output)}`,
    );
  const columns = columnsOf(output, batched);
  const isNumber = !['BYTES', 'BOOL'].includes(output.datatype);
  const isInteger = /^U?INT/.test(output.datatype);
  let { classNames, threshold } = task;
  if (new Set(classNames).size < classNames.length)
    problems.add(['task', 'class_names'], 'a class name is given twice');
  switch (task.classFrom) {
    case 'argmax':
      if (!isNumber || columns === 1) wrong('a numeric output with a value for each class');
      else if (classNames.length === 0 && columns !== undefined) {
        classNames = Array.from({ length: columns }, (_, index) => String(index));
        derived.push(`class names 0 to ${columns - 1}: sluice.yaml names none, and ${name} has ${columns} values`);
      } else if (columns !== undefined && classNames.length !== columns) {
        problems.add(
          ['task', 'class_names'],
          `expected ${columns} names, since ${name} is ${showShape(output)}, got ${classNames.length}`,
        );
      }
      break;
    case 'threshold':
      if (!isNumber || columns !== 1) wrong('a numeric output with one value for each row');
      if (classNames.length !== 2) {
        problems.add(
          ['task', 'class_names'],
          `expected two names, below the threshold and from it on, got ${classNames.length}`,
        );
      }
      if (threshold === undefined) {
        threshold = 0.5;
        derived.push('threshold 0.5: sluice.yaml names none');
      }
      break;
    case 'label':
      if (!isInteger && output.datatype !== 'BYTES') wrong('an output of text or whole numbers');
      break;
  }
  if (task.positiveClass !== undefined && classNames.length > 0 && !classNames.includes(task.positiveClass)) {
    problems.add(
      ['task', 'positive_class'],
      `expected one of ${classNames
        .slice(0, 20)
        .map((one) => `"${one}"`)
        .join(', ')}, got "${task.positiveClass}"`,
    );
  }
  return { ...task, classNames, threshold };
}
