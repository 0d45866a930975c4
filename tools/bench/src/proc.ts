import { readFileSync, readdirSync } from 'node:fs';

/** /proc counts CPU in these; Linux has had 100 of them a second on every platform for decades (USER_HZ). */
const ticksPerSecond = 100;

/** What /proc/<pid>/stat says, times in seconds. */
export interface ProcStat {
  readonly name: string;
  readonly parent: number;
  /** User and system time of all threads of the process. */
  readonly cpuSeconds: number;
}

/** Reads a line of /proc/<pid>/stat. The name stands in brackets and may hold brackets and blanks itself. */
export function parseStat(line: string): ProcStat {
  const open = line.indexOf('(');
  const close = line.lastIndexOf(')');
  const fields = line.slice(close + 2).split(' ');
  const seconds = (index: number): number => Number(fields[index]) / ticksPerSecond;
  return {
    name: line.slice(open + 1, close),
    parent: Number(fields[1]),
    cpuSeconds: seconds(11) + seconds(12),
  };
}

/** Resident memory in bytes, from the text of /proc/<pid>/status. */
export function parseResident(status: string): number {
  const found = /^VmRSS:\s+(\d+) kB$/m.exec(status);
  if (!found) throw new Error('no VmRSS in /proc/<pid>/status: the process has ended');
  return Number(found[1]) * 1024;
}

/**
 * Resident bytes by what is mapped, from the text of /proc/<pid>/smaps: files by name, everything without one as
 * `anonymous` (heaps, stacks and buffers), largest first.
 */
export function parseMappings(smaps: string): [what: string, bytes: number][] {
  const found = new Map<string, number>();
  let what = '';
  for (const line of smaps.split('\n')) {
    const head = /^[0-9a-f]+-[0-9a-f]+ \S+ \S+ \S+ \d+ *(.*)$/.exec(line);
    if (head) what = head[1]!.startsWith('/') ? head[1]!.slice(head[1]!.lastIndexOf('/') + 1) : 'anonymous';
    const resident = /^Rss: +(\d+) kB$/.exec(line);
    if (resident) found.set(what, (found.get(what) ?? 0) + Number(resident[1]) * 1024);
  }
  return [...found].filter(([, bytes]) => bytes > 0).toSorted((a, b) => b[1] - a[1]);
}

export const mappingsOf = (pid: number): [what: string, bytes: number][] =>
  parseMappings(readFileSync(`/proc/${pid}/smaps`, 'utf8'));

export const statOf = (pid: number | 'self'): ProcStat => parseStat(readFileSync(`/proc/${pid}/stat`, 'utf8'));

export const residentBytes = (pid: number): number => parseResident(readFileSync(`/proc/${pid}/status`, 'utf8'));

/** CPU seconds by thread name; threads of one name are added up. */
export function cpuByThread(pid: number): Map<string, number> {
  const result = new Map<string, number>();
  for (const task of readdirSync(`/proc/${pid}/task`)) {
    try {
      const { name, cpuSeconds } = parseStat(readFileSync(`/proc/${pid}/task/${task}/stat`, 'utf8'));
      result.set(name, (result.get(name) ?? 0) + cpuSeconds);
    } catch {
      // The thread has ended since the folder was listed.
    }
  }
  return result;
}

/** A process below another, with its command line. */
export interface Descendant {
  readonly pid: number;
  readonly commandLine: readonly string[];
}

/** All processes that descend from `root`, which itself is not among them. */
export function descendants(root: number): Descendant[] {
  const children = new Map<number, number[]>();
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    try {
      const { parent } = statOf(Number(entry));
      children.set(parent, [...(children.get(parent) ?? []), Number(entry)]);
    } catch {
      // The process has ended since the folder was listed.
    }
  }
  const found: number[] = [];
  for (const queue = [root]; queue.length > 0;) {
    const own = children.get(queue.pop()!) ?? [];
    found.push(...own);
    queue.push(...own);
  }
  return found.map((pid) => ({ pid, commandLine: readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0') }));
}
