import type { DataSetRef, VersionRef } from '@sluice/domain/data-set';
import { dataSetText, mostReferences, versionText } from '@sluice/domain/data-set';
import { failedPrecondition, invalidArgument, notFound, SluiceError } from '@sluice/domain/errors';
import { clip } from '@sluice/domain/names';
import type { MadeThing, ProvenanceReads, RunRecord } from './provenance.ts';

/** The run, or `not-found`. */
export async function requireRun(reads: ProvenanceReads, id: string, field = 'run'): Promise<RunRecord> {
  const run = await reads.run(id);
  if (!run) throw notFound(`${field}: there is no run "${clip(id)}"; \`sluice run list\` shows those that there are`);
  return run;
}

/**
 * The run that makes something now: `not-found` when it is not there, `failed-precondition` when it has ended,
 * `resource-exhausted` when it has made as much as one run may.
 */
export async function requireMaker(
  reads: ProvenanceReads,
  id: string,
  made: 'outputs' | 'versions',
): Promise<RunRecord | undefined> {
  if (id === '') return undefined;
  const run = await requireRun(reads, id);
  if (run.state !== 'running') {
    throw failedPrecondition(
      `run: ${run.id} has ended (${run.state}), so it makes nothing more; start another attempt`,
    );
  }
  checkRoom(run[made].length + 1, made);
  return run;
}

export function checkRoom(count: number, what: 'inputs' | 'outputs' | 'versions'): void {
  if (count <= mostReferences) return;
  throw new SluiceError(
    'resource-exhausted',
    `${what}: a run has at most ${mostReferences} of them; split it into several runs`,
  );
}

/** What is known of the making of data set versions; `not-found` naming the field of one that there is not. */
export async function requireDataSets(
  reads: ProvenanceReads,
  refs: readonly DataSetRef[],
  field: string,
): Promise<readonly MadeThing[]> {
  const made = await reads.madeDataSets(refs);
  return refs.map((ref, index) => {
    const found = made[index];
    if (found) return found;
    throw notFound(
      `${field}[${index}]: there is no data set version ${dataSetText(ref)}; \`sluice dataset list ${ref.dataSet}\` shows those that there are`,
    );
  });
}

/** The same of versions of models. */
export async function requireVersions(
  reads: ProvenanceReads,
  refs: readonly VersionRef[],
  field: string,
): Promise<readonly MadeThing[]> {
  const made = await reads.madeVersions(refs);
  return refs.map((ref, index) => {
    const found = made[index];
    if (found) return found;
    throw notFound(
      `${field}[${index}]: there is no version ${versionText(ref)}; \`sluice versions ${ref.model}\` shows those that there are`,
    );
  });
}

/** Refuses an id for retries that is too long. */
export function checkRequestId(requestId: string): void {
  if (requestId.length <= 128) return;
  throw invalidArgument(`request_id: ${requestId.length} characters given; expected at most 128`);
}
