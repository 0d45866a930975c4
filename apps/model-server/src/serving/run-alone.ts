import type { Batch, BatchPart, RequestPart } from '@sluice/batching/contract';
import { SluiceError } from '@sluice/domain/errors';
import type { BatchOutputs } from '../runtime/outputs.ts';
import type { BatchJob, BatchOutcome } from '../runtime/session-thread.ts';
import { BatchFill } from './fill.ts';
import type { BatchResult, InferJob } from './infer-job.ts';

type Part = RequestPart<InferJob>;

export interface AlonePorts {
  /** The most rows that batches of the version have. */
  readonly maxRows: number;
  /** How many rows a run of so many is made of. */
  readonly padded: (rows: number) => number;
  /** Whether a request is answered when its own run ends; else when the batch does, in the order that the scheduler keeps. */
  readonly atOnce: boolean;
  /** Hands a run to a session; the next is only handed over when the one before has freed its place. */
  readonly submit: (job: BatchJob) => void;
  /** Told of each run, with its rows, padding included. */
  readonly ran: (part: Part, rows: number, outcome: BatchOutcome) => void;
  /** Told at the end, before the batch is freed. */
  readonly over: () => void;
}

/** A copy that outlives the batch's memory. */
function keep(outputs: BatchOutputs): BatchOutputs {
  return {
    rows: outputs.rows,
    outputs: outputs.outputs.map((output) => ({ ...output, bytes: output.bytes.slice() })),
  };
}

/**
 * Runs the parts of a failed batch one after the other, so that one request that the model cannot take does not cost the
 * others their answers. A request that is whole here is answered when its run ends (`atOnce`); one that was split, when the batch does.
 * Keeps the batch's instance until the last has run.
 */
export function runAlone(batch: Batch<InferJob, BatchResult>, ports: AlonePorts): void {
  const byPart = new Map<BatchPart, BatchOutputs | SluiceError>();
  const end = (): void => {
    batch.complete({ kind: 'alone', byPart }, batch.paddedRows);
    ports.over();
    batch.free();
  };
  const next = (index: number): void => {
    let part = batch.parts[index];
    while (part && !batch.wanted(part)) {
      byPart.set(part, new SluiceError('cancelled', 'the request was answered before its turn'));
      part = batch.parts[++index];
    }
    if (!part) {
      end();
      return;
    }
    run(part, index);
  };
  const run = (part: Part, index: number): void => {
    const done = (outcome: BatchOutcome): void => {
      const whole = ports.atOnce && part.rows === part.request.rows;
      ports.ran(part, rowsOf(part, ports), outcome);
      if (whole) part.request.ranAlone(outcome.ok ? outcome.outputs : outcome.error);
      if (!outcome.ok) byPart.set(part, outcome.error);
      else if (!whole) byPart.set(part, keep(outcome.outputs));
    };
    try {
      ports.submit(jobOf(part, ports, done, () => next(index + 1)));
    } catch (error) {
      byPart.set(part, SluiceError.from(error));
      next(index + 1);
    }
  };
  next(0);
}

/** Rows of a run of a part. */
const rowsOf = ({ request, rows }: Part, { padded }: AlonePorts): number => (request.plan.batched ? padded(rows) : 1);

function jobOf(part: Part, ports: AlonePorts, done: (outcome: BatchOutcome) => void, freed: () => void): BatchJob {
  const { plan } = part.request;
  const { maxRows } = ports;
  const rows = rowsOf(part, ports);
  const fill = new BatchFill(plan, [{ ...part, batchRow: 0 }], rows);
  return { plan, rows, maxRows, stringBytes: fill.stringBytes, fill: (targets) => fill.write(targets), done, freed };
}
