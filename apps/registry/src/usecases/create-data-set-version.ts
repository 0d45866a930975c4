import type { DataSetRef } from '@sluice/domain/data-set';
import { checkDataSetFacts, checkReferences, dataSetText } from '@sluice/domain/data-set';
import { SluiceError } from '@sluice/domain/errors';
import { checkActor } from '@sluice/domain/model';
import { checkModelName, clip } from '@sluice/domain/names';
import { canonicalJson, utf8 } from '../audit/canonical-json.ts';
import { sha256 } from '../audit/tree-hash.ts';
import { parseJsonObject } from './json-text.ts';
import type { DataSetContent, DataSetVersionRecord, NewDataSetVersion } from './provenance.ts';
import { checkRequestId, requireDataSets, requireMaker } from './provenance-checks.ts';
import type { Changed, RegistryState, StateChange } from './state.ts';

export interface CreateDataSetVersionRequest extends DataSetContent {
  readonly dataSet: string;
  /** '' for none. */
  readonly requestId: string;
}

export interface CreatedDataSetVersion {
  readonly version: DataSetVersionRecord;
  /** False when there was one that says the same. */
  readonly created: boolean;
}

const maxManifest = 1_048_576;

/**
 * Makes the next version of a data set. One that says the same in everything is answered in its place, so that a repeated
 * push of the same changes nothing; the same bytes with other facts are another version, as lineage is asked for the
 * facts. Errors: what is wrong, and what is named and not there, by its field.
 */
export async function createDataSetVersion(
  state: RegistryState,
  actor: string,
  request: CreateDataSetVersionRequest,
): Promise<CreatedDataSetVersion> {
  checkActor(actor);
  checkModelName(request.dataSet, 'data_set', 'a name of a data set');
  checkRequestId(request.requestId);
  checkDataSetFacts(request);
  checkReferences(request.parents, 'parents', dataSetText);
  const manifest = parseJsonObject(request.manifestJson, 'manifest_json', maxManifest);
  const manifestJson = request.manifestJson === '' ? '' : canonicalJson(manifest);
  const parents = request.parents.toSorted(byText);
  const contentSha256 = hexSha256(contentText({ ...request, manifestJson, parents }));
  const version: NewDataSetVersion = { ...request, manifestJson, parents, contentSha256 };
  return state.change(actor, async (change) => {
    const made = (await madeBefore(change, version)) ?? (await sameContent(change, version));
    if (made === undefined) return make(change, version);
    const found = await change.provenance.dataSetVersion({ dataSet: version.dataSet, version: made });
    return { entries: [], result: { version: found!, created: false } };
  });
}

const hexSha256 = (text: string): string => Buffer.from(sha256(utf8(text))).toString('hex');

const byText = (left: DataSetRef, right: DataSetRef): number => (dataSetText(left) < dataSetText(right) ? -1 : 1);

/** Equal texts are equal content. */
function contentText({ digest, columns, rowCount, parents, location, format, manifestJson, run }: DataSetContent) {
  return JSON.stringify([
    ...[digest, rowCount ?? null, location, format, manifestJson, run],
    columns.map(({ name, type }) => [name, type]),
    parents.map(dataSetText),
  ]);
}

/** The number of the version that this request made; `already-exists` when it made another one. */
async function madeBefore(change: StateChange, version: NewDataSetVersion): Promise<number | undefined> {
  if (version.requestId === '') return undefined;
  const made = await change.provenance.dataSetVersionByRequest(version.requestId);
  if (!made) return undefined;
  const { dataSet, contentSha256 } = version;
  if (made.dataSet === dataSet && made.contentSha256 === contentSha256 && made.actor === change.actor)
    return made.version;
  throw new SluiceError(
    'already-exists',
    `request_id: "${clip(version.requestId)}" already made ${dataSetText(made)}, which says something else or was made by another actor; use a new one`,
  );
}

const sameContent = (change: StateChange, { dataSet, contentSha256 }: NewDataSetVersion) =>
  change.provenance.dataSetVersionLike(dataSet, contentSha256);

async function make(change: StateChange, version: NewDataSetVersion): Promise<Changed<CreatedDataSetVersion>> {
  await requireDataSets(change.provenance, version.parents, 'parents');
  await requireMaker(change.provenance, version.run, 'outputs');
  const made = await change.provenance.insertDataSetVersion(version);
  const { digest, rowCount, columns, location, format, manifestJson, run } = made;
  const entry = {
    action: 'data_set.version.created',
    object: `data-set/${made.dataSet}/version/${made.number}`,
    body: {
      ...{ data_set: made.dataSet, version: made.number, digest, location, format, run },
      ...{ columns: columns.length, row_count: rowCount ?? null, parents: made.parents.map(dataSetText) },
      manifest_sha256: manifestJson === '' ? '' : hexSha256(manifestJson),
      content_sha256: version.contentSha256,
    },
  };
  return { entries: [entry], result: { version: made, created: true } };
}
