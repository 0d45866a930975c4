import type { GRPCInferenceServiceMethods, ResponseInput } from '@sluice/contracts/services';
import { checkRepositoryName } from '@sluice/inference/repository';
import { whyNobody } from '@sluice/domain/device';
import { versionKey } from '../route/table.ts';
import type { ModelRoute, RouteTable } from '../route/table.ts';
import { concernedBy, progressOf, reasonsOf } from '../runtimes/concerned.ts';
import type { RuntimeLink } from '../runtimes/runtime-link.ts';

type Index = ResponseInput<GRPCInferenceServiceMethods['repositoryIndex']>;

/** What the index needs of a runtime that lives. */
export type IndexedRuntime = Pick<RuntimeLink, 'address' | 'runtimeId' | 'ready' | 'notReady' | 'onDemand' | 'offer'>;

/**
 * Every version that may be served, in the order of names and numbers, and those that may not since they are quarantined.
 * READY when a live runtime has it ready. One that is placed is LOADING while a runtime that it is for has still to try it, and
 * UNAVAILABLE when all those have failed or gave it up for others, or none lives; one that nothing holds is UNAVAILABLE as "unloaded", Triton's word, until a request
 * loads it.
 */
export function repositoryIndex(
  request: { readonly repositoryName: string; readonly ready: boolean },
  table: RouteTable | undefined,
  runtimes: readonly IndexedRuntime[],
): Index {
  checkRepositoryName(request.repositoryName);
  const models = [...(table?.models.values() ?? [])].sort((one, other) => (one.name < other.name ? -1 : 1));
  const all = models.flatMap((model) => {
    // What is quarantined is among those that are not placed, unless nothing but the quarantine keeps it from being.
    const numbers = new Set([...model.placed.keys(), ...model.unplaced, ...model.quarantined.keys()]);
    return [...numbers]
      .sort((one, other) => one - other)
      .map((number) => ({ name: model.name, version: String(number), ...stateOf(model, number, runtimes) }));
  });
  return { models: request.ready ? all.filter(({ state }) => state === 'READY') : all };
}

function stateOf(
  { name, placed, quarantined }: ModelRoute,
  number: number,
  runtimes: readonly IndexedRuntime[],
): { state: string; reason: string } {
  const quarantine = quarantined.get(number);
  if (quarantine !== undefined) return { state: 'UNAVAILABLE', reason: `quarantined: ${quarantine}` };
  const key = versionKey(name, number);
  if (runtimes.some(({ ready }) => ready.has(key))) return { state: 'READY', reason: '' };
  const route = placed.get(number);
  if (!route) return { state: 'UNAVAILABLE', reason: 'unloaded' };
  if (runtimes.length === 0) return { state: 'UNAVAILABLE', reason: 'no runtime is up' };
  const concerned = concernedBy(route, runtimes);
  if (concerned.length === 0) {
    const offers = runtimes.flatMap(({ offer }) => offer ?? []);
    return { state: 'UNAVAILABLE', reason: whyNobody(route.wishes, offers) };
  }
  if (concerned.some((runtime) => progressOf(runtime, key) === 'coming')) return { state: 'LOADING', reason: '' };
  return { state: 'UNAVAILABLE', reason: reasonsOf(key, concerned) };
}
