import { SluiceError } from '@sluice/domain/errors';
import type { BatchRequest, RequestPart } from './contract.ts';
import type { FormedBatch, QueuedPart } from './formed-batch.ts';
import type { QueueNode } from './queue-node.ts';

/** Answers a request. A throw can reach nobody any more, so it goes to `onDefect`. */
export function tellSuccess(request: BatchRequest<never>, onDefect: (thrown: unknown) => void): void {
  try {
    request.succeed();
  } catch (thrown) {
    onDefect(thrown);
  }
}

/** As `tellSuccess`. */
export function tellFailure(
  request: BatchRequest<never>,
  error: SluiceError,
  onDefect: (thrown: unknown) => void,
): void {
  try {
    request.fail(error);
  } catch (thrown) {
    onDefect(thrown);
  }
}

/** Marks the part as over; true when its request still waits for an answer. */
export function partOver<Request>(part: QueuedPart<Request>): boolean {
  part.node.runningParts--;
  return !part.node.answered;
}

/** Every row of the request is in a batch, and all these batches are answered. */
export function allRowsDone<Request>(node: QueueNode<Request>): boolean {
  return !node.queued && node.runningParts === 0;
}

/** Hands a part's rows to its request. Returns the error that the request must fail with when it cannot take them. */
export function handOver<Request extends BatchRequest<Result>, Result>(
  part: RequestPart<Request>,
  result: Result,
): SluiceError | undefined {
  try {
    part.request.rowsDone(result, part);
    return undefined;
  } catch (thrown) {
    return SluiceError.from(thrown);
  }
}

/** What every request of a batch fails with when the runner's result has not as many rows as the batch that ran. */
export function wrongRowCount<Request, Result>(
  name: string,
  batch: FormedBatch<Request, Result>,
  got: number,
): SluiceError {
  const padded = batch.paddedRows === batch.rows ? '' : `, padded to ${batch.paddedRows}`;
  return new SluiceError(
    'internal',
    `${name}: the model answered ${got} rows to a batch of ${batch.rows}${padded}; rows cannot be told apart, so none was answered. ` +
      `Push the version again with max_batch_size 0 if its outputs have no batch dimension`,
  );
}
