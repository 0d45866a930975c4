import { inferenceService } from '@sluice/contracts/services';
import type { GRPCInferenceServiceMethods, RequestInput, ResponseOutput } from '@sluice/contracts/services';
import type { Clock } from '@sluice/domain/clock';
import type { RuntimeLink } from '../runtimes/runtime-link.ts';
import type { RuntimeCounts, StatisticsScope } from '../runtimes/statistics.ts';

/** A runtime that does not answer within so many milliseconds is left out. */
export const runtimeCallTimeoutMs = 1_000;

/** Names the process whose counts an answer has; they start anew with it. */
const epochTrailer = 'sluice-statistics-epoch';

/** What the router asks of single runtimes beside inferences, on the connection that those have. */
export interface RuntimeCalls {
  /** Rejects when the runtime does not answer in time. What it does not have is left out. */
  statistics(link: RuntimeLink, scope: StatisticsScope): Promise<RuntimeCounts>;
  /**
   * The answer as the runtime wrote it: reading it would drop the fields that this router does not know, and mix up the
   * levels of `priority_queue_policy`, since protobufjs makes unreadable hashes of 64-bit keys.
   */
  modelConfig(link: RuntimeLink, request: { readonly name: string; readonly version: string }): Promise<Buffer>;
}

/** The calls over the links' own connections. */
export function runtimeCalls(clock: Clock): RuntimeCalls {
  const options = () => ({ deadlineMs: clock.now() + runtimeCallTimeoutMs });
  const statistics = methodOf('modelStatistics');
  const config = methodOf('modelConfig');
  return {
    async statistics(link, scope) {
      const outcome = await link.ask(statistics.path, statistics.encode(scope), options());
      const epoch = outcome.trailer(epochTrailer) ?? link.runtimeId;
      if (outcome.error?.kind === 'not-found') return { epoch, versions: [] };
      if (outcome.error) throw outcome.error;
      return { epoch, versions: statistics.decode(outcome.message!).modelStats };
    },
    async modelConfig(link, request) {
      const outcome = await link.ask(config.path, config.encode(request), options());
      if (outcome.error) throw outcome.error;
      return outcome.message!;
    },
  };
}

function methodOf<Name extends keyof GRPCInferenceServiceMethods>(name: Name) {
  type Of = GRPCInferenceServiceMethods[Name];
  const found = Object.values(inferenceService.definition).find(({ originalName }) => originalName === name)!;
  return {
    path: found.path,
    encode: (request: RequestInput<Of>): Buffer => found.requestSerialize(request),
    decode: (bytes: Buffer): ResponseOutput<Of> => found.responseDeserialize(bytes) as ResponseOutput<Of>,
  };
}
