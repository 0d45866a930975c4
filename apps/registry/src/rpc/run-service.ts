import type { RunServiceMethods } from '@sluice/contracts/services';
import type { Handlers } from '@sluice/rpc/handlers';
import { endRun } from '../usecases/end-run.ts';
import { getRun, listRuns } from '../usecases/read-runs.ts';
import { startRun } from '../usecases/start-run.ts';
import type { RegistryState } from '../usecases/state.ts';
import { checkingTexts } from './check-texts.ts';
import { decodeDataSetRefs, decodeRunEnd, decodeRunState, decodeVersionRefs } from './decode-provenance.ts';
import { encodeRun } from './encode-provenance.ts';
import { readTimestamp } from './scalars.ts';

/** Handlers of RunService: decode, call the use case, encode. */
export function runHandlers(state: RegistryState): Handlers<RunServiceMethods> {
  return checkingTexts({
    startRun: async ({ pipeline, scheduledTime, attempt, inputs, requestId }, { actor }) => {
      const run = await startRun(state, actor, {
        ...{ pipeline, requestId, scheduledAt: readTimestamp(scheduledTime, 'scheduled_time') },
        attempt: attempt === 0 ? 1 : attempt,
        inputs: decodeDataSetRefs(inputs, 'inputs'),
      });
      return { run: encodeRun(run) };
    },
    endRun: async ({ run, state: end, error, inputs, outputs, versions }, { actor }) => {
      const ended = await endRun(state, actor, {
        ...{ run, error, state: decodeRunEnd(end) },
        inputs: decodeDataSetRefs(inputs, 'inputs'),
        outputs: decodeDataSetRefs(outputs, 'outputs'),
        versions: decodeVersionRefs(versions, 'versions'),
      });
      return { run: encodeRun(ended) };
    },
    getRun: async ({ run }) => ({ run: encodeRun(await getRun(state, run)) }),
    listRuns: async ({ pipeline, state: ofState, pageSize, pageToken }) => {
      const request = { pipeline, state: decodeRunState(ofState), pageSize, pageToken };
      const { runs, nextPageToken } = await listRuns(state, request);
      return { runs: runs.map(encodeRun), nextPageToken };
    },
  });
}
