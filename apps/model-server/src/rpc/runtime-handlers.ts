import { inferenceService, type RuntimeServiceMethods } from '@sluice/contracts/services';
import { watch, type Handlers, type RawUnaryHandler } from '@sluice/rpc/handlers';
import { linkHandler } from '@sluice/rpc/link/link-handler';
import type { RuntimeStatus, StatusBoard } from '../versions/status-board.ts';

/** Version of the status watch that this runtime speaks. */
const protocolVersion = 1;

const messageOf = (runtimeId: string, status: RuntimeStatus) => ({
  runtimeId,
  draining: status.draining,
  protocolVersion,
  loadsOnDemand: true,
  versions: status.versions.map(({ model, version, ready, onDemand, reason }) => ({
    model,
    version: String(version),
    ready,
    onDemand,
    reason,
  })),
});

/** RuntimeService: what routers follow of this runtime, and the link that their inferences come over. */
export function runtimeHandlers(
  runtimeId: string,
  board: StatusBoard,
  predict: RawUnaryHandler,
): Handlers<RuntimeServiceMethods> {
  return {
    watchStatus: watch(async function* (_request, ctx) {
      for await (const status of board.watch(ctx.signal)) yield messageOf(runtimeId, status);
    }),
    link: linkHandler({ [`${inferenceService.name}/ModelInfer`]: predict }),
  };
}
