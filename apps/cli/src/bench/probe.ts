import type { Clock } from '@sluice/domain/clock';
import { createRawClient } from '@sluice/rpc/raw-client';
import type { TlsSource } from '@sluice/rpc/tls/source';
import { RequestBytes } from './generator/request-bytes.ts';
import type { BenchPlan } from './options.ts';

/**
 * Sends one request before the load, so that a wrong one is one clear error and not a million.
 *
 * @returns the bytes of its answer
 * @throws RpcError when it fails
 */
export async function probe(
  plan: Pick<BenchPlan, 'addresses' | 'sequences' | 'timeoutMs' | 'transport'> & {
    readonly tls: TlsSource | undefined;
  },
  request: Uint8Array,
  clock: Clock,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const { transport, tls } = plan;
  const client = createRawClient(plan.addresses[0]!, { transport, clock, tls });
  // To a stateful model, a sequence of one request.
  const step = plan.sequences && { id: plan.sequences.firstId, start: true, end: true };
  const { message, suffix } = new RequestBytes([request]).take(undefined, step);
  try {
    return await new Promise((resolve, reject) => {
      const options = { deadlineMs: clock.now() + plan.timeoutMs, ...(suffix && { suffix }) };
      const call = client.call(
        '/inference.GRPCInferenceService/ModelInfer',
        message,
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
