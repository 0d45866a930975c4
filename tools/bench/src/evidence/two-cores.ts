import { spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';
import process from 'node:process';
import { descendants } from '../proc.ts';

/** Cores of the targets that name a number of them. */
const wanted = 2;

/**
 * Gives a platform, this process and what either starts from now on two cores, where the machine has more.
 *
 * @returns gives them all cores back
 * @throws Error on a machine with more cores and without taskset (util-linux)
 */
export function onTwoCores(platformPid: number): () => void {
  const cores = availableParallelism();
  if (cores <= wanted) return () => undefined;
  const pin = (last: number): void => {
    const pids = [process.pid, platformPid, ...descendants(platformPid).map(({ pid }) => pid)];
    const done = pids.map((pid) =>
      spawnSync('taskset', ['-a', '-c', '-p', `0-${last}`, String(pid)], { stdio: 'ignore' }),
    );
    // Of those that have ended since they were listed there is nothing to pin; a platform that cannot be pinned at all is another thing.
    if (done.every(({ status }) => status !== 0))
      throw new Error(
        `the row is about ${wanted} cores, this machine has ${cores}, and taskset (util-linux) does not work`,
      );
  };
  pin(wanted - 1);
  return () => pin(cores - 1);
}
