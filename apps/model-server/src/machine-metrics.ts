import { readFileSync } from 'node:fs';
import type { Metrics } from '@sluice/telemetry/metrics';

/** Time that all cores together have spent since the machine started, in ticks. */
export interface CpuTimes {
  readonly busy: number;
  readonly idle: number;
}

export interface Memory {
  readonly totalBytes: number;
  readonly usedBytes: number;
}

/** Reads a file of /proc; undefined where there is none, as outside Linux. */
export type ReadProc = (path: '/proc/stat' | '/proc/meminfo') => string | undefined;

const readProc: ReadProc = (path) => {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return undefined;
  }
};

/**
 * What Triton tells of the machine, not of this process: `process_*` have that. Read at a scrape; the utilization is that
 * since the scrape before, or since the start.
 */
export function registerMachineMetrics(metrics: Metrics, read: ReadProc = readProc): void {
  let before = cpuTimesOf(read('/proc/stat'));
  let utilization = 0;
  const gauge = <Reading>(
    name: string,
    help: string,
    reading: () => Reading | undefined,
    value: (found: Reading) => number,
  ): void =>
    metrics.observe({
      name,
      type: 'gauge',
      help,
      subjects: () => [reading()].filter((found) => found !== undefined),
      samples: (found) => [{ labels: {}, value: value(found) }],
    });
  const times = (): CpuTimes | undefined => cpuTimesOf(read('/proc/stat'));
  const memory = (): Memory | undefined => memoryOf(read('/proc/meminfo'));
  gauge('nv_cpu_utilization', 'Share of all cores that worked since the scrape before, 0 to 1', times, (now) => {
    utilization = utilizationOf(before ?? now, now) ?? utilization;
    before = now;
    return utilization;
  });
  gauge('nv_cpu_memory_total_bytes', 'Memory of the machine', memory, ({ totalBytes }) => totalBytes);
  gauge(
    'nv_cpu_memory_used_bytes',
    'Memory of the machine that is not available',
    memory,
    ({ usedBytes }) => usedBytes,
  );
}

/** The first line of /proc/stat: user nice system idle iowait irq softirq steal, and more that these contain. */
export function cpuTimesOf(stat: string | undefined): CpuTimes | undefined {
  const line = /^cpu +(.+)$/m.exec(stat ?? '')?.[1];
  const ticks = line?.split(' ').slice(0, 8).map(Number);
  if (ticks?.length !== 8 || !ticks.every(Number.isFinite)) return undefined;
  const [user, nice, system, idle, iowait, irq, softirq, steal] = ticks as [
    ...[number, number, number, number],
    ...[number, number, number, number],
  ];
  return { busy: user + nice + system + irq + softirq + steal, idle: idle + iowait };
}

/** Undefined when no time has passed between them. Single counters of the kernel may go back a little. */
export function utilizationOf(before: CpuTimes, now: CpuTimes): number | undefined {
  const busy = Math.max(0, now.busy - before.busy);
  const idle = Math.max(0, now.idle - before.idle);
  return busy + idle === 0 ? undefined : busy / (busy + idle);
}

/** Used is what is not available: caches can be given back. */
export function memoryOf(meminfo: string | undefined): Memory | undefined {
  const bytes = (name: string): number | undefined => {
    const kilobytes = new RegExp(`^${name}: +(\\d+) kB$`, 'm').exec(meminfo ?? '')?.[1];
    return kilobytes === undefined ? undefined : Number(kilobytes) * 1024;
  };
  const [totalBytes, availableBytes] = [bytes('MemTotal'), bytes('MemAvailable')];
  if (totalBytes === undefined || availableBytes === undefined) return undefined;
  return { totalBytes, usedBytes: Math.max(0, totalBytes - availableBytes) };
}
