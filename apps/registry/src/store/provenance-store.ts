import type { DataSetRef, VersionRef } from '@sluice/domain/data-set';
import type { RunEnd } from '@sluice/domain/run';
import type { ProvenanceChanges, ProvenanceReads } from '../usecases/provenance.ts';
import * as dataSets from './data-set-store.ts';
import { selectSteps, selectThings } from './lineage-store.ts';
import * as runs from './run-store.ts';
import type { Sql } from './sql.ts';
import type { Stamp } from './version-store.ts';

/** Reads of data sets, runs and lineage in a transaction that is open. */
export function provenanceReads(sql: Sql): ProvenanceReads {
  return {
    dataSet: async (name) => (await dataSets.selectDataSets(sql, { name, limit: 1 }))[0],
    dataSets: (after, limit) => dataSets.selectDataSets(sql, { after, limit }),
    dataSetVersion: (ref) => dataSets.selectDataSetVersion(sql, ref),
    dataSetVersions: (name, query) => dataSets.selectDataSetVersions(sql, name, query),
    dataSetVersionLike: (name, contentSha256) => dataSets.selectByContent(sql, name, contentSha256),
    dataSetVersionByRequest: (requestId) => dataSets.selectByRequest(sql, requestId),
    madeDataSets: (refs) => dataSets.selectMadeDataSets(sql, refs),
    madeVersions: (refs) => runs.selectMadeVersions(sql, refs),
    run: (id) => runs.selectRun(sql, id),
    runByKey: (key) => runs.selectRunByKey(sql, key),
    runByRequest: (requestId) => runs.selectRunByRequest(sql, requestId),
    runs: (query) => runs.selectRuns(sql, query),
    steps: (from, direction, limit) => selectSteps(sql, from, direction, limit),
    things: (keys) => selectThings(sql, keys),
  };
}

/** The same with what changes them, in the transaction of a change. */
export function provenanceChanges(sql: Sql, stamp: Stamp): ProvenanceChanges {
  return {
    ...provenanceReads(sql),
    insertDataSetVersion: async (version) => {
      const made = await dataSets.insertDataSetVersion(sql, version, stamp);
      if (version.run !== '') await runs.insertRunDataSets(sql, 'run_output', version.run, [refOf(made)]);
      return made;
    },
    insertRun: (key, inputs, requestId) => runs.insertRun(sql, key, inputs, requestId, stamp),
    endRun: (id: string, state: RunEnd, error: string) => runs.endRun(sql, id, state, error, stamp),
    addInputs: (run, inputs) => runs.insertRunDataSets(sql, 'run_input', run, inputs),
    addOutputs: (run, outputs) => runs.insertRunDataSets(sql, 'run_output', run, outputs),
    addVersions: (run, versions) => runs.insertRunVersions(sql, run, versions),
  };
}

const refOf = ({ dataSet, number }: { readonly dataSet: string; readonly number: number }): DataSetRef => ({
  ...{ dataSet, version: number },
});

/** What a version of a model is made of and by: the rows of a version that is new. */
export async function insertOrigin(
  sql: Sql,
  version: VersionRef,
  run: string,
  trainedOn: readonly DataSetRef[],
): Promise<void> {
  if (run !== '') await runs.insertRunVersions(sql, run, [version]);
  if (trainedOn.length === 0) return;
  await sql.query(
    `insert into registry.version_data_set (model, number, data_set, data_set_number)
     select $1, $2, * from unnest($3::text[], $4::bigint[])`,
    [version.model, version.version, trainedOn.map(({ dataSet }) => dataSet), trainedOn.map((ref) => ref.version)],
  );
}
