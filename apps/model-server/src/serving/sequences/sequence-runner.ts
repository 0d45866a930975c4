import type { RequestPart } from '@sluice/batching/contract';
import type { SequenceBatch, SequencePart } from '@sluice/batching/sequences/contract';
import type { SequenceBatching } from '@sluice/domain/sequence-batching';
import { SluiceError } from '@sluice/domain/errors';
import { clip } from '@sluice/domain/names';
import type { BatchOutputs } from '../../runtime/outputs.ts';
import type { BatchJob, BatchOutcome } from '../../runtime/session-thread.ts';
import { BatchFill } from '../fill.ts';
import type { BatchResult } from '../infer-job.ts';
import { controlWriter, type ControlWriter } from './controls.ts';
import type { SequenceJob } from './sequence-job.ts';
import type { SequencePlan, SequencePlans } from './sequence-plans.ts';
import { StateStore } from './state-store.ts';

export type SequenceParts = readonly SequencePart<SequenceJob>[];
type Batch = SequenceBatch<SequenceJob, BatchResult>;

/** What a runner of batches of sequences needs. */
export interface SequenceRunnerPorts {
  readonly sequences: SequenceBatching;
  readonly plans: SequencePlans;
  /** The most rows that batches of the version have. */
  readonly maxRows: number;
  /** How many rows a run of so many is made of. */
  readonly padded: (rows: number) => number;
  readonly submit: (job: BatchJob) => void;
  /** Told of each run whose requests are not run again, with its rows, padding included. */
  readonly ran: (parts: SequenceParts, rows: number, outcome: BatchOutcome) => void;
}

/**
 * Runs batches of sequences: fills in controls and states beside what clients sent, and keeps what a run says of the states.
 * A batch that fails is run again request by request, so that one does not cost the others their answers.
 */
export class SequenceRunner {
  readonly states: StateStore;
  readonly #ports: SequenceRunnerPorts;
  readonly #controls: readonly ControlWriter[];

  constructor(ports: SequenceRunnerPorts) {
    this.#ports = ports;
    this.#controls = ports.sequences.controlInputs.map(controlWriter);
    this.states = new StateStore(ports.sequences.states);
  }

  /** @throws what the session's pool throws when it takes no batch: nothing has run then */
  run(batch: Batch): void {
    const { parts } = batch;
    const over = (): void => parts.forEach(({ request }) => request.leaveBatch());
    let alone = false;
    for (const { request } of parts) request.enterBatch();
    const done = (outcome: BatchOutcome): void => {
      if (!outcome.ok && parts.length > 1 && !outcome.sessionLost) alone = true;
      else this.#end(batch, parts, parts, outcome);
    };
    const free = (): void => {
      over();
      batch.free();
    };
    try {
      this.#submit(parts, done, () => (alone ? this.#runAlone(batch, 0, free) : free()));
    } catch (error) {
      over();
      throw error;
    }
  }

  /** Runs the parts from `index` on one by one, and frees the batch after the last. */
  #runAlone(batch: Batch, index: number, free: () => void): void {
    const part = batch.parts[index];
    if (!part) {
      free();
      return;
    }
    const row = [{ ...part, batchRow: 0 }];
    const next = (): void => this.#runAlone(batch, index + 1, free);
    if (!batch.wanted(part)) {
      // The run that counted would have been the one that failed.
      batch.fail(part, new SluiceError('cancelled', 'the request was answered before its turn'));
      next();
      return;
    }
    try {
      this.#submit(row, (outcome) => this.#end(batch, [part], row, outcome), next);
    } catch (error) {
      batch.fail(part, SluiceError.from(error));
      next();
    }
  }

  #submit(parts: SequenceParts, done: BatchJob['done'], freed: () => void): void {
    const { plan: client } = parts[0]!.request;
    const { plan } = this.#ports.plans.of(client);
    const rows = this.#rowsOf(parts);
    const fill = new BatchFill(client, parts, rows);
    this.#ports.submit({
      ...{ plan, rows, done, freed },
      maxRows: this.#ports.maxRows,
      stringBytes: [
        ...fill.stringBytes,
        ...this.#controls.map((control) => control.bytes(parts, rows)),
        ...this.states.sizes.map(() => 0),
      ],
      fill: (targets) => {
        const own = client.inputs.length;
        fill.write(targets.slice(0, own));
        for (const [index, control] of this.#controls.entries()) control.write(targets[own + index]!, parts, rows);
        this.#fillStates(targets.slice(own + this.#controls.length), parts, rows);
      },
    });
  }

  /** Rows of a run of these parts. */
  #rowsOf(parts: SequenceParts): number {
    return parts[0]!.request.plan.batched ? this.#ports.padded(parts.length) : 1;
  }

  #fillStates(targets: readonly Uint8Array[], parts: SequenceParts, rows: number): void {
    for (const [state, target] of targets.entries()) {
      const size = this.states.sizes[state]!;
      for (let row = 0; row < rows; row += 1) {
        const part = parts[row];
        const from = part && !part.request.start ? this.states.of(part.slot, state) : this.states.initial(state);
        target.set(from, row * size);
      }
    }
  }

  /** @param rows the same parts, as they lay in the run */
  #end(batch: Batch, parts: SequenceParts, rows: SequenceParts, outcome: BatchOutcome): void {
    const plan = this.#ports.plans.of(parts[0]!.request.plan);
    const failed = outcome.ok ? this.#stateProblem(plan, outcome.outputs) : outcome.error;
    if (!outcome.ok || failed) {
      const ran = outcome.ok ? outcome : outcome.ran;
      this.#ports.ran(parts, this.#rowsOf(parts), { ok: false, error: failed!, sessionLost: false, ran });
      for (const part of parts) batch.fail(part, failed!);
      return;
    }
    const { outputs } = outcome;
    this.#ports.ran(parts, this.#rowsOf(parts), outcome);
    const result: BatchResult = {
      kind: 'whole',
      outputs: { rows: outputs.rows, outputs: outputs.outputs.slice(0, plan.answered) },
    };
    for (const [index, part] of parts.entries()) {
      const row = rows[index]!;
      if (batch.complete(part, result, row)) this.#keep(plan, outputs, part.slot, row);
    }
  }

  #keep(plan: SequencePlan, { outputs }: BatchOutputs, slot: number, { batchRow }: RequestPart<unknown>): void {
    for (const [state, output] of plan.stateOutputs.entries()) {
      const size = this.states.sizes[state]!;
      this.states.keep(slot, state, outputs[output]!.bytes.subarray(batchRow * size, (batchRow + 1) * size));
    }
  }

  /** A state of another size would be another model's. */
  #stateProblem({ stateOutputs }: SequencePlan, { rows, outputs }: BatchOutputs): SluiceError | undefined {
    for (const [state, index] of stateOutputs.entries()) {
      const { name, bytes } = outputs[index]!;
      const expected = rows * this.states.sizes[state]!;
      if (bytes.byteLength === expected) continue;
      const message = `the model failed: its state "${clip(name)}" has ${bytes.byteLength} bytes, expected ${expected}`;
      return new SluiceError('model-failed', message, { cause: 'a state of another size' });
    }
    return undefined;
  }
}
