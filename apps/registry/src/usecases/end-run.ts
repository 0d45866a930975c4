import type { DataSetRef, VersionRef } from '@sluice/domain/data-set';
import { checkReferences, dataSetText, versionText } from '@sluice/domain/data-set';
import { failedPrecondition, invalidArgument } from '@sluice/domain/errors';
import { checkActor } from '@sluice/domain/model';
import type { RunEnd } from '@sluice/domain/run';
import { cutText, storableText } from '@sluice/domain/text';
import type { MadeThing, RunRecord } from './provenance.ts';
import { checkRoom, requireDataSets, requireRun, requireVersions } from './provenance-checks.ts';
import type { RegistryState, StateChange } from './state.ts';

export interface EndRunRequest {
  readonly run: string;
  readonly state: RunEnd;
  /** Why it failed. */
  readonly error: string;
  /** Besides those that are known. */
  readonly inputs: readonly DataSetRef[];
  readonly outputs: readonly DataSetRef[];
  readonly versions: readonly VersionRef[];
}

/** What a run says at its end beside what is known. */
type Additions = Pick<EndRunRequest, 'inputs' | 'outputs' | 'versions'>;

/**
 * Ends a run. The same end again changes nothing, another one is `failed-precondition`. What it read must be older than the
 * run and what it made younger: so no chain of lineage comes back to where it began.
 */
export async function endRun(state: RegistryState, actor: string, request: EndRunRequest): Promise<RunRecord> {
  checkActor(actor);
  checkReferences(request.inputs, 'inputs', dataSetText);
  checkReferences(request.outputs, 'outputs', dataSetText);
  checkReferences(request.versions, 'versions', versionText);
  const error = storableText(cutText(request.error, 2_000));
  if (request.state === 'succeeded' && error !== '') {
    throw invalidArgument('error: given of a run that succeeded; leave it out, or say that it failed');
  }
  return state.change(actor, async (change) => {
    const { provenance } = change;
    const run = await requireRun(provenance, request.run);
    const more = additions(run, request);
    if (run.state !== 'running') {
      checkSameEnd(run, request, error, more);
      return { entries: [], result: run };
    }
    await checkAdditions(change, run, request);
    await provenance.addInputs(run.id, more.inputs);
    await provenance.addOutputs(run.id, more.outputs);
    await provenance.addVersions(run.id, more.versions);
    await provenance.endRun(run.id, request.state, error);
    const ended = await requireRun(provenance, run.id);
    const entry = {
      action: 'run.ended',
      object: `run/${run.id}`,
      body: {
        ...{ run: run.id, state: ended.state, error },
        ...{ inputs: ended.inputs.map(dataSetText), outputs: ended.outputs.map(dataSetText) },
        versions: ended.versions.map(versionText),
      },
    };
    return { entries: [entry], result: ended };
  });
}

function additions(run: RunRecord, request: Additions): Additions {
  const unknown = <Ref>(given: readonly Ref[], known: readonly Ref[], textOf: (ref: Ref) => string): readonly Ref[] => {
    const texts = new Set(known.map(textOf));
    return given.filter((ref) => !texts.has(textOf(ref)));
  };
  return {
    inputs: unknown(request.inputs, run.inputs, dataSetText),
    outputs: unknown(request.outputs, run.outputs, dataSetText),
    versions: unknown(request.versions, run.versions, versionText),
  };
}

function checkSameEnd(run: RunRecord, request: EndRunRequest, error: string, more: Additions): void {
  const saysMore = more.inputs.length + more.outputs.length + more.versions.length > 0;
  if (run.state === request.state && run.error === error && !saysMore) return;
  throw failedPrecondition(
    `run: ${run.id} ended as ${run.state} on ${new Date(run.endedAt!).toISOString()}; an end is not changed, start another attempt`,
  );
}

async function checkAdditions({ provenance }: StateChange, run: RunRecord, request: EndRunRequest): Promise<void> {
  const more = additions(run, request);
  checkRoom(run.inputs.length + more.inputs.length, 'inputs');
  checkRoom(run.outputs.length + more.outputs.length, 'outputs');
  checkRoom(run.versions.length + more.versions.length, 'versions');
  const inputs = await requireDataSets(provenance, request.inputs, 'inputs');
  for (const [index, { revision }] of inputs.entries()) {
    if (revision < run.startRevision) continue;
    throw failedPrecondition(
      `inputs[${index}]: ${dataSetText(request.inputs[index]!)} was made after ${run.id} began, which cannot have read it from its start; start a run of its own for what reads it`,
    );
  }
  const outputs = await requireDataSets(provenance, request.outputs, 'outputs');
  checkMade(run, outputs, (index) => `outputs[${index}]: ${dataSetText(request.outputs[index]!)}`);
  const versions = await requireVersions(provenance, request.versions, 'versions');
  checkMade(run, versions, (index) => `versions[${index}]: ${versionText(request.versions[index]!)}`);
}

function checkMade(run: RunRecord, things: readonly MadeThing[], named: (index: number) => string): void {
  for (const [index, { revision, run: maker }] of things.entries()) {
    if (maker !== '' && maker !== run.id) throw failedPrecondition(`${named(index)} was made by ${maker}`);
    if (revision < run.startRevision) {
      throw failedPrecondition(
        `${named(index)} was made before ${run.id} began; name the run when it is made, which makes a version of its own`,
      );
    }
  }
}
