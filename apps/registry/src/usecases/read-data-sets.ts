import { notFound } from '@sluice/domain/errors';
import { clip } from '@sluice/domain/names';
import { pageSize, pageToken, readPageToken } from './page.ts';
import type { DataSetRecord, DataSetVersionRecord, ProvenanceReads } from './provenance.ts';
import type { RegistryState } from './state.ts';
import type { SizedPage, SizedPageRequest } from './version-page.ts';
import { readNumberedPage } from './version-page.ts';

/** A version of a data set with its manifest; version 0 is the newest. */
export async function getDataSetVersion(
  state: RegistryState,
  request: { readonly dataSet: string; readonly version: number },
): Promise<DataSetVersionRecord> {
  return state.read(async ({ provenance }) => {
    const { name, versionCount } = await requireDataSet(provenance, request.dataSet);
    const number = request.version === 0 ? versionCount : request.version;
    const version = await provenance.dataSetVersion({ dataSet: name, version: number });
    if (version) return version;
    throw notFound(`version: ${name} has no version ${number}; \`sluice dataset list ${name}\` lists what it has`);
  });
}

/** A page of data sets by name. */
export async function listDataSets(
  state: RegistryState,
  request: SizedPageRequest,
): Promise<{ readonly dataSets: readonly DataSetRecord[]; readonly nextPageToken: string }> {
  const size = pageSize(request.pageSize);
  const after = readPageToken(request.pageToken, '');
  return state.read(async ({ provenance }) => {
    const found = await provenance.dataSets(after, size + 1);
    const dataSets = found.slice(0, size);
    return { dataSets, nextPageToken: found.length > size ? pageToken(dataSets.at(-1)!.name) : '' };
  });
}

/** A page of a data set's versions by number, without their manifests. */
export async function listDataSetVersions(
  state: RegistryState,
  request: SizedPageRequest & { readonly dataSet: string },
): Promise<SizedPage<DataSetVersionRecord>> {
  return state.read(async ({ provenance }) => {
    const { name } = await requireDataSet(provenance, request.dataSet);
    return readNumberedPage(request, (query) => provenance.dataSetVersions(name, query));
  });
}

async function requireDataSet(reads: ProvenanceReads, name: string): Promise<DataSetRecord> {
  const found = await reads.dataSet(name);
  if (found) return found;
  throw notFound(
    `data_set: there is no data set "${clip(name)}"; \`sluice dataset add ${clip(name)} FILE\` makes its first version`,
  );
}
