import type { InferResult } from '@sluice/client/oip-client';
import type { CliContext } from '../context.ts';
import type { Answer } from './answers.ts';
import type { RequestTensor } from './tensors.ts';

/** One request that is to be sent. */
export interface PlannedRequest {
  readonly tensors: readonly RequestTensor[];
  /** Rows that it carries. */
  readonly rows: number;
}

export interface InferenceTarget {
  readonly model: string;
  /** Number, alias, or '' for the release. */
  readonly version: string;
  /** Names of the outputs that are wanted; empty for all. */
  readonly outputs: readonly string[];
  readonly timeoutMs: number;
}

/** Sends requests, `inFlight` at a time, and gives their answers in the order of the requests. The first failure ends it. */
export async function runRequests(
  context: CliContext,
  target: InferenceTarget,
  requests: readonly PlannedRequest[],
  inFlight: number,
): Promise<readonly Answer[]> {
  const answers: Answer[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let index = next++; index < requests.length; index = next++) {
      answers[index] = await sendOne(context, target, requests[index]!);
    }
  };
  try {
    await Promise.all(Array.from({ length: Math.min(inFlight, requests.length) }, worker));
  } catch (error) {
    next = requests.length;
    throw error;
  }
  return answers;
}

export async function sendOne(context: CliContext, target: InferenceTarget, request: PlannedRequest): Promise<Answer> {
  const inputs = request.tensors.map(({ name, datatype, shape, raw }) => ({ name, datatype, shape, data: raw }));
  const { model, version, outputs, timeoutMs } = target;
  const result: InferResult = await context.services.inference.infer(
    { model, inputs, ...(version === '' ? {} : { version }), ...(outputs.length === 0 ? {} : { outputs }) },
    { timeoutMs, signal: context.signal },
  );
  return { predictionId: result.predictionId, version: result.version, rows: request.rows, outputs: result.outputs };
}
