import { isUtf8 } from 'node:buffer';
import type { Datatype } from '@sluice/domain/datatype';
import { SluiceError } from '@sluice/domain/errors';
import type { Signature } from '@sluice/domain/signature';
import type { PayloadState } from '@sluice/evidence/record';
import type { Scalar, Value } from '@sluice/tabular/schema';
import type { ScoreRow } from '../labels/score-response.ts';
import { scoreResponse } from '../labels/score-response.ts';
import type { DecodedTensor } from '../predictions/decode-payload.ts';
import { decodeRequest, decodeResponse } from '../predictions/decode-payload.ts';
import type { TensorLayout, VersionLayout } from './columns.ts';

/** What became of a payload, in a file: `none` where there was none, as of a failure. */
export type CellState = 'captured' | 'not-captured' | 'erased' | 'not-decodable' | 'none';

/** A payload before it is looked at: its state, and its bytes as far as somebody can still read them. */
export interface OpenedPayload {
  readonly state: PayloadState;
  readonly bytes: Uint8Array | undefined;
}

/** What a record's payloads put into the cells of its rows. */
export interface RecordCells {
  readonly input: CellState;
  readonly output: CellState;
  /** Puts the values of a row into its cells. */
  fill(cells: Value[], row: number): void;
}

/** More than any payload has. */
const all = Number.MAX_SAFE_INTEGER;

/**
 * The values of a record, by the columns of its version.
 *
 * @param layout undefined for a version that the registry does not have
 * @param rows of the record
 */
export function recordCells(
  layout: VersionLayout | undefined,
  {
    request,
    response,
    rows,
  }: { readonly request: OpenedPayload; readonly response: OpenedPayload; readonly rows: number },
  predictedAt: { readonly name: number; readonly number: number },
): RecordCells {
  const input = readTensors(request, layout?.inputs, layout?.signature, rows, decodeRequest);
  const output = readTensors(response, layout?.outputs, layout?.signature, rows, decodeResponse);
  const score = layout && output.state === 'captured' ? scoreResponse(response.bytes!, layout.task) : undefined;
  return {
    ...{ input: input.state, output: output.state },
    fill: (cells, row) => {
      for (const put of [...input.puts, ...output.puts]) put(cells, row);
      if (score) putScore(cells, score, layout!, row, predictedAt);
    },
  };
}

function putScore(
  cells: Value[],
  score: ScoreRow,
  { task }: VersionLayout,
  row: number,
  at: { readonly name: number; readonly number: number },
): void {
  // What was predicted does not depend on the truth; it only has to be of the task's kind.
  const found = score(row, task.kind === 'regression' ? { number: 0 } : { name: '' });
  cells[at.name] = found?.predictedName ?? null;
  cells[at.number] = found?.predictedNumber ?? null;
}

type Put = (cells: Value[], row: number) => void;

interface ReadTensors {
  readonly state: CellState;
  readonly puts: readonly Put[];
}

const without = (state: CellState): ReadTensors => ({ state, puts: [] });

function readTensors(
  { state, bytes }: OpenedPayload,
  layouts: readonly TensorLayout[] | undefined,
  signature: Signature | undefined,
  rows: number,
  decode: typeof decodeRequest,
): ReadTensors {
  if (state === 'none' || state === 'erased') return without(state);
  if (state !== 'captured') return without('not-captured');
  if (!bytes) return without('erased');
  if (!layouts || !signature) return without('not-decodable');
  try {
    const tensors = decode(bytes, signature, all, all);
    const puts = layouts.map((layout) => putter(tensors, layout, signature.batched, rows));
    return { state, puts };
  } catch (error) {
    // Payloads are what callers and runtimes sent, which need not be sound.
    if (error instanceof SluiceError && error.kind === 'invalid-argument') return without('not-decodable');
    throw error;
  }
}

const misfit = (what: string): SluiceError => new SluiceError('invalid-argument', what);

/** @throws SluiceError invalid-argument for a tensor that is not what the signature says */
function putter(
  tensors: readonly DecodedTensor[],
  { name, datatype, rank, at, isByFeature }: TensorLayout,
  batched: boolean,
  rows: number,
): Put {
  const tensor = tensors.find((each) => each.name === name);
  if (!tensor) return () => undefined;
  const shape = tensor.shape.slice(batched ? 1 : 0);
  if (tensor.datatype !== datatype || shape.length !== rank) throw misfit(`${name}: not as the signature says`);
  if ((batched ? tensor.shape[0] : 1) !== rows) throw misfit(`${name}: not of ${rows} rows`);
  const width = tensor.elements / rows;
  if (tensor.values.length !== tensor.elements || (isByFeature && width !== at.length))
    throw misfit(`${name}: not of so many values`);
  const value = reader(datatype, tensor.values);
  if (isByFeature)
    return (cells, row) => {
      for (const [index, place] of at.entries()) cells[place] = value(row * width + index);
    };
  return (cells, row) => (cells[at[0]!] = nested(value, row * width, shape, 0));
}

/** One value, or lists of lists as the shape says. */
function nested(value: (index: number) => Scalar, from: number, shape: readonly number[], depth: number): Value {
  if (depth === shape.length) return value(from);
  const step = shape.slice(depth + 1).reduce((product, size) => product * size, 1);
  return Array.from({ length: shape[depth]! }, (_, index) => nested(value, from + index * step, shape, depth + 1));
}

/** @throws SluiceError invalid-argument for octets that are no text */
function reader(datatype: Datatype, values: DecodedTensor['values']): (index: number) => Scalar {
  if (datatype === 'BOOL') return (index) => values[index] !== 0;
  if (datatype === 'UINT64') return (index) => Number(values[index]);
  if (datatype !== 'BYTES') return (index) => values[index] as number | bigint;
  const octets = values as readonly Uint8Array[];
  if (!octets.every((each) => isUtf8(each))) throw misfit('octets that are no text');
  return (index) => Buffer.from(octets[index]!).toString('utf8');
}
