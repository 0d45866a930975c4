import { inferenceService } from '@sluice/contracts/services';
import type { GRPCInferenceServiceMethods, RequestOutput } from '@sluice/contracts/services';
import { SluiceError, unavailable } from '@sluice/domain/errors';
import { raw } from '@sluice/rpc/handlers';
import type { Handlers } from '@sluice/rpc/handlers';
import { decodeRequest } from '@sluice/rpc/messages';
import type { AnyDefinition } from '@sluice/rpc/messages';
import { existingVersion, findModel, placedVersion, versionNumber } from '../route/resolve.ts';
import type { RouteTable, VersionTarget } from '../route/table.ts';
import { versionKey } from '../route/table.ts';
import type { RuntimeLink } from '../runtimes/runtime-link.ts';
import type { FleetStatistics } from '../runtimes/statistics.ts';
import { repositoryIndex } from './repository-index.ts';
import type { RuntimeCalls } from './runtime-calls.ts';

/** What the methods need that tell of versions. */
export interface TritonHandlerOptions {
  readonly table: () => RouteTable | undefined;
  readonly fleet: {
    readonly links: readonly RuntimeLink[];
    readyFor(key: string): readonly RuntimeLink[];
    onDemandFor(version: VersionTarget): readonly RuntimeLink[];
  };
  readonly calls: RuntimeCalls;
  readonly statistics: FleetStatistics<RuntimeLink>;
}

const configDefinition = inferenceService.definition['ModelConfig'] as AnyDefinition;
type ConfigRequest = RequestOutput<GRPCInferenceServiceMethods['modelConfig']>;

type Methods = 'modelConfig' | 'modelStatistics' | 'repositoryIndex';

/** The methods of Triton's extensions that describe versions, as the registry and all runtimes have them. */
export function tritonHandlers(options: TritonHandlerOptions): Pick<Handlers<GRPCInferenceServiceMethods>, Methods> {
  const { table, fleet } = options;
  return {
    modelConfig: raw(async (bytes, call) => {
      const { name, version } = decodeRequest(configDefinition, bytes) as ConfigRequest;
      call.respond(await modelConfig(options, name, version));
    }),
    modelStatistics: async ({ name, version }) => modelStatistics(options, name, version),
    repositoryIndex: async (request) =>
      repositoryIndex(
        request,
        table(),
        fleet.links.filter(({ state }) => state === 'up'),
      ),
  };
}

/** As a runtime runs it: instances, threads and the largest batch are the runtime's choice. */
async function modelConfig(
  { table, fleet, calls }: TritonHandlerOptions,
  name: string,
  versionText: string,
): Promise<Buffer> {
  const model = findModel(table(), name);
  const version = existingVersion(model, versionNumber(model, versionText));
  const ready = fleet.readyFor(version.key);
  // What waits to be loaded is known there too.
  const links = ready.length > 0 ? ready : fleet.onDemandFor(placedVersion(model, version.number));
  const failures: SluiceError[] = [];
  for (const link of links) {
    try {
      return await calls.modelConfig(link, { name, version: version.text });
    } catch (error) {
      failures.push(SluiceError.from(error));
    }
  }
  const which = `${name} version ${version.text}`;
  // Trying again would not help.
  if (failures.length > 0 && failures.every(({ kind }) => kind === 'unimplemented')) {
    const message = `ModelConfig: each runtime that has ${which} ready is older than this router and does not have the method`;
    throw new SluiceError('unimplemented', message);
  }
  throw unavailable(`${which} is ready on no runtime that this router reaches; try again`, { cause: failures.at(-1) });
}

async function modelStatistics({ table, fleet, statistics }: TritonHandlerOptions, name: string, versionText: string) {
  const versions = scopeOf(table(), name, versionText);
  const scope = { name, version: name !== '' && versionText !== '' ? versions[0]!.text : '' };
  const links = fleet.links.filter(({ state }) => state === 'up' || state === 'draining');
  await statistics.collect(links, scope, fleet.links);
  const now = table();
  if (now) {
    const known = new Set(
      [...now.models.values()].flatMap(({ name: model, placed, unplaced }) =>
        [...placed.keys(), ...unplaced].map((number) => versionKey(model, number)),
      ),
    );
    statistics.retain((key) => known.has(key));
  }
  return { modelStats: versions.map(({ model, text }) => statistics.total(model, text)) };
}

/** The placed versions that are meant, in order: all, those of a model, or one by number or alias. */
function scopeOf(table: RouteTable | undefined, name: string, versionText: string): readonly VersionTarget[] {
  if (name !== '' && versionText !== '') {
    const model = findModel(table, name);
    return [existingVersion(model, versionNumber(model, versionText))];
  }
  const models = name === '' ? [...(table?.models.values() ?? [])] : [findModel(table, name)];
  return models
    .sort((one, other) => (one.name < other.name ? -1 : 1))
    .flatMap(({ placed }) => [...placed.values()].sort((one, other) => one.number - other.number));
}
