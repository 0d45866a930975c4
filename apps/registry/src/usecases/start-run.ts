import type { DataSetRef } from '@sluice/domain/data-set';
import { checkReferences, dataSetText } from '@sluice/domain/data-set';
import { invalidArgument, SluiceError } from '@sluice/domain/errors';
import { checkActor } from '@sluice/domain/model';
import { checkModelName, clip } from '@sluice/domain/names';
import type { RunKey, RunRecord } from './provenance.ts';
import { checkRequestId, requireDataSets } from './provenance-checks.ts';
import type { Entry, RegistryState } from './state.ts';

export interface StartRunRequest extends RunKey {
  readonly inputs: readonly DataSetRef[];
  /** '' for none. */
  readonly requestId: string;
}

const mostAttempts = 1_000_000;

/**
 * Begins a run. There is one of each attempt of a pipeline at a time: `already-exists` names the one that has begun,
 * so that of two schedulers one starts it. The same `requestId` answers with the run that it began.
 */
export async function startRun(state: RegistryState, actor: string, request: StartRunRequest): Promise<RunRecord> {
  checkActor(actor);
  const { pipeline, scheduledAt, attempt, inputs, requestId } = request;
  checkModelName(pipeline, 'pipeline', 'a name of a pipeline');
  checkRequestId(requestId);
  if (attempt < 1 || attempt > mostAttempts) {
    throw invalidArgument(`attempt: ${attempt} given; expected 1 to ${mostAttempts}`);
  }
  checkReferences(inputs, 'inputs', dataSetText);
  return state.change(actor, async (change) => {
    const key = { pipeline, scheduledAt, attempt };
    const begun = requestId === '' ? undefined : await change.provenance.runByRequest(requestId);
    if (begun) {
      checkSameRequest(begun, change.actor, request);
      return { entries: [], result: begun };
    }
    const there = await change.provenance.runByKey(key);
    if (there) {
      throw new SluiceError(
        'already-exists',
        `attempt: ${there.id} is attempt ${attempt} of ${pipeline} at ${new Date(scheduledAt).toISOString()} (${there.state}); take the next number for another attempt`,
      );
    }
    await requireDataSets(change.provenance, inputs, 'inputs');
    const run = await change.provenance.insertRun(key, inputs, requestId);
    return { entries: [runStarted(run)], result: run };
  });
}

function checkSameRequest(begun: RunRecord, actor: string, request: StartRunRequest): void {
  const { pipeline, scheduledAt, attempt, startedBy } = begun;
  const isSame =
    pipeline === request.pipeline &&
    scheduledAt === request.scheduledAt &&
    attempt === request.attempt &&
    startedBy === actor;
  if (isSame) return;
  throw new SluiceError(
    'already-exists',
    `request_id: "${clip(request.requestId)}" already began ${begun.id}, another run or by another actor; use a new one`,
  );
}

function runStarted({ id, pipeline, scheduledAt, attempt, inputs }: RunRecord): Entry {
  return {
    action: 'run.started',
    object: `run/${id}`,
    body: {
      ...{ run: id, pipeline, attempt, scheduled_at: new Date(scheduledAt).toISOString() },
      inputs: inputs.map(dataSetText),
    },
  };
}
