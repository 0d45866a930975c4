import { usageError } from '../exit-codes.ts';

/** A label as LabelService takes it. */
export interface LabelMessage {
  readonly predictionId?: string;
  readonly model?: string;
  readonly requestId?: string;
  readonly source: string;
  readonly row: number;
  readonly value: { readonly name: string } | { readonly number: number };
  readonly labelledAt?: { readonly seconds: number; readonly nanos: number };
}

/** The highest that a row of a prediction has: what is above does not fit its field, and would be another one. */
const mostRow = 0x7fff_ffff;

/** What holds where a row says nothing. */
export interface RowDefaults {
  readonly model: string;
  readonly source: string;
}

/** Turns rows of a file into labels. */
export type RowReader = (cells: readonly string[]) => LabelMessage | { readonly reason: string };

const known = ['prediction_id', 'request_id', 'row', 'label', 'value', 'source', 'labelled_at'] as const;
type Column = (typeof known)[number];

/** @throws CliError usage when the columns are not those of labels */
export function rowReader(heading: readonly string[], { model, source }: RowDefaults): RowReader {
  const columns = heading.map((each) => each.trim());
  const twice = known.find((name) => columns.indexOf(name) !== columns.lastIndexOf(name));
  if (twice !== undefined) throw usageError(`the file has two columns "${twice}"`);
  const at = Object.fromEntries(known.map((name) => [name, columns.indexOf(name)])) as Record<Column, number>;
  if (at.prediction_id < 0 && at.request_id < 0)
    throw usageError(
      'the file has neither a column "prediction_id" nor "request_id"',
      'Its first line must name the columns; `sluice help label` has them.',
    );
  if (at.label < 0 && at.value < 0) throw usageError('the file has neither a column "label" nor "value"');
  if (at.prediction_id < 0 && model === '')
    throw usageError('the file has request ids: --model must say which model they are of');
  return (cells) => {
    if (cells.length !== columns.length)
      return { reason: `the line has ${cells.length} cells, the heading ${columns.length}` };
    const cell = (name: Column): string => (at[name] < 0 ? '' : cells[at[name]]!);
    const row = cell('row').trim();
    if (!/^\d{0,10}$/.test(row) || Number(row) > mostRow) return { reason: `row: "${row}" is no whole number from 0` };
    const value = valueOf(cell('label'), cell('value').trim());
    if ('reason' in value) return value;
    const labelledAt = timeOf(cell('labelled_at').trim());
    if (labelledAt && 'reason' in labelledAt) return labelledAt;
    return {
      ...addressOf(cell('prediction_id').trim(), cell('request_id'), model),
      ...{ source: cell('source') || source, row: Number(row), value },
      ...(labelledAt && { labelledAt }),
    };
  };
}

function addressOf(predictionId: string, requestId: string, model: string) {
  // One that has both is known by its prediction.
  return predictionId !== '' || requestId === '' ? { predictionId } : { model, requestId };
}

function valueOf(label: string, value: string): LabelMessage['value'] | { readonly reason: string } {
  if (label !== '' && value !== '') return { reason: 'value: given beside label; expected one of the two' };
  if (value === '') return { name: label };
  const number = Number(value);
  return Number.isNaN(number) && value !== 'NaN'
    ? { reason: `value: "${value}" is no number; a class belongs in a column "label"` }
    : { number };
}

function timeOf(
  text: string,
): { readonly seconds: number; readonly nanos: number } | { readonly reason: string } | undefined {
  if (text === '') return undefined;
  const ms = /^\d+(?:\.\d+)?$/.test(text) ? Number(text) * 1_000 : Date.parse(text);
  const micros = Math.round(ms * 1e3);
  if (!Number.isSafeInteger(micros))
    return { reason: `labelled_at: "${text}" is no time such as 2026-11-22T14:03:05Z` };
  const seconds = Math.floor(micros / 1e6);
  return { seconds, nanos: (micros - seconds * 1e6) * 1e3 };
}
