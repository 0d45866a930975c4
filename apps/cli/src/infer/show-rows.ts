import { showTable } from '../format.ts';
import { type Json, toJson } from '../json.ts';
import type { OutputValue, RowAnswer } from './answers.ts';

/** A row as it is shown. */
export interface ShownRow extends RowAnswer {
  readonly prediction: string | number | undefined;
  /** Undefined without a label column. */
  readonly label: string | undefined;
}

const ownHeadings = ['prediction_id', 'row', 'version', 'prediction', 'label'];

/** An output's heading: no two columns may have one name. */
const headingOf = (output: string): string => (ownHeadings.includes(output) ? `output.${output}` : output);

/** Values of one output that a table shows before it cuts off. */
const shownValues = 10;

const short = (value: OutputValue): string =>
  typeof value === 'number' && !Number.isInteger(value) ? Number(value.toPrecision(4)).toString() : String(value);

/** For people: numbers rounded, long outputs cut. */
export function rowsAsTable(rows: readonly ShownRow[]): string {
  const { headings, has } = layout(rows);
  const names = rows[0]?.outputs.map((output) => headingOf(output.name)) ?? [];
  return showTable(
    [...headings, ...names],
    rows.map((row) => [
      row.predictionId,
      row.row,
      row.version,
      ...(has.prediction ? [row.prediction ?? ''] : []),
      ...(has.label ? [row.label ?? ''] : []),
      ...row.outputs.map(
        ({ values }) => values.slice(0, shownValues).map(short).join(' ') + (values.length > shownValues ? ' …' : ''),
      ),
    ]),
  );
}

/** With a heading; an output of several values has a column for each: `probabilities[3]`. */
export function rowsAsCsv(rows: readonly ShownRow[]): string {
  const { headings, has } = layout(rows);
  const widths = new Map<string, number>();
  for (const row of rows) {
    for (const { name, values } of row.outputs) widths.set(name, Math.max(widths.get(name) ?? 0, values.length));
  }
  const names = [...widths].flatMap(([name, width]) =>
    width === 1 ? [headingOf(name)] : Array.from({ length: width }, (_, index) => `${headingOf(name)}[${index}]`),
  );
  const lines = rows.map((row) => {
    const values = [...widths].flatMap(([name, width]) => {
      const output = row.outputs.find((one) => one.name === name);
      return Array.from({ length: width }, (_, index) => output?.values[index] ?? '');
    });
    return [
      row.predictionId,
      row.row,
      row.version,
      ...(has.prediction ? [row.prediction ?? ''] : []),
      ...(has.label ? [row.label ?? ''] : []),
      ...values,
    ];
  });
  return [[...headings, ...names], ...lines].map((cells) => cells.map(csvCell).join(',')).join('\n');
}

export function rowAsJson(row: ShownRow): Json {
  const outputs = row.outputs.map(({ name, values }) => [name, toJson(values)] as const);
  return {
    prediction_id: row.predictionId,
    row: row.row,
    version: row.version,
    ...(row.prediction === undefined ? {} : { prediction: toJson(row.prediction) }),
    ...(row.label === undefined ? {} : { label: row.label }),
    outputs: Object.fromEntries(outputs),
  };
}

function layout(rows: readonly ShownRow[]) {
  const has = {
    prediction: rows.some((row) => row.prediction !== undefined),
    label: rows.some((row) => row.label !== undefined),
  };
  const headings = ['prediction_id', 'row', 'version'];
  if (has.prediction) headings.push('prediction');
  if (has.label) headings.push('label');
  return { headings, has };
}

/** Quotes where the format needs it. */
function csvCell(value: OutputValue | string): string {
  const text = String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
