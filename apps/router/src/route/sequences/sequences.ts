import { invalidArgument } from '@sluice/domain/errors';
import { parseVersionRef } from '@sluice/domain/names';
import type { SequenceId } from '@sluice/inference/sequence';
import type { ModelRoute } from '../table.ts';
import { Sequence } from './sequence.ts';
import type { SequenceOptions } from './sequence.ts';
import type { SequenceCall, SequenceRequest } from './sequence-call.ts';
import { SequenceTable } from './sequence-table.ts';

/** Longest `sequence_id` that is a text, in bytes, as in Triton. */
const maxIdBytes = 128;

export interface SequencesOptions extends Omit<SequenceOptions, 'onRest'> {
  /** Sequences that are remembered while nothing of them is under way. */
  readonly maxSequences: number;
}

/** Keeps the requests of a sequence on the runtime and the version of its start. */
export class Sequences {
  readonly #options: SequenceOptions;
  readonly #table: SequenceTable<Sequence>;

  constructor(options: SequencesOptions) {
    this.#table = new SequenceTable(options.maxSequences);
    this.#options = { ...options, onRest: (sequence) => this.#table.rest(sequence) };
  }

  /** Sequences whose runtime this router knows. */
  get known(): number {
    let count = 0;
    for (const sequence of this.#table) if (sequence.isKnown) count++;
    return count;
  }

  /**
   * Whether ids of sequences mean something to a model.
   *
   * @param model undefined when the routes do not have it
   * @throws SluiceError invalid-argument for an id that is too long, where it means something
   */
  has(model: ModelRoute | undefined, name: string, id: SequenceId): boolean {
    const keeps = model?.keepsSequences === true;
    // Nothing is made of an id of any size.
    if (!isTooLong(id)) return keeps || this.#table.has(sequenceKey(name, id));
    if (!keeps) return false;
    throw invalidArgument(
      `parameter "sequence_id": expected at most ${maxIdBytes} bytes, got ${Buffer.byteLength(id)}`,
    );
  }

  /** Takes a request in its turn; `done` may be called before this returns when there is nowhere to send it. */
  send(model: string, request: SequenceRequest): SequenceCall {
    this.#options.budget.requested();
    const { id } = request.mark;
    const key = sequenceKey(model, id);
    return (this.#table.take(key) ?? this.#add(key, model, id)).send(request);
  }

  /** A start that is sent nowhere had its turn: the old sequence of that id is over, and none begins. */
  refused(model: string, id: SequenceId): void {
    const key = sequenceKey(model, id);
    (this.#table.take(key) ?? this.#add(key, model, id)).refuse();
  }

  #add(key: string, model: string, id: SequenceId): Sequence {
    const sequence = new Sequence(this.#options, key, model, id);
    this.#table.add(sequence);
    return sequence;
  }
}

/**
 * The version that a request names by its number; 0 for none, and for an alias: a sequence stays where it began.
 *
 * @throws SluiceError invalid-argument for a text that is no version
 */
export function namedNumber(versionText: string): number {
  const ref = parseVersionRef(versionText);
  return ref.kind === 'number' ? ref.number : 0;
}

function isTooLong(id: SequenceId): id is string {
  return typeof id === 'string' && (id.length > maxIdBytes || Buffer.byteLength(id) > maxIdBytes);
}

/** Names a sequence. Model names hold no space; a number and a text are never the same id. */
export function sequenceKey(model: string, id: SequenceId): string {
  return typeof id === 'string' ? `${model} '${id}` : `${model} ${id.toString()}`;
}
