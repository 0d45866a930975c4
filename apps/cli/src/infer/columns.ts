import type { Datatype } from '@sluice/domain/datatype';
import { usageError } from '../exit-codes.ts';

/** One input of a model, as the registry or the router describes it. */
export interface InputSpec {
  readonly name: string;
  readonly datatype: Datatype;
  /** With the batch dimension; -1 where dynamic. */
  readonly shape: readonly number[];
  /** Names of the columns; empty when nobody gave any. */
  readonly features: readonly { readonly name: string; readonly nullable: boolean }[];
}

export interface ModelSpec {
  readonly inputs: readonly InputSpec[];
  readonly batched: boolean;
}

/** Which columns of a file make up an input. */
export interface InputColumns {
  readonly spec: InputSpec;
  /** Shape of one row, without the batch dimension. */
  readonly rowShape: readonly number[];
  /** Indexes into a row of the file, as many as a row of the input has values; one where a column has them all. */
  readonly columns: readonly number[];
  /** True where that one column has lists, or JSON that says them. */
  readonly isList: boolean;
}

export interface ColumnPlan {
  readonly inputs: readonly InputColumns[];
  /** Index of the column with the truth; undefined when there is none. */
  readonly label: number | undefined;
  /** Something to tell the user; '' for nothing. */
  readonly note: string;
}

/**
 * Decides which column goes where: by feature name where every input's are known and the file has a heading with them;
 * an input of several values from a column of its own name, which has lists; else by order, the label column left out.
 *
 * @param aside columns that are not taken by order: what the caller has another use for
 */
export function planColumns(
  model: ModelSpec,
  columns: readonly string[] | undefined,
  width: number,
  labelColumn: string | undefined,
  aside: ReadonlySet<number> = new Set(),
): ColumnPlan {
  const label = labelOf(columns, width, labelColumn);
  const names = model.inputs.map((spec) => namesOf(spec, model.batched));
  const lists = model.inputs.map((spec, index) => listColumnOf(spec, model.batched, names[index], columns));
  if (lists.some((column) => column >= 0)) return withLists(model, lists, columns!, labelColumn, aside);
  if (columns && names.every((list) => list !== undefined)) {
    const wanted = names.flat();
    const missing = wanted.filter((name) => !columns.includes(name));
    if (missing.length === 0) return byName(model, names, columns, label, aside);
    if (missing.length < wanted.length) {
      const shown = missing
        .slice(0, 10)
        .map((name) => `"${name}"`)
        .join(', ');
      throw usageError(
        `the file lacks ${missing.length} of ${wanted.length} columns: ${shown}${missing.length > 10 ? ', …' : ''}`,
        'Add them, or give --no-header to take the columns by order.',
      );
    }
  }
  return byOrder(model, columns, width, label, aside);
}

/** The column that has all values of an input; -1 where there is none, or its features have columns of their own. */
function listColumnOf(
  spec: InputSpec,
  batched: boolean,
  names: readonly string[] | undefined,
  columns: readonly string[] | undefined,
): number {
  const count = rowShapeOf(spec, batched).reduce((product, size) => product * size, 1);
  if (!columns || count === 1 || (names?.every((name) => columns.includes(name)) ?? false)) return -1;
  return columns.indexOf(spec.name);
}

function withLists(
  model: ModelSpec,
  lists: readonly number[],
  columns: readonly string[],
  labelColumn: string | undefined,
  aside: ReadonlySet<number>,
): ColumnPlan {
  const used = new Set([...aside, ...lists.filter((column) => column >= 0)]);
  const others = { inputs: model.inputs.filter((_, index) => lists[index]! < 0), batched: model.batched };
  const label = labelOf(columns, columns.length, labelColumn);
  const rest =
    others.inputs.length === 0
      ? byName(others, [], columns, label, used)
      : planColumns(others, columns, columns.length, labelColumn, used);
  const inputs = model.inputs.map((spec, index) =>
    lists[index]! >= 0
      ? { spec, rowShape: rowShapeOf(spec, model.batched), columns: [lists[index]!], isList: true }
      : rest.inputs.find((input) => input.spec === spec)!,
  );
  return { inputs, label, note: rest.note };
}

function labelOf(columns: readonly string[] | undefined, width: number, name: string | undefined): number | undefined {
  if (name === undefined) return undefined;
  const index = columns?.indexOf(name) ?? -1;
  if (index >= 0) return index;
  if (!columns && /^\d+$/.test(name) && Number(name) < width) return Number(name);
  const known = columns
    ? `; the file has ${columns
        .slice(-5)
        .map((one) => `"${one}"`)
        .join(', ')}`
    : '';
  throw usageError(`--label-column: there is no column "${name}"${known}`);
}

const rowShapeOf = (spec: InputSpec, batched: boolean) => (batched ? spec.shape.slice(1) : spec.shape);

function namesOf(spec: InputSpec, batched: boolean): readonly string[] | undefined {
  const count = rowShapeOf(spec, batched).reduce((product, size) => product * size, 1);
  if (count === 1) return [spec.features[0]?.name ?? spec.name];
  return count > 0 && spec.features.length === count ? spec.features.map((feature) => feature.name) : undefined;
}

function byName(
  model: ModelSpec,
  names: readonly (readonly string[] | undefined)[],
  columns: readonly string[],
  label: number | undefined,
  aside: ReadonlySet<number>,
): ColumnPlan {
  const inputs = model.inputs.map((spec, index) => ({
    spec,
    rowShape: rowShapeOf(spec, model.batched),
    columns: names[index]!.map((name) => columns.indexOf(name)),
    isList: false,
  }));
  const used = new Set([...aside, ...inputs.flatMap((input) => input.columns)]);
  const unused = columns.filter((_, index) => !used.has(index) && index !== label);
  const note =
    unused.length === 0 ? '' : `columns not used: ${unused.slice(0, 10).join(', ')}${unused.length > 10 ? ', …' : ''}`;
  return { inputs, label, note };
}

function byOrder(
  model: ModelSpec,
  columns: readonly string[] | undefined,
  width: number,
  label: number | undefined,
  aside: ReadonlySet<number>,
): ColumnPlan {
  const free = Array.from({ length: width }, (_, index) => index).filter(
    (index) => index !== label && !aside.has(index),
  );
  const shapes = model.inputs.map((spec) => rowShapeOf(spec, model.batched));
  const open = shapes.flat().filter((size) => size === -1).length;
  const fixed = shapes.map((shape) => shape.reduce((product, size) => product * (size === -1 ? 1 : size), 1));
  if (open > 1) {
    throw usageError('the model has several dynamic dimensions, so columns do not say its shape', tensorsHint);
  }
  const rest = free.length - shapes.reduce((sum, shape, index) => sum + (shape.includes(-1) ? 0 : fixed[index]!), 0);
  let at = 0;
  const inputs = model.inputs.map((spec, index) => {
    const isOpen = shapes[index]!.includes(-1);
    const size = isOpen ? Math.max(0, Math.floor(rest / fixed[index]!)) : 0;
    const rowShape = shapes[index]!.map((one) => (one === -1 ? size : one));
    const count = rowShape.reduce((product, one) => product * one, 1);
    const taken = free.slice(at, at + count);
    at += count;
    return { spec, rowShape, columns: taken, isList: false };
  });
  if (at !== free.length) {
    const what = model.inputs.map((spec) => `${spec.name} ${JSON.stringify(spec.shape)}`).join(', ');
    const last =
      columns && label === undefined
        ? ` Is "${columns.at(-1)!}" the truth? Then give --label-column (batch: --columns).`
        : '';
    throw usageError(`the model takes ${at} values a row (${what}), the file has ${free.length} columns.${last}`);
  }
  const named = columns !== undefined && model.inputs.some((spec) => spec.features.length > 0);
  return { inputs, label, note: named ? 'no column has the name of a feature: taken by order' : '' };
}

export const tensorsHint = 'Give JSON with whole tensors: {"input name": nested lists, batch first}.';
