import type { Datatype } from '@sluice/domain/datatype';
import type { ControlInput, SequenceBatching, SequenceState } from '@sluice/domain/sequence-batching';
import type { Feed } from './ort-session.ts';
import { joinRows, type RowValues, toTyped, type ToHalf } from './rows.ts';
import { decodeValues } from './warm-up-feeds.ts';

/**
 * What a runtime adds to the first requests of as many sequences: their controls and initial states.
 * @param rows undefined for a graph without a batch dimension
 */
export function sequenceFeeds(sequences: SequenceBatching, rows: number | undefined, toHalf: ToHalf): Feed[] {
  const feed = (name: string, datatype: Datatype, dims: readonly number[], row: RowValues): Feed => ({
    name,
    datatype,
    shape: rows === undefined ? dims : [rows, ...dims],
    values: repeat(row, rows ?? 1),
  });
  return [
    ...sequences.controlInputs.map((control) =>
      feed(control.name, control.datatype, control.dims, toTyped(control.datatype, [firstValue(control)], toHalf)),
    ),
    ...sequences.states.map((state) => feed(state.inputName, state.datatype, state.dims, initialValues(state, toHalf))),
  ];
}

function firstValue({ kind, datatype, falseValue, trueValue }: ControlInput): number | string {
  if (kind === 'corrid') return datatype === 'BYTES' ? 'admission' : 1;
  return kind === 'end' ? falseValue : trueValue;
}

function initialValues({ datatype, dims, initialBase64 }: SequenceState, toHalf: ToHalf): RowValues {
  const elements = dims.reduce((product, dim) => product * dim, 1);
  if (initialBase64 === '') return toTyped(datatype, Array<number>(elements).fill(0), toHalf);
  return decodeValues(datatype, Buffer.from(initialBase64, 'base64'), toHalf);
}

const repeat = (row: RowValues, rows: number): RowValues => joinRows(Array<RowValues>(rows).fill(row));
