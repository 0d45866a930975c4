import type { ParameterValue } from '@sluice/inference/parameters';
import { parameterSize, writeParameter } from '@sluice/inference/parameters';
import { fieldSize, WireWriter } from '@sluice/inference/wire-writer';
import type { Step } from './sequences.ts';

/** A message of a request, in two pieces where something is added to it. */
export interface Taken {
  readonly message: Uint8Array;
  /** Ends the message. */
  readonly suffix: Uint8Array | undefined;
}

/** Digits of an id: all ids have one length, so that an echo finds them at the end of a message. */
const idDigits = 9;
/** Bytes of the id as a field of a ModelInferRequest or ModelInferResponse. */
export const idFieldBytes = 2 + idDigits;

/** The id of request `number` of a stream. */
export const idOf = (number: number): string => String(number % 10 ** idDigits).padStart(idDigits, '0');

/**
 * The requests of a run, built once. What differs between two requests of one entry (id, sequence) is appended as protobuf fields:
 * no tensor is encoded again.
 */
export class RequestBytes {
  readonly #plain: readonly Taken[];
  #next = 0;

  /** @param messages ModelInferRequests, at least one, taken in turn */
  constructor(messages: readonly Uint8Array[]) {
    this.#plain = messages.map((message) => ({ message, suffix: undefined }));
  }

  /** The next request as it is, or with an id and a sequence's step. Nothing is copied. */
  take(id: string | undefined, step: Step | undefined): Taken {
    const plain = this.#plain[this.#next]!;
    this.#next = this.#next + 1 === this.#plain.length ? 0 : this.#next + 1;
    return id === undefined && step === undefined ? plain : { message: plain.message, suffix: addition(id, step) };
  }
}

/** Fields of a ModelInferRequest that are not in its built message: parameters (4) and, last, id (3). */
function addition(id: string | undefined, step: Step | undefined): Uint8Array {
  const parameters: readonly (readonly [string, ParameterValue])[] =
    step === undefined
      ? []
      : [
          ['sequence_id', { kind: 'int64', value: BigInt(step.id) }],
          ['sequence_start', { kind: 'bool', value: step.start }],
          ['sequence_end', { kind: 'bool', value: step.end }],
        ];
  const size = parameters.reduce((sum, [key, value]) => sum + parameterSize(key, value), 0);
  const writer = new WireWriter(size + (id === undefined ? 0 : fieldSize(id.length)));
  for (const [key, value] of parameters) writeParameter(writer, 4, key, value);
  if (id !== undefined) writer.string(3, id, id.length);
  return writer.bytes;
}
