import { isFor } from '@sluice/domain/device';
import type { DeviceWishes } from '@sluice/domain/device';
import type { RuntimeLink } from './runtime-link.ts';

/** What tells whether a runtime is to have a version, and how far it is with it. */
export type ConcernedRuntime = Pick<RuntimeLink, 'address' | 'runtimeId' | 'notReady' | 'onDemand' | 'offer'>;

/** A version as a runtime is told of it. */
export interface WantedVersion {
  /** See `versionKey`. */
  readonly key: string;
  readonly wishes: DeviceWishes;
}

/**
 * The runtimes that a placed version is for: those whose pool and devices fit, and those that speak of it themselves, since
 * a registry of before there were devices does not tell of them.
 */
export const concernedBy = <Runtime extends ConcernedRuntime>(
  { key, wishes }: WantedVersion,
  runtimes: readonly Runtime[],
): readonly Runtime[] =>
  runtimes.filter(({ notReady, offer }) => notReady.has(key) || offer === undefined || isFor(wishes, offer));

/**
 * How far a runtime is with a version that it does not have ready: `waiting` for a request, since it gave it up for others;
 * `failed`; or on the way, which is also one that has not heard of it yet.
 */
export function progressOf(
  { notReady, onDemand }: Pick<ConcernedRuntime, 'notReady' | 'onDemand'>,
  key: string,
): 'coming' | 'waiting' | 'failed' {
  if ((notReady.get(key) ?? '') === '') return 'coming';
  return onDemand.has(key) ? 'waiting' : 'failed';
}

/** What each runtime says of a version, for people: `rt-1: no memory; rt-2: no kernel`. */
export const reasonsOf = (key: string, runtimes: readonly ConcernedRuntime[]): string =>
  runtimes.map(({ runtimeId, address, notReady }) => `${runtimeId || address}: ${notReady.get(key) ?? ''}`).join('; ');
