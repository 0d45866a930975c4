/**
 * Numbers of the advisory locks of schema `feedback`. All of a database share one space, so they stand in one place; the upper part
 * says "sluice feedback".
 */
const base = 0x5c1ce100;

export const locks = {
  /** Session lock: the migrator. */
  migrate: base + 1,
  /** Transaction lock: whoever makes or drops a day of `evidence`. */
  days: base + 2,
  /** Transaction lock: the replica that does what one at a time is enough for. */
  upkeep: base + 3,
  /** Session lock: the replica that joins what waits. */
  joiner: base + 7,
} as const;
