import type { TensorSpec__Output } from '@sluice/contracts/gen/sluice/registry/v1/TensorSpec';
import type { Version__Output } from '@sluice/contracts/gen/sluice/registry/v1/Version';
import { parseVersionRef } from '@sluice/domain/names';
import { type Datatype, isDatatype } from '@sluice/domain/datatype';
import type { CliContext } from '../context.ts';
import { CliError, exitCodes, usageError } from '../exit-codes.ts';
import { guessTask, type OutputValue, type Task } from '../infer/answers.ts';
import type { ModelSpec } from '../infer/columns.ts';
import { toSpec } from '../infer/model-spec.ts';
import { manifestOf } from '../commands/versions.ts';

/** One output of a version. */
export interface OutputSpec {
  readonly name: string;
  readonly datatype: Datatype;
  /** Values of a row; -1 where the number depends on the input. */
  readonly count: number;
}

/** The version that scores the rows, all of them. */
export interface BatchModel extends ModelSpec {
  readonly name: string;
  readonly version: string;
  readonly digest: string;
  readonly outputs: readonly OutputSpec[];
  readonly task: Task | undefined;
  /** Rows of a request at most: 1 where rows are not batched. */
  readonly maxRows: number;
  /** The parameter `priority` of every request: the lowest level; 0 where the version has no levels. */
  readonly priority: number;
}

/**
 * Finds the version that an alias points to now. A run keeps to it: the rows of one file are scored by one version.
 *
 * @throws CliError refused for a version that takes no single rows
 */
export async function batchModel(context: CliContext, model: string, text: string): Promise<BatchModel> {
  const ref = parseVersionRef(text, '--model-version');
  const { version } = await context.services.registry.getVersion(
    { model, version: ref.kind === 'release' ? 'champion' : text },
    { signal: context.signal },
  );
  if (!version?.signature) throw new CliError(exitCodes.refused, `${model} version ${text} has no signature`);
  if (version.serving?.sequenceBatching) {
    throw new CliError(
      exitCodes.refused,
      `${model} version ${version.number} keeps sequences: rows of a file that are scored by themselves would mean nothing`,
    );
  }
  return toBatchModel(version, version.signature);
}

function toBatchModel(version: Version__Output, signature: NonNullable<Version__Output['signature']>): BatchModel {
  const { serving } = version;
  const outputs = signature.outputs.map((spec) => toOutput(spec, signature.batched));
  const { task } = manifestOf(version.manifestJson);
  return {
    name: version.model,
    version: version.number,
    digest: version.digest,
    inputs: signature.inputs.map((spec) => toSpec(spec.name, spec.datatype, spec.shape, spec.features)),
    batched: signature.batched,
    outputs,
    task: task && task.kind !== 'none' ? task : guessOf(outputs),
    maxRows: signature.batched ? Math.max(1, serving?.maxBatchSize ?? 1) : 1,
    priority: serving?.priorityLevels ?? 0,
  };
}

function toOutput(spec: TensorSpec__Output, batched: boolean): OutputSpec {
  const { name, datatype } = spec;
  if (!isDatatype(datatype))
    throw new CliError(
      exitCodes.failed,
      `output "${name}" has the datatype ${datatype}, which this program does not know`,
    );
  const shape = spec.shape.map(Number).slice(batched ? 1 : 0);
  return { name, datatype, count: shape.includes(-1) ? -1 : shape.reduce((product, size) => product * size, 1) };
}

/** What rows of these outputs are taken for, without a task: the same as `infer` would of their values. */
function guessOf(outputs: readonly OutputSpec[]): Task | undefined {
  const valueOf = (datatype: Datatype): OutputValue => {
    if (datatype === 'BYTES') return '';
    if (datatype === 'BOOL') return false;
    return datatype === 'INT64' || datatype === 'UINT64' ? 0n : 0;
  };
  return guessTask({
    predictionId: '',
    row: 0,
    version: '',
    outputs: outputs.map(({ name, datatype, count }) => ({
      name,
      values: Array.from({ length: count < 0 ? 2 : count }, () => valueOf(datatype)),
    })),
  });
}

/** @throws CliError usage naming the outputs that there are */
export function checkOutputs(model: BatchModel, wanted: readonly string[]): void {
  const known = model.outputs.map(({ name }) => name);
  const unknown = wanted.find((name) => !known.includes(name));
  if (unknown !== undefined)
    throw usageError(
      `--outputs: ${model.name} version ${model.version} has no output "${unknown}"; it has ${known.join(', ')}`,
    );
}
