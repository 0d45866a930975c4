import { failedPrecondition } from './errors.ts';
import { clip } from './names.ts';
import { answers, type PlannedArm } from './release-plan.ts';
import type { ServingConfig, Signature, TensorSpec } from './signature.ts';

/** What decides whether versions can stand for each other. */
export interface ArmVersion {
  readonly signature: Signature;
  readonly serving: Pick<ServingConfig, 'sequenceBatching'>;
}

/**
 * Throws `failed-precondition`, naming the arm and the difference, when one version could not take a request that the
 * primary takes or would answer with other tensors, or when several would answer the requests of sequences.
 *
 * @param arms with one primary among them
 */
export function checkArmsAgree(arms: readonly PlannedArm[], versionOf: (version: number) => ArmVersion): void {
  const primary = arms.find(({ role }) => role === 'primary')!;
  const expected = versionOf(primary.version).signature;
  for (const [index, arm] of arms.entries()) {
    const difference = signatureDifference(expected, versionOf(arm.version).signature);
    if (difference === undefined) continue;
    throw failedPrecondition(
      `arms[${index}].version: version ${arm.version} cannot stand for version ${primary.version} of ` +
        `arm "${primary.name}": ${difference}`,
    );
  }
  const answering = arms.flatMap((arm, index) => (answers(arm) ? [{ ...arm, index }] : []));
  const keeping = answering.find(({ version }) => versionOf(version).serving.sequenceBatching !== undefined);
  if (keeping && answering.length > 1) {
    throw failedPrecondition(
      `arms[${keeping.index}].version: version ${keeping.version} keeps sequences, and a sequence lives on one version: ` +
        `expected one arm that answers, got ${answering.length}`,
    );
  }
}

/** Where another signature differs from an expected one, for people; undefined where it does not. */
export function signatureDifference(expected: Signature, given: Signature): string | undefined {
  if (expected.batched !== given.batched) {
    return given.batched ? 'it takes batches and the other does not' : 'it takes no batches and the other does';
  }
  return (
    tensorsDifference('input', expected.inputs, given.inputs, expected.batched) ??
    tensorsDifference('output', expected.outputs, given.outputs, expected.batched)
  );
}

function tensorsDifference(
  kind: 'input' | 'output',
  expected: readonly TensorSpec[],
  given: readonly TensorSpec[],
  batched: boolean,
): string | undefined {
  const others = new Map(given.map((spec) => [spec.name, spec]));
  for (const spec of expected) {
    const name = `${kind} "${clip(spec.name)}"`;
    const other = others.get(spec.name);
    if (!other) return `it has no ${name}`;
    others.delete(spec.name);
    if (other.datatype !== spec.datatype) return `its ${name} is ${other.datatype}, not ${spec.datatype}`;
    if (shapeText(other, batched) !== shapeText(spec, batched))
      return `its ${name} has shape ${shapeText(other, batched)}, not ${shapeText(spec, batched)}`;
  }
  const [more] = others.keys();
  return more === undefined ? undefined : `it has one more ${kind}, "${clip(more)}"`;
}

/** Of one row: whatever the dimension of the batch is called, it is the same. */
const shapeText = ({ shape }: TensorSpec, batched: boolean): string =>
  clip(`[${(batched ? ['batch', ...shape.slice(1)] : shape).join(', ')}]`);
