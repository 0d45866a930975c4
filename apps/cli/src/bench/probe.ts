import type { Clock } from '@sluice/domain/clock';
import { createRawClient } from '@sluice/rpc/raw-client';
import { RequestFrames } from './generator/frames.ts';
import type { BenchPlan } from './options.ts';

const headBytes = 5;

/**
 * Sends one request before the load, so that a wrong one is one clear error and not a million.
 *
 * @returns the bytes of its answer
 * @throws RpcError when it fails
 */
export async function probe(
  plan: Pick<BenchPlan, 'addresses' | 'sequences' | 'timeoutMs'>,
  message: Uint8Array,
  clock: Clock,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const client = createRawClient(plan.addresses[0]!);
  // To a stateful model, a sequence of one request.
  const step = plan.sequences && { id: plan.sequences.firstId, start: true, end: true };
  const bytes = Buffer.concat(new RequestFrames([message]).take(undefined, step)).subarray(headBytes);
  try {
    return await new Promise((resolve, reject) => {
      const options = { deadlineMs: clock.now() + plan.timeoutMs };
      const call = client.call(
        '/inference.GRPCInferenceService/ModelInfer',
        bytes,
        options,
        ({ error, message: answer }) => {
          if (error === undefined) resolve(answer!);
          else reject(error);
        },
      );
      signal.addEventListener('abort', () => call.cancel(), { once: true });
    });
  } finally {
    client.close();
  }
}
