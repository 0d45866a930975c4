import { championAlias } from './approval.ts';
import { failedPrecondition } from './errors.ts';

/** All that decides which versions of a model the runtimes load. */
export interface PlacementFacts {
  readonly aliases: readonly { readonly alias: string; readonly version: number }[];
  /** Moves that are under way. */
  readonly moves: readonly { readonly alias: string; readonly toVersion: number }[];
  /** Versions that a release made by a person names; implicit ones follow from aliases and pins and hold nothing. */
  readonly releases: readonly { readonly id: string; readonly versions: readonly number[] }[];
  readonly pins: readonly number[];
  /** Versions that an alias left a short while ago. */
  readonly retained: readonly { readonly alias: string; readonly version: number }[];
  /** Versions that ended runtimes too often: whatever holds them, nobody loads them. */
  readonly quarantined: readonly number[];
}

/** One version that the runtimes load, and why. */
export interface Placed {
  readonly version: number;
  /** `alias:champion`, `move:champion`, `release:ID`, `retained:champion`, `pin`; in this order, never empty. */
  readonly heldBy: readonly string[];
  /** Aliases that point here now. */
  readonly aliases: readonly string[];
  readonly champion: boolean;
  /** Nothing but a pin holds it: it may be unloaded when memory is short. */
  readonly pinnedOnly: boolean;
}

/** The versions that a model's runtimes load, by number. */
export function placementOf(facts: PlacementFacts): readonly Placed[] {
  const holds = new Map<number, string[]>();
  const hold = (version: number, by: string): void => {
    const held = holds.get(version);
    if (!held) holds.set(version, [by]);
    else if (!held.includes(by)) held.push(by);
  };
  for (const { alias, version } of byAlias(facts.aliases)) hold(version, `alias:${alias}`);
  for (const { alias, toVersion } of byAlias(facts.moves)) hold(toVersion, `move:${alias}`);
  for (const { id, versions } of facts.releases) for (const version of versions) hold(version, `release:${id}`);
  for (const { alias, version } of byAlias(facts.retained)) hold(version, `retained:${alias}`);
  for (const version of facts.pins) hold(version, 'pin');
  return [...holds.entries()]
    .filter(([version]) => !facts.quarantined.includes(version))
    .sort(([left], [right]) => left - right)
    .map(([version, heldBy]) => {
      const aliases = byAlias(facts.aliases.filter((entry) => entry.version === version)).map((entry) => entry.alias);
      return {
        version,
        heldBy,
        aliases,
        champion: aliases.includes(championAlias),
        pinnedOnly: heldBy.every((by) => by === 'pin'),
      };
    });
}

function byAlias<T extends { readonly alias: string }>(entries: readonly T[]): readonly T[] {
  return [...entries].sort((left, right) => (left.alias < right.alias ? -1 : left.alias > right.alias ? 1 : 0));
}

/**
 * Most bytes that the placed versions of one model may take in what watchers are told, with their signatures, settings
 * and file lists as JSON. A model travels as a whole, and a message has at most 64 MiB.
 */
export const maxPlacedBytes = 32 * 1024 * 1024;

/**
 * Throws `failed-precondition` when a change places a version for which there is no room, saying what to let go of. What
 * is placed already stays, so that a change that lets go of something is never refused.
 *
 * @param versions all that would be placed; `isNew` marks those that are not placed yet
 */
export function checkPlacedBytes(
  model: string,
  versions: readonly { readonly version: number; readonly bytes: number; readonly isNew: boolean }[],
): void {
  const added = versions.find(({ isNew }) => isNew);
  const total = versions.reduce((sum, { bytes }) => sum + bytes, 0);
  if (!added || total <= maxPlacedBytes) return;
  const [largest] = versions.filter(({ isNew }) => !isNew).sort((left, right) => right.bytes - left.bytes);
  throw failedPrecondition(
    `version: ${model} version ${added.version} cannot be placed: signatures, settings and file lists of the placed versions ` +
      `of ${model} would have ${total} bytes, and at most ${maxPlacedBytes} can be told to routers and runtimes` +
      (largest ? `; version ${largest.version} takes ${largest.bytes}, take its aliases and pin away first` : ''),
  );
}
