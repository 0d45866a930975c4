import type { GRPCInferenceServiceMethods, ResponseInput } from '@sluice/contracts/services';
import { checkRepositoryName } from '@sluice/inference/repository';
import type { RouteTable, VersionRoute } from '../route/table.ts';
import type { RuntimeLink } from '../runtimes/runtime-link.ts';

type Index = ResponseInput<GRPCInferenceServiceMethods['repositoryIndex']>;

/** What the index needs of a runtime that lives. */
export type IndexedRuntime = Pick<RuntimeLink, 'address' | 'runtimeId' | 'ready' | 'notReady'>;

/**
 * Every version that the registry places, and those that it would were they not quarantined, in the order of names and
 * numbers: READY when a live runtime has it ready, LOADING while one has still to try, UNAVAILABLE when all have failed or
 * none lives, and when it is quarantined.
 */
export function repositoryIndex(
  request: { readonly repositoryName: string; readonly ready: boolean },
  table: RouteTable | undefined,
  runtimes: readonly IndexedRuntime[],
): Index {
  checkRepositoryName(request.repositoryName);
  const models = [...(table?.models.values() ?? [])].sort((one, other) => (one.name < other.name ? -1 : 1));
  const all = models.flatMap(({ name, placed, quarantined }) =>
    [...placed.keys(), ...quarantined.keys()]
      .sort((one, other) => one - other)
      .map((number) => ({
        name,
        version: String(number),
        ...stateOf(placed.get(number), quarantined.get(number), runtimes),
      })),
  );
  return { models: request.ready ? all.filter(({ state }) => state === 'READY') : all };
}

function stateOf(
  version: VersionRoute | undefined,
  quarantined: string | undefined,
  runtimes: readonly IndexedRuntime[],
): { state: string; reason: string } {
  if (!version) return { state: 'UNAVAILABLE', reason: `quarantined: ${quarantined ?? ''}` };
  const { key } = version;
  if (runtimes.some(({ ready }) => ready.has(key))) return { state: 'READY', reason: '' };
  if (runtimes.length === 0) return { state: 'UNAVAILABLE', reason: 'no runtime is up' };
  // A runtime that does not name it yet has not heard of it.
  const reasons = runtimes.map(({ notReady }) => notReady.get(key) ?? '');
  if (reasons.includes('')) return { state: 'LOADING', reason: '' };
  const text = runtimes.map(({ runtimeId, address }, index) => `${runtimeId || address}: ${reasons[index]!}`);
  return { state: 'UNAVAILABLE', reason: text.join('; ') };
}
