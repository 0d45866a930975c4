import { invalidArgument } from '@sluice/domain/errors';
import { instanceGroupsOf, type ServingConfig } from '@sluice/domain/signature';

/** What a version asked for, 0 meaning "you choose". */
export type ThreadWishes = Pick<ServingConfig, 'instanceCount' | 'instanceGroups' | 'intraOpThreads' | 'device'>;

/** Sessions that a version asks for on the CPU, of all its groups together; 0 lets the runtime choose. */
export function cpuInstances(wishes: ThreadWishes): number {
  const groups = instanceGroupsOf(wishes).filter(({ device }) => isCpu(device));
  return groups.reduce((sum, group) => sum + group.count, 0);
}

const isCpu = (device: string): boolean => device === '' || device === 'cpu';

/** Sessions of one version and the threads of each. */
export interface ThreadPlan {
  readonly instances: number;
  readonly intraOpThreads: number;
  /** Why the plan differs from what was asked for; empty otherwise. */
  readonly note: string;
}

/**
 * Chooses instances and threads so that one version never runs on more threads than `threads`. One session with all of
 * them where nothing is asked for: it needs the memory of the weights once, and batches keep it busy.
 * @param threads cores that sessions may use, 1 or more
 */
export function planThreads(wishes: ThreadWishes, threads: number): ThreadPlan {
  if (!Number.isSafeInteger(threads) || threads < 1) {
    throw invalidArgument(`threads: expected a whole number from 1 up, got ${threads}`);
  }
  const asked = { instances: cpuInstances(wishes), intraOp: wishes.intraOpThreads };
  let instances = asked.instances;
  let intraOp = asked.intraOp;
  if (instances === 0) instances = intraOp === 0 ? 1 : Math.max(1, Math.floor(threads / intraOp));
  // More instances than cores only stand in each other's way.
  instances = Math.min(instances, threads);
  const share = Math.max(1, Math.floor(threads / instances));
  intraOp = intraOp === 0 ? share : Math.min(intraOp, share);
  const reduced = instances < asked.instances || intraOp < asked.intraOp;
  const note = reduced
    ? `${asked.instances || 'any'} instances of ${asked.intraOp || 'any'} threads were asked for; ${threads} threads are there (SLUICE_THREADS)`
    : '';
  return { instances, intraOpThreads: intraOp, note };
}
