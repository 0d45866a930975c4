import type { RuntimeServiceMethods } from '@sluice/contracts/services';
import { unimplemented, watch, type Handlers } from '@sluice/rpc/handlers';
import type { RuntimeStatus, StatusBoard } from '../versions/status-board.ts';

/** Version of the status watch that this runtime speaks. */
const protocolVersion = 1;

const messageOf = (runtimeId: string, status: RuntimeStatus) => ({
  runtimeId,
  draining: status.draining,
  protocolVersion,
  versions: status.versions.map(({ model, version, ready, reason }) => ({
    model,
    version: String(version),
    ready,
    reason,
  })),
});

/** RuntimeService: what routers follow of this runtime. */
export function runtimeHandlers(runtimeId: string, board: StatusBoard): Handlers<RuntimeServiceMethods> {
  return {
    watchStatus: watch(async function* (_request, ctx) {
      for await (const status of board.watch(ctx.signal)) yield messageOf(runtimeId, status);
    }),
    link: unimplemented('this runtime has no link yet: call its methods one by one'),
  };
}
