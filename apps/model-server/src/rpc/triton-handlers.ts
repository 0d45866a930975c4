import type { GRPCInferenceServiceMethods } from '@sluice/contracts/services';
import type { Handlers } from '@sluice/rpc/handlers';
import { versionKey } from '../versions/assignment.ts';
import type { ServedVersion } from '../versions/served-version.ts';
import type { ServingTable } from '../versions/serving-table.ts';
import { modelConfigOf } from './model-config.ts';
import { epochTrailer, statisticsOf } from './model-statistics.ts';
import { repositoryIndex } from './repository-index.ts';

/** What the methods need that tell of versions. */
export interface TritonHandlerPorts {
  readonly table: () => ServingTable;
  readonly placed: {
    versions(): readonly ServedVersion[];
    /** Those that finish requests and give their memory back. */
    leaving(): readonly ServedVersion[];
    /** Names this process: its counts begin with it. */
    readonly epoch: string;
  };
}

type Methods = 'modelConfig' | 'modelStatistics' | 'repositoryIndex';

/** The methods of Triton's extensions that describe versions, as this runtime has them. */
export function tritonHandlers({
  table,
  placed,
}: TritonHandlerPorts): Pick<Handlers<GRPCInferenceServiceMethods>, Methods> {
  return {
    modelConfig: async ({ name, version }) => {
      // What is not loaded has no instances yet: as with its metadata, the caller is told why.
      const key = versionKey(table().described(name, version).assignment);
      const served = placed.versions().find((each) => each.key === key)!;
      return { config: modelConfigOf(served, numbersOf(table(), name)) };
    },
    modelStatistics: async ({ name, version }, ctx) => {
      ctx.setTrailer(epochTrailer, placed.epoch);
      return { modelStats: counted(table(), placed.versions(), name, version).map(statisticsOf) };
    },
    repositoryIndex: async (request) => repositoryIndex(request, placed.versions(), placed.leaving()),
  };
}

const numbersOf = (table: ServingTable, name: string): readonly number[] =>
  table.versions(name).map(({ assignment }) => assignment.version);

/** The versions that are meant, in order: all of them, all of a model, or one by number or alias. */
function counted(
  table: ServingTable,
  placed: readonly ServedVersion[],
  name: string,
  version: string,
): readonly ServedVersion[] {
  if (name === '') return [...placed].sort((one, other) => compare(one, other));
  if (version === '' && table.versions(name).length > 0) {
    const numbers = numbersOf(table, name);
    return numbers.flatMap((number) =>
      placed.filter(({ key }) => key === versionKey({ model: name, version: number })),
    );
  }
  const key = versionKey(table.get(name, version).assignment);
  return placed.filter((each) => each.key === key);
}

function compare({ assignment: one }: ServedVersion, { assignment: other }: ServedVersion): number {
  if (one.model !== other.model) return one.model < other.model ? -1 : 1;
  return one.version - other.version;
}
