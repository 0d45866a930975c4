import type { Datatype } from '@sluice/domain/datatype';
import { failedPrecondition } from '@sluice/domain/errors';
import type { Signature, TensorSpec } from '@sluice/domain/signature';
import { scalarOfDatatype } from '@sluice/tabular/datatype-columns';
import { typeName } from '@sluice/tabular/schema';
import type { Column, ScalarType } from '@sluice/tabular/schema';
import { taskOf } from '../labels/version-tasks.ts';
import type { Task } from '../labels/task.ts';
import type { RegistryVersion } from '../versions/registry-version.ts';

const column = (name: string, type: ScalarType): Column => ({ name, type, depth: 0 });

/** Of every file, in this order. */
export const recordColumns: readonly Column[] = [
  ...[column('prediction_id', 'string'), column('row', 'int64'), column('model', 'string')],
  ...[column('version', 'int64'), column('arm', 'string'), column('attempt', 'int64'), column('role', 'string')],
  ...[column('answered', 'bool'), column('status', 'int64'), column('received_at', 'timestamp')],
  ...[column('keep_probability', 'double'), column('subject_hash', 'string')],
  ...[column('truth_class', 'string'), column('truth_number', 'double'), column('truth_source', 'string')],
  ...[column('truth_labelled_at', 'timestamp'), column('truth_recorded_at', 'timestamp')],
];

/** Of files with payloads, before the columns of tensors. */
export const stateColumns: readonly Column[] = [
  ...[column('input_state', 'string'), column('output_state', 'string')],
  ...[column('predicted_class', 'string'), column('predicted_number', 'double')],
];

/** Where the values of a tensor go. */
export interface TensorLayout {
  readonly name: string;
  readonly datatype: Datatype;
  /** Dimensions of one row. */
  readonly rank: number;
  /** Indexes of columns: one for each feature, or one for all values. */
  readonly at: readonly number[];
  readonly isByFeature: boolean;
}

/** Where the payloads of a version go. */
export interface VersionLayout {
  readonly signature: Signature;
  readonly task: Task;
  readonly inputs: readonly TensorLayout[];
  readonly outputs: readonly TensorLayout[];
}

export interface PayloadColumns {
  /** All of the file. */
  readonly columns: readonly Column[];
  /** In the order of the versions. */
  readonly layouts: readonly VersionLayout[];
}

/** As many as a version of a data set may have. */
const mostColumns = 4_096;

/**
 * The columns of a file with payloads: those of all its versions. What two of them call by one name is one column, and has to be of one
 * type.
 *
 * @throws SluiceError failed-precondition naming the column and versions that do not go together
 */
export function payloadColumns(versions: readonly RegistryVersion[]): PayloadColumns {
  const columns = [...recordColumns, ...stateColumns];
  const known = new Map<string, { readonly at: number; readonly version: number }>();
  const place = (wanted: Column, version: number): number => {
    const found = known.get(wanted.name);
    if (!found) {
      known.set(wanted.name, { at: columns.length, version });
      return columns.push(wanted) - 1;
    }
    const other = columns[found.at]!;
    if (typeName(other) === typeName(wanted)) return found.at;
    throw failedPrecondition(
      `column "${wanted.name}" is ${typeName(other)} in version ${found.version} and ${typeName(wanted)} in version ${version}: export them by themselves, with \`versions\``,
    );
  };
  const layouts = versions.map((version): VersionLayout => {
    const named = tensorsOf(version);
    const laid = (part: Part): TensorLayout[] =>
      named
        .filter((tensor) => tensor.part === part)
        .map(({ spec, rank, columns: own, isByFeature }) => ({
          ...{ name: spec.name, datatype: spec.datatype, rank, isByFeature },
          at: own.map((each) => place(each, version.number)),
        }));
    return {
      ...{ signature: version.signature, task: taskOf(version) },
      ...{ inputs: laid('input'), outputs: laid('output') },
    };
  });
  if (columns.length > mostColumns)
    throw failedPrecondition(
      `the file would have ${columns.length} columns, and at most ${mostColumns} are allowed: leave versions out, with \`versions\``,
    );
  return { columns, layouts };
}

type Part = 'input' | 'output';

interface NamedTensor {
  readonly part: Part;
  readonly spec: TensorSpec;
  readonly rank: number;
  readonly columns: readonly Column[];
  readonly isByFeature: boolean;
}

/** The tensors of a version with their columns: features by their own names, or with those of their tensors where these are not enough. */
function tensorsOf({ model, number, signature }: RegistryVersion): readonly NamedTensor[] {
  const named = (qualified: boolean): NamedTensor[] => [
    ...signature.inputs.map((spec) => tensorOf('input', spec, signature.batched, qualified)),
    ...signature.outputs.map((spec) => tensorOf('output', spec, signature.batched, qualified)),
  ];
  const short = named(false);
  if (!repeated(short)) return short;
  const long = named(true);
  const name = repeated(long);
  if (name === undefined) return long;
  throw failedPrecondition(
    `${model} version ${number} would have two columns "${name}": leave it out, with \`versions\`, or export without payloads`,
  );
}

function repeated(tensors: readonly NamedTensor[]): string | undefined {
  const names = tensors.flatMap(({ columns }) => columns.map(({ name }) => name));
  const seen = new Set<string>();
  return names.find((name) => seen.size === seen.add(name).size);
}

function tensorOf(part: Part, spec: TensorSpec, batched: boolean, qualified: boolean): NamedTensor {
  const { name, datatype, shape, features } = spec;
  const dimensions = shape.slice(batched ? 1 : 0);
  const rank = dimensions.length;
  const type = scalarOfDatatype(datatype);
  const isByFeature =
    rank === 1 &&
    features.length > 0 &&
    features.length === dimensions[0] &&
    features.every((each) => each.name !== '');
  const columns = isByFeature
    ? features.map((each) => ({
        ...{ name: `${part}.${qualified ? `${name}.` : ''}${each.name}`, type, depth: 0 },
      }))
    : [{ name: `${part}.${name}`, type, depth: rank }];
  return { part, spec, rank, columns, isByFeature };
}
