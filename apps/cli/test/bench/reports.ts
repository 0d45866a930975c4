import { compileOptions } from '../../src/bench/compile-options.ts';
import { addBenchOptions } from '../../src/bench/command-line.ts';
import type { BenchFlags } from '../../src/bench/compile-options.ts';
import type { BenchPlan } from '../../src/bench/options.ts';
import type { BenchReport } from '../../src/bench/report.ts';
import { rowOf } from '../../src/bench/rows.ts';
import { window } from './windows.ts';
import { Command } from 'commander';

/** The plan of a command line. */
export function planOf(...args: readonly string[]): BenchPlan {
  const command = addBenchOptions(new Command('bench').argument('[model]')).exitOverride();
  command.configureOutput({ writeErr: () => undefined });
  command.parse(args, { from: 'user' });
  return compileOptions(command.args[0], command.opts<BenchFlags>(), '127.0.0.1:8001');
}

/** A row of 1, 2, 3 and 4 ms in a second, with phases. */
export const sampleRow = (level: number, more: Partial<Parameters<typeof rowOf>[0]> = {}) =>
  rowOf(
    {
      level,
      windows: [{ ...window([1, 2, 3, 4]), sendMs: 0.4, receiveMs: 0.2, scheduled: 4, delayed: 0 }],
      counted: 1,
      phases: { requests: 4, queue: 0.5, computeInput: 0.1, computeInfer: 0.8, computeOutput: 0.05 },
      stable: true,
      interrupted: false,
      isOpenLoop: false,
      ...more,
    },
    { batchSize: 2, percentile: undefined, stabilityPercent: 10 },
  );

export const sampleReport = (more: Partial<BenchReport> = {}): BenchReport => ({
  plan: planOf('digits', '-b', '2'),
  answeredBy: '3',
  server: { name: 'sluice', version: '0.1.0' },
  hasStatistics: true,
  startedAt: Date.UTC(2026, 0, 1),
  machine: { processor: 'a processor', cores: 2, memoryBytes: 2 ** 33, system: 'Linux', node: '26.0.0' },
  ceiling: { requestsPerSecondPerCore: 30_000, cpuUsPerRequest: 33.3 },
  rows: [sampleRow(4), sampleRow(1)],
  interrupted: false,
  ...more,
});
