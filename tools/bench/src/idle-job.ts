/** Connections that are made and then left alone. */
export interface IdleJob {
  readonly port: number;
  readonly connections: number;
}

/** How many files a process may have open, from the text of /proc/<pid>/limits. Node raises the soft limit to the hard one. */
export function mostOpenFiles(limits: string): number {
  const found = /^Max open files +\S+ +(\d+|unlimited)/m.exec(limits);
  if (!found) throw new Error('no "Max open files" in /proc/<pid>/limits');
  return found[1] === 'unlimited' ? Infinity : Number(found[1]);
}

/** @throws Error that says what to do, where there may not be as many connections */
export function needOpenFiles(connections: number, limits: string): void {
  const [most, needed] = [mostOpenFiles(limits), connections + 1000];
  if (most < needed)
    throw new Error(
      `${connections} connections need as many open files, and a process here may have ${most}: ` +
        `raise the hard limit (as root: ulimit -Hn ${needed}; of a container: --ulimit nofile=${needed})`,
    );
}

/** Bytes of a connection, of what a process occupied with and without them. */
export const bytesEach = (before: number, after: number, connections: number): number => (after - before) / connections;
