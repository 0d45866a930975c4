import type { LineageServiceMethods } from '@sluice/contracts/services';
import type { Handlers } from '@sluice/rpc/handlers';
import { getLineage } from '../usecases/get-lineage.ts';
import type { RegistryState } from '../usecases/state.ts';
import { checkingTexts } from './check-texts.ts';
import { decodeDirection, decodeStart } from './decode-provenance.ts';
import { encodeLineage } from './encode-provenance.ts';

/** Handlers of LineageService: decode, call the use case, encode. */
export function lineageHandlers(state: RegistryState): Handlers<LineageServiceMethods> {
  return checkingTexts({
    getLineage: async (request) => {
      const { depth, maxNodes } = request;
      const [from, direction] = [decodeStart(request), decodeDirection(request.direction)];
      return encodeLineage(await getLineage(state, { from, direction, depth, maxNodes }));
    },
  });
}
