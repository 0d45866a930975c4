import type { LocateSequenceRequest__Output } from '@sluice/contracts/gen/sluice/runtime/v1/LocateSequenceRequest';
import { inferenceService, type RuntimeServiceMethods } from '@sluice/contracts/services';
import { invalidArgument } from '@sluice/domain/errors';
import type { SequenceId } from '@sluice/inference/sequence';
import { watch, type Handlers, type RawUnaryHandler } from '@sluice/rpc/handlers';
import { linkHandler } from '@sluice/rpc/link/link-handler';
import type { ServingTable } from '../versions/serving-table.ts';
import { LoadWaits, type VersionWaits } from '../versions/when-loaded.ts';
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

/** @returns undefined for an id that is no sequence's */
function sequenceIdOf({ id, number, text }: LocateSequenceRequest__Output): SequenceId | undefined {
  switch (id) {
    case 'number':
      return BigInt(number!) || undefined;
    case 'text':
      return text! || undefined;
    case undefined:
      throw invalidArgument('id: expected number or text, got neither');
  }
}

/** RuntimeService: what routers follow of this runtime, and the link that their inferences come over. */
export function runtimeHandlers(
  runtimeId: string,
  board: StatusBoard,
  predict: RawUnaryHandler,
  versions: VersionWaits & { readonly table: Pick<ServingTable, 'locate'> },
): Handlers<RuntimeServiceMethods> {
  const loads = new LoadWaits(versions);
  return {
    watchStatus: watch(async function* (_request, ctx) {
      for await (const status of board.watch(ctx.signal)) yield messageOf(runtimeId, status);
    }),
    locateSequence: async (request) => {
      if (request.model === '') throw invalidArgument('model: expected the name of a model, got nothing');
      const id = sequenceIdOf(request);
      const version = id === undefined ? undefined : versions.table.locate(request.model, id, Number(request.version));
      return { known: version !== undefined, version: String(version ?? 0) };
    },
    async loadVersion({ model, version }, { signal }) {
      await loads.whenLoaded(model, Number(version), signal);
      return {};
    },
    link: linkHandler({ [`${inferenceService.name}/ModelInfer`]: predict }),
  };
}
