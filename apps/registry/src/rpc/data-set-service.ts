import type { DataSetServiceMethods } from '@sluice/contracts/services';
import type { Handlers } from '@sluice/rpc/handlers';
import { createDataSetVersion } from '../usecases/create-data-set-version.ts';
import { getDataSetVersion, listDataSets, listDataSetVersions } from '../usecases/read-data-sets.ts';
import type { RegistryState } from '../usecases/state.ts';
import { checkingTexts } from './check-texts.ts';
import { decodeDataSetRefs } from './decode-provenance.ts';
import { encodeDataSet, encodeDataSetVersion } from './encode-provenance.ts';
import { readInteger, readOptionalInteger } from './scalars.ts';

/** Handlers of DataSetService: decode, call the use case, encode. */
export function dataSetHandlers(state: RegistryState): Handlers<DataSetServiceMethods> {
  return checkingTexts({
    createDataSetVersion: async (request, { actor }) => {
      const { dataSet, digest, columns, location, format, manifestJson, run, requestId } = request;
      const { version, created } = await createDataSetVersion(state, actor, {
        ...{ dataSet, digest, columns, location, format, manifestJson, run, requestId },
        rowCount: readOptionalInteger(request.rowCount, 'row_count'),
        parents: decodeDataSetRefs(request.parents, 'parents'),
      });
      return { version: encodeDataSetVersion(version), created };
    },
    getDataSetVersion: async ({ dataSet, version }) => {
      const found = await getDataSetVersion(state, { dataSet, version: readInteger(version, 'version') });
      return { version: encodeDataSetVersion(found) };
    },
    listDataSets: async (request) => {
      const { dataSets, nextPageToken } = await listDataSets(state, request);
      return { dataSets: dataSets.map(encodeDataSet), nextPageToken };
    },
    listDataSetVersions: async (request) => {
      const { versions, nextPageToken } = await listDataSetVersions(state, request);
      return { versions: versions.map(encodeDataSetVersion), nextPageToken };
    },
  });
}
