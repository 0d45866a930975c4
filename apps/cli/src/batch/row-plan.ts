import { SluiceError } from '@sluice/domain/errors';
import { placeOf, type ReadRow, type TableReader } from '@sluice/tabular/reader';
import { type Column, fit, type Row } from '@sluice/tabular/schema';
import { CliError, usageError } from '../exit-codes.ts';
import { type InputColumns, planColumns } from '../infer/columns.ts';
import { type RowTensor, tensorsOfRow } from '../infer/tensors.ts';
import type { BatchModel } from './batch-model.ts';

/** Which columns of a table go where. */
export interface RowPlan {
  readonly inputs: readonly InputColumns[];
  /** Columns that are passed on, and where they are. */
  readonly carried: readonly Column[];
  readonly carriedAt: readonly number[];
  /** What to call a column in messages. */
  readonly columnName: (column: number) => string;
  /** True where rows of one request may differ in shape. */
  readonly isRagged: boolean;
  /** Something to tell the user; '' for nothing. */
  readonly note: string;
}

/** A row that is ready to be sent, or what is wrong with it. */
export interface PreparedRow {
  /** Where it is; its cells are not kept. */
  readonly source: Pick<ReadRow, 'index' | 'line' | 'after'>;
  readonly tensors: readonly RowTensor[] | undefined;
  readonly carried: Row;
  readonly problem: string;
}

/**
 * @param carry names of columns that are passed on
 * @throws CliError usage when the columns do not make up the inputs
 */
export function planRows(model: BatchModel, table: TableReader, carry: readonly string[]): RowPlan {
  const names = table.columns.map(({ name }) => name);
  const carriedAt = [...new Set(carry)].map((name) => {
    const index = names.indexOf(name);
    if (index >= 0) return index;
    const some = names
      .slice(0, 10)
      .map((one) => `"${one}"`)
      .join(', ');
    throw usageError(`--columns: the input has no column "${name}"; it has ${some}${names.length > 10 ? ', …' : ''}`);
  });
  const columns = table.hasNames ? names : undefined;
  const plan = planColumns(model, columns, names.length, undefined, new Set(carriedAt));
  return {
    inputs: plan.inputs,
    carried: carriedAt.map((index) => table.columns[index]!),
    carriedAt,
    columnName: (column) => `column ${table.hasNames ? `"${names[column]!}"` : names[column]!}`,
    isRagged: plan.inputs.some((input) => input.isList && input.rowShape.includes(-1)),
    note: plan.note,
  };
}

/** Columns of a file that are read at all: Parquet keeps the others to itself. Undefined: all. */
export function columnsNeeded(plan: RowPlan, table: TableReader): readonly string[] {
  const used = new Set([...plan.carriedAt, ...plan.inputs.flatMap((input) => input.columns)]);
  return table.columns.filter((_, index) => used.has(index)).map(({ name }) => name);
}

export function prepareRow(plan: RowPlan, row: ReadRow): PreparedRow {
  const { values, index, line, after } = row;
  const source = { index, line, after };
  const refused = (problem: string): PreparedRow => ({ source, tensors: undefined, carried: [], problem });
  if (!values) return refused(`${placeOf(row)}: ${row.problem}`);
  try {
    const carried = plan.carriedAt.map((column, at) => fit(plan.carried[at]!, values[column]!));
    const tensors = tensorsOfRow(plan.inputs, values, placeOf(row), plan.columnName);
    return { source, tensors, carried, problem: '' };
  } catch (error) {
    if (error instanceof CliError) return refused(error.message);
    if (error instanceof SluiceError && error.kind === 'invalid-argument')
      return refused(`${placeOf(row)}: ${error.message}`);
    throw error;
  }
}

/** Bytes of a row in a request, roughly, with what is passed on beside it. */
function bytesOf({ inputs }: RowPlan, { tensors, carried }: PreparedRow): number {
  let bytes = carried.reduce<number>((sum, value) => sum + lengthOf(value), 0);
  for (const [at, { values }] of (tensors ?? []).entries()) {
    if (inputs[at]!.spec.datatype !== 'BYTES') bytes += 8 * values.length;
    else for (const value of values) bytes += lengthOf(value);
  }
  return bytes;
}

function lengthOf(value: unknown): number {
  if (typeof value === 'string' || value instanceof Uint8Array) return value.length;
  return Array.isArray(value) ? value.reduce<number>((sum, item) => sum + lengthOf(item), 8) : 8;
}

/**
 * Rows that are ready to be sent, in portions of one size, whatever portions they are read in; fewer at the end, and where rows are
 * so large that a portion has `mostBytes` before. Ends after `limit` rows, those that cannot be sent counted. What was read of a row,
 * and is not sent, is let go at once.
 */
export async function* preparedRows(
  plan: RowPlan,
  rows: AsyncIterable<readonly ReadRow[]>,
  size: number,
  limit: number,
  mostBytes = Infinity,
): AsyncIterable<readonly PreparedRow[]> {
  let held: PreparedRow[] = [];
  let heldBytes = 0;
  let left = limit;
  for await (const portion of rows) {
    for (const row of portion) {
      if (left === 0) break;
      left -= 1;
      const prepared = prepareRow(plan, row);
      held.push(prepared);
      heldBytes += bytesOf(plan, prepared);
      if (held.length < size && heldBytes < mostBytes) continue;
      yield held;
      held = [];
      heldBytes = 0;
    }
    if (left === 0) break;
  }
  if (held.length > 0) yield held;
}
