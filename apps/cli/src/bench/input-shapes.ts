import { usageError } from '../exit-codes.ts';
import type { InputSpec, ModelSpec } from '../infer/columns.ts';

/** One input of a row. */
export interface RowInput {
  readonly spec: InputSpec;
  /** Without the batch; undefined where only the data can say it. */
  readonly shape: readonly number[] | undefined;
}

/**
 * The shape of a row of each input: the model's own, or what `--shape` says where it leaves dimensions open.
 *
 * @throws CliError usage, naming the input and what it takes
 */
export function rowInputs(model: ModelSpec, shapes: ReadonlyMap<string, readonly number[]>): readonly RowInput[] {
  const unknown = [...shapes.keys()].find((name) => !model.inputs.some((spec) => spec.name === name));
  if (unknown !== undefined)
    throw usageError(
      `--shape: the model has no input "${unknown}"; it has ${model.inputs.map(({ name }) => name).join(', ')}`,
    );
  return model.inputs.map((spec) => ({ spec, shape: shapeOf(spec, model.batched, shapes.get(spec.name)) }));
}

function shapeOf(
  spec: InputSpec,
  batched: boolean,
  given: readonly number[] | undefined,
): readonly number[] | undefined {
  const own = batched ? spec.shape.slice(1) : spec.shape;
  if (given === undefined) return own.includes(-1) ? undefined : own;
  const fits = given.length === own.length && own.every((size, axis) => size === -1 || size === given[axis]);
  if (fits) return given;
  throw usageError(
    `--shape ${spec.name}:${given.join(',')} does not fit the model's ${spec.name} [${own.join(', ')}]${batched ? ' (without the batch)' : ''}`,
  );
}

/** The shape, where the data does not say it. @throws CliError usage, naming the option that would */
export function knownShape({ spec, shape }: RowInput): readonly number[] {
  if (shape !== undefined) return shape;
  throw usageError(
    `input "${spec.name}" has dynamic dimensions [${spec.shape.join(', ')}]: give its sizes`,
    `--shape ${spec.name}:SIZE,SIZE… (without the batch)`,
  );
}

export const elements = (shape: readonly number[]): number => shape.reduce((product, size) => product * size, 1);
