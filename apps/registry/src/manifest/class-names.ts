import type { Signature, TensorSpec } from '@sluice/domain/signature';
import { showShape } from './check-golden.ts';
import { columnsOf } from './check-task.ts';
import type { Manifest } from './manifest.ts';
import type { ManifestProblems } from './problems.ts';

/**
 * The signature with the class names of its outputs: those that `signature.outputs` has, and for the output that is the
 * prediction those of the task, where its values are by class. Names that nobody wrote (`0`, `1`, …) are none.
 */
export function addClassNames(signature: Signature, manifest: Manifest, problems: ManifestProblems): Signature {
  const { batched } = signature;
  const outputs = signature.outputs.map((spec) => {
    const index = manifest.outputs.findIndex(({ name }) => name === spec.name);
    const own = manifest.outputs[index]?.classNames ?? [];
    if (own.length > 0) checkCount(own, spec, batched, ['signature', 'outputs', index, 'class_names'], problems);
    const names = own.length > 0 ? own : taskNames(spec, manifest);
    return names.length > 0 ? { ...spec, classNames: names } : spec;
  });
  return { ...signature, outputs };
}

function taskNames({ name }: TensorSpec, { task }: Manifest): readonly string[] {
  const isByClass = task?.kind === 'classification' && task.classFrom === 'argmax' && task.prediction === name;
  return isByClass ? task.classNames : [];
}

function checkCount(
  names: readonly string[],
  spec: TensorSpec,
  batched: boolean,
  path: readonly PropertyKey[],
  problems: ManifestProblems,
): void {
  if (spec.datatype === 'BYTES' || spec.datatype === 'BOOL') {
    problems.add(path, `expected none, since ${spec.datatype} has no value for each class`);
    return;
  }
  const columns = columnsOf(spec, batched);
  if (columns === undefined || columns === names.length) return;
  problems.add(path, `expected ${columns}, since the shape is ${showShape(spec)}, got ${names.length}`);
}
