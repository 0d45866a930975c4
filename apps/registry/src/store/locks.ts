/**
 * Numbers of the advisory locks of the registry's database. They share one space, so they stand in one place; the
 * upper part says "sluice registry".
 */
const base = 0x5c1ce000;

export const locks = {
  /** Transaction lock: held by whoever appends to the audit log, which is whoever changes desired state. */
  audit: base + 1,
  /** Session lock: the replica that signs checkpoints. */
  checkpoint: base + 2,
  /** Session lock: the migrator. */
  migrate: base + 3,
  /** Session lock: the replica that runs the move controller. */
  moves: base + 4,
} as const;
