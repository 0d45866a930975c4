import type { Parameters } from './parameters.ts';

/** Names a sequence of a model: the unsigned 64 bits of an integer, or a text. An integer and a text are never the same. */
export type SequenceId = bigint | string;

/** What a request says of its sequence. */
export interface SequenceMark {
  readonly id: SequenceId;
  /** It is the first of its sequence. */
  readonly start: boolean;
  /** It is the last. */
  readonly end: boolean;
}

/**
 * The sequence of a request by its parameters `sequence_id`, `sequence_start` and `sequence_end`, whose types were checked
 * when they were read. A signed id is taken for its bits, as a client's library may send either kind.
 * @returns undefined for a request of no sequence: without an id, or with 0 or ''
 */
export function sequenceOf(parameters: Parameters): SequenceMark | undefined {
  const found = parameters.size === 0 ? undefined : parameters.get('sequence_id');
  if (found?.kind !== 'int64' && found?.kind !== 'uint64' && found?.kind !== 'string') return undefined;
  if (found.value === 0n || found.value === '') return undefined;
  const id = found.kind === 'string' ? found.value : BigInt.asUintN(64, found.value);
  return { id, start: isTrue(parameters, 'sequence_start'), end: isTrue(parameters, 'sequence_end') };
}

function isTrue(parameters: Parameters, name: string): boolean {
  const found = parameters.get(name);
  return found?.kind === 'bool' && found.value;
}
