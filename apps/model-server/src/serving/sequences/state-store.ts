import type { SequenceState } from '@sluice/domain/sequence-batching';
import { rowBytes } from '../../runtime/batch-plan.ts';
import { checkRuntimeDatatype } from '../../runtime/datatypes.ts';

/**
 * The states of the sequences of a version, by slot: copied in from the outputs of a run, and out into the inputs of the
 * next. A slot's memory is taken when it is first used and kept for the next sequence that has it.
 */
export class StateStore {
  /** Bytes of one row, by state. */
  readonly sizes: readonly number[];
  /** Bytes that are held now: at most those of all states times all slots. */
  bytes = 0;
  readonly #offsets: readonly number[];
  readonly #total: number;
  readonly #initial: Uint8Array;
  readonly #bySlot: (Uint8Array | undefined)[] = [];

  constructor(states: readonly SequenceState[]) {
    this.sizes = states.map(({ inputName, datatype, dims }) =>
      rowBytes({ datatype: checkRuntimeDatatype(datatype, inputName), dims }),
    );
    let total = 0;
    this.#offsets = this.sizes.map((size) => (total += size) - size);
    this.#total = total;
    this.#initial = new Uint8Array(total);
    for (const [index, { initialBase64 }] of states.entries())
      this.#initial.set(Buffer.from(initialBase64, 'base64'), this.#offsets[index]);
  }

  /** What a sequence starts with, one row of a state. */
  initial(state: number): Uint8Array {
    return this.#part(this.#initial, state);
  }

  /** What the last step of the sequence in a slot left. */
  of(slot: number, state: number): Uint8Array {
    return this.#part(this.#bySlot[slot] ?? this.#initial, state);
  }

  keep(slot: number, state: number, bytes: Uint8Array): void {
    let kept = this.#bySlot[slot];
    if (!kept) {
      kept = new Uint8Array(this.#total);
      this.#bySlot[slot] = kept;
      this.bytes += this.#total;
    }
    kept.set(bytes, this.#offsets[state]);
  }

  #part(all: Uint8Array, state: number): Uint8Array {
    const from = this.#offsets[state]!;
    return all.subarray(from, from + this.sizes[state]!);
  }
}
