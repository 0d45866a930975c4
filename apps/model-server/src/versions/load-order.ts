import type { ServedVersion } from './served-version.ts';

/** What the order goes by of a version. */
export type Candidate = Pick<ServedVersion, 'key' | 'state' | 'hold'> & {
  readonly assignment: Pick<ServedVersion['assignment'], 'champion'>;
};

/**
 * The version to load next; undefined when there is none. Champions come first, then what requests wait for, then what
 * aliases and releases hold. What ended this runtime before comes last: everything else serves by then.
 * @param versions in the order in which they are told of, which decides among equals
 */
export function nextToLoad<Version extends Candidate>(
  versions: readonly Version[],
  isAwaited: (key: string) => boolean,
  isStruck: (version: Version) => boolean,
): Version | undefined {
  const assigned = versions.filter(({ state }) => state === 'assigned');
  const innocent = assigned.filter((version) => !isStruck(version));
  const turn = innocent.length > 0 ? innocent : assigned;
  return (
    turn.find(({ assignment }) => assignment.champion) ??
    turn.find(({ key }) => isAwaited(key)) ??
    turn.find(({ hold }) => hold === 'kept') ??
    turn[0]
  );
}
