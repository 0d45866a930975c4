import { scalarOfDatatype } from '@sluice/tabular/datatype-columns';
import type { Column, Row, Value } from '@sluice/tabular/schema';
import { classOf, predictionOf, type RowAnswer } from '../infer/answers.ts';
import type { BatchModel, OutputSpec } from './batch-model.ts';

/** The columns of the output, and its rows. */
export interface ResultTable {
  readonly columns: readonly Column[];
  /**
   * @param carried values of the columns that are passed on
   * @param index of the row in the input, from 0
   */
  readonly rowOf: (carried: Row, index: number, answer: RowAnswer) => Row;
}

/**
 * Lays out the output: the columns that are passed on, where the row was in the input, what a label needs to find the
 * prediction, what was predicted, and the outputs. The layout comes from the signature, never from an answer.
 *
 * @param carried columns of the input that are passed on
 * @param wanted names of outputs; empty for all
 */
export function resultTable(model: BatchModel, carried: readonly Column[], wanted: readonly string[]): ResultTable {
  const outputs = model.outputs.filter(({ name }) => wanted.length === 0 || wanted.includes(name));
  // Without its output there is nothing to say of a task.
  const task = outputs.some(({ name }) => name === model.task?.prediction) ? model.task : undefined;
  const isClass = task !== undefined && task.kind !== 'regression';
  const own: Column[] = [
    { name: 'input_row', type: 'int64', depth: 0 },
    { name: 'prediction_id', type: 'string', depth: 0 },
    { name: 'row', type: 'int64', depth: 0 },
    { name: 'version', type: 'int64', depth: 0 },
    ...(task ? [{ name: 'prediction', type: isClass ? 'string' : 'double', depth: 0 } as const] : []),
    ...(isClass
      ? ([
          { name: 'class', type: 'int64', depth: 0 },
          { name: 'probability', type: 'double', depth: 0 },
        ] as const)
      : []),
  ];
  const taken = new Set(own.map(({ name }) => name));
  const outputColumns = outputs.map((output) => columnOf(output, headingOf(output.name, taken, 'output')));
  for (const { name } of outputColumns) taken.add(name);
  const carriedColumns = carried.map((column) => ({ ...column, name: headingOf(column.name, taken, 'input') }));
  const rowOf = (values: Row, index: number, answer: RowAnswer): Row => {
    const found = isClass ? classOf(answer, task) : undefined;
    return [
      ...values,
      index,
      answer.predictionId,
      answer.row,
      Number(answer.version),
      ...(task ? [predictionOf(answer, task) ?? null] : []),
      ...(isClass ? [found?.index ?? null, found?.probability ?? null] : []),
      ...outputs.map((output) => valueOf(output, answer)),
    ];
  };
  return { columns: [...carriedColumns, ...own, ...outputColumns], rowOf };
}

/** No two columns may have one name. */
const headingOf = (name: string, taken: ReadonlySet<string>, prefix: string): string =>
  taken.has(name) ? `${prefix}.${name}` : name;

const columnOf = ({ datatype, count }: OutputSpec, name: string): Column => ({
  name,
  type: scalarOfDatatype(datatype),
  depth: count === 1 ? 0 : 1,
});

function valueOf(output: OutputSpec, answer: RowAnswer): Value {
  const values = answer.outputs.find(({ name }) => name === output.name)?.values;
  if (!values) return null;
  return output.count === 1 ? (values[0] ?? null) : values;
}
