import type { Datatype } from './datatype.ts';
import type { Signature, TensorSpec } from './signature.ts';

/** What a control tensor tells the model of the row that it runs. */
export const controlKinds = ['start', 'ready', 'end', 'corrid'] as const;
export type ControlKind = (typeof controlKinds)[number];

/** Datatypes that the id of a sequence may have as a tensor. */
export const correlationDatatypes = ['UINT64', 'INT64', 'UINT32', 'INT32', 'BYTES'] as const;
/** Datatypes of the controls that are true or false. */
export const flagDatatypes = ['INT32', 'FP32', 'BOOL'] as const;

/** An input of the graph that the runtime fills, not the client. */
export interface ControlInput {
  readonly name: string;
  readonly kind: ControlKind;
  /** One of `flagDatatypes`, for `corrid` one of `correlationDatatypes`. */
  readonly datatype: Datatype;
  /** Of one row, without the batch dimension; one element. */
  readonly dims: readonly number[];
  /** What stands for false and true; 0 for `corrid`. BOOL has 0 and 1. */
  readonly falseValue: number;
  readonly trueValue: number;
}

/** A tensor that the runtime keeps for each sequence: what a run gives as output is the input of the sequence's next. */
export interface SequenceState {
  readonly inputName: string;
  readonly outputName: string;
  /** Never BYTES: a state has a fixed size. */
  readonly datatype: Datatype;
  /** Of one row, without the batch dimension; nothing is dynamic. */
  readonly dims: readonly number[];
  /** What a sequence starts with, as raw bytes of one row in base64; '' for zeros. */
  readonly initialBase64: string;
}

/** Requests of a sequence run one after the other, each on the state that the one before left. Names are Triton's. */
export interface SequenceBatching {
  /** A sequence that has had no request for so long is over. */
  readonly maxSequenceIdleMicroseconds: number;
  /** How long a request waits for those of other sequences, unless enough of them are there. */
  readonly maxQueueDelayMicroseconds: number;
  /** The share of an instance's slots that must have a request for a batch to leave at once, 0 to 1; 0: any request does. */
  readonly minimumSlotUtilization: number;
  readonly controlInputs: readonly ControlInput[];
  readonly states: readonly SequenceState[];
}

/** How long a sequence may be idle where nobody said anything; Triton's default. */
export const defaultSequenceIdleMicroseconds = 1_000_000;

/**
 * The tensors of the graph of a version: those of its signature, then the controls and the states that clients do not send
 * and get. Outputs of states that the signature has too stand where it has them.
 */
export function graphSignatureOf(signature: Signature, sequences: SequenceBatching | undefined): Signature {
  if (!sequences) return signature;
  const { batched } = signature;
  const inputs = [
    ...sequences.controlInputs,
    ...sequences.states.map(({ inputName, datatype, dims }) => ({ name: inputName, datatype, dims })),
  ];
  const outputs = sequences.states
    .filter(({ outputName }) => signature.outputs.every(({ name }) => name !== outputName))
    .map(({ outputName, datatype, dims }) => ({ name: outputName, datatype, dims }));
  return {
    inputs: [...signature.inputs, ...inputs.map((tensor) => specOf(tensor, batched))],
    outputs: [...signature.outputs, ...outputs.map((tensor) => specOf(tensor, batched))],
    batched,
  };
}

function specOf(
  { name, datatype, dims }: { readonly name: string; readonly datatype: Datatype; readonly dims: readonly number[] },
  batched: boolean,
): TensorSpec {
  const shape = batched ? [-1, ...dims] : dims;
  return { name, datatype, shape, dimNames: shape.map(() => ''), features: [] };
}
