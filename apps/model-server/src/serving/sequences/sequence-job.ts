import type { SequenceRequest } from '@sluice/batching/sequences/contract';
import type { SequenceId, SequenceMark } from '@sluice/inference/sequence';
import { InferJob, type BatchResult } from '../infer-job.ts';

/** A request of a sequence on its way through the scheduler. */
export class SequenceJob extends InferJob implements SequenceRequest<BatchResult> {
  readonly sequence: SequenceId;
  readonly start: boolean;
  readonly end: boolean;

  constructor(mark: SequenceMark, ...job: ConstructorParameters<typeof InferJob>) {
    super(...job);
    this.sequence = mark.id;
    this.start = mark.start;
    this.end = mark.end;
  }

  /** The next of its sequence may have begun beside it. */
  protected override get isUnused(): boolean {
    return false;
  }
}
