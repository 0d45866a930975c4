import { createMetrics } from '@sluice/telemetry/metrics';
import { describe, expect, it } from 'vitest';
import { cpuTimesOf, memoryOf, registerMachineMetrics, utilizationOf } from './machine-metrics.ts';

const stat = (...ticks: number[]): string => `cpu  ${ticks.join(' ')}\ncpu0 1 1 1 1 1 1 1 1 1 1\nintr 5 0 0\n`;
const meminfo = 'MemTotal:       1000 kB\nMemFree:         100 kB\nMemAvailable:    400 kB\n';

describe('what /proc says', () => {
  it('divides the time of all cores into work and idleness, time of guests once', () => {
    expect(cpuTimesOf(stat(1, 2, 4, 8, 16, 32, 64, 128, 256, 512))).toEqual({ busy: 231, idle: 24 });
    for (const text of [undefined, '', 'cpu  1 2 3', 'cpu0 1 2 3 4 5 6 7 8', stat(1, 2, 3, 4, 5, 6, 7, NaN)])
      expect(cpuTimesOf(text)).toBeUndefined();
  });

  it('gives the share of work between two readings, and nothing when no time has passed', () => {
    expect(utilizationOf({ busy: 10, idle: 10 }, { busy: 40, idle: 20 })).toBe(0.75);
    expect(utilizationOf({ busy: 10, idle: 10 }, { busy: 12, idle: 9 })).toBe(1);
    expect(utilizationOf({ busy: 1, idle: 1 }, { busy: 1, idle: 1 })).toBeUndefined();
  });

  it('takes memory as used that is not available', () => {
    expect(memoryOf(meminfo)).toEqual({ totalBytes: 1_024_000, usedBytes: 614_400 });
    for (const text of [undefined, 'MemTotal: 1000 kB\n', 'MemAvailable: 1 kB\n'])
      expect(memoryOf(text)).toBeUndefined();
  });
});

describe('the metrics of the machine', () => {
  const make = (read: Parameters<typeof registerMachineMetrics>[1]) => {
    const metrics = createMetrics({ service: 's', instanceId: 'i', processMetrics: false });
    registerMachineMetrics(metrics, read);
    return async (name: string) => new RegExp(`^${name}\\{.*\\} (.*)$`, 'm').exec(await metrics.text())?.[1];
  };

  it('tell the utilization since the scrape before, and keep it while no time passes', async () => {
    const readings = [stat(0, 0, 0, 0, 0, 0, 0, 0), stat(1, 0, 0, 3, 0, 0, 0, 0), stat(2, 0, 0, 3, 0, 0, 0, 0)];
    const read = make((path) =>
      path === '/proc/meminfo' ? meminfo : readings.length > 1 ? readings.shift() : readings[0],
    );
    expect(await read('nv_cpu_utilization')).toBe('0.25');
    expect(await read('nv_cpu_utilization')).toBe('1');
    expect(await read('nv_cpu_utilization')).toBe('1');
    expect(await read('nv_cpu_memory_total_bytes')).toBe('1024000');
    expect(await read('nv_cpu_memory_used_bytes')).toBe('614400');
  });

  it('are not there where there is no /proc', async () => {
    const read = make(() => undefined);
    for (const name of ['nv_cpu_utilization', 'nv_cpu_memory_total_bytes', 'nv_cpu_memory_used_bytes'])
      expect(await read(name)).toBeUndefined();
  });
});
