import type { PredictionServiceMethods } from '@sluice/contracts/services';
import type { CallContext, Handlers } from '@sluice/rpc/handlers';
import { PredictionAbsent } from '../predictions/absence.ts';
import type { GetPredictionPorts } from '../predictions/get-prediction.ts';
import { getPrediction } from '../predictions/get-prediction.ts';
import type { StatisticsPorts } from '../predictions/get-statistics.ts';
import { getStatistics } from '../predictions/get-statistics.ts';
import type { PredictionLister } from '../predictions/list-predictions.ts';
import { listPredictions } from '../predictions/list-predictions.ts';
import { readLabelPolicy, readList, readStatistics } from './decode-queries.ts';
import { encodePrediction, encodeSummary } from './encode-prediction.ts';
import { encodeStatistics } from './encode-statistics.ts';

export interface PredictionPorts {
  readonly get: GetPredictionPorts;
  readonly lister: PredictionLister;
  readonly statistics: StatisticsPorts;
}

/** Handlers of PredictionService: decode, call the use case, encode. */
export function predictionHandlers({ get, lister, statistics }: PredictionPorts): Handlers<PredictionServiceMethods> {
  return {
    getPrediction: async ({ labelPolicy, ...request }, ctx) => {
      const asked = { ...request, actor: ctx.actor, labelPolicy: readLabelPolicy(labelPolicy) };
      try {
        return { prediction: encodePrediction(await getPrediction(get, asked)) };
      } catch (error) {
        if (error instanceof PredictionAbsent) sayAbsence(ctx, error);
        throw error;
      }
    },
    listPredictions: async (request) => {
      const { predictions, nextPageToken } = await listPredictions({ lister, clock: get.clock }, readList(request));
      return { predictions: predictions.map(encodeSummary), nextPageToken };
    },
    getStatistics: async (request) => encodeStatistics(await getStatistics(statistics, readStatistics(request))),
  };
}

/** For programs: what it can mean that there is nothing, and the day of the id. */
function sayAbsence(ctx: CallContext, { reasons, day }: PredictionAbsent): void {
  ctx.setTrailer('sluice-absent', reasons.join(','));
  if (day !== '') ctx.setTrailer('sluice-absent-day', day);
}
