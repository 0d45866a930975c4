import type { Json } from '../json.ts';
import type { BenchPlan } from './options.ts';
import { type BenchReport, levelName } from './report.ts';
import { type BenchRow, isSound, mostCpuShare } from './rows.ts';

/** The report as the JSON document that docs/bench.md describes. Durations are milliseconds. */
export function jsonOf(report: BenchReport): Json {
  const { plan, ceiling, machine } = report;
  return {
    model: plan.model,
    version: report.answeredBy,
    startedAt: new Date(report.startedAt).toISOString(),
    interrupted: report.interrupted,
    sound: report.rows.length > 0 && report.rows.every(isSound),
    target: {
      addresses: plan.addresses,
      name: report.server.name,
      version: report.server.version,
      statistics: report.hasStatistics,
    },
    settings: settingsOf(plan),
    generator: {
      threads: plan.threads,
      transport: plan.transport,
      mostCpuShare,
      ceiling: ceiling
        ? { requestsPerSecondPerCore: ceiling.requestsPerSecondPerCore, cpuUsPerRequest: ceiling.cpuUsPerRequest }
        : null,
    },
    machine: { ...machine },
    level: levelName(plan) === 'Concurrency' ? 'concurrency' : 'requestRate',
    rows: report.rows.map(rowJson),
  };
}

function settingsOf(plan: BenchPlan): Json {
  return {
    batchSize: plan.batchSize,
    inputData: plan.data.kind,
    streaming: plan.streaming,
    distribution:
      plan.loads.kind === 'rate' ? plan.loads.distribution : plan.loads.kind === 'intervals' ? 'intervals' : null,
    sequences: plan.sequences ? { ...plan.sequences } : null,
    windows: { ...plan.windows },
    stabilityPercent: plan.stabilityPercent,
    maxTrials: plan.maxTrials,
    percentile: plan.percentile ?? null,
    latencyThresholdMs: plan.thresholdMs ?? null,
    warmUpRequests: plan.warmUpRequests,
    timeoutMs: plan.timeoutMs,
    mostInFlight: plan.mostInFlight,
    seed: plan.seed,
  };
}

function rowJson(row: BenchRow): Json {
  const { latency, phases } = row;
  return {
    level: row.level,
    marks: row.marks,
    notes: row.notes,
    stable: row.stable ?? null,
    windows: row.windows,
    seconds: row.seconds,
    requests: row.requests,
    requestsPerSecond: row.requestsPerSecond,
    inferencesPerSecond: row.inferencesPerSecond,
    failures: Object.fromEntries(
      Object.entries(row.failures).map(([status, { count, message }]) => [status, { count, message }]),
    ),
    latencyMs: {
      mean: latency.mean,
      min: latency.min,
      max: latency.max,
      standardDeviation: latency.standardDeviation,
      ...Object.fromEntries(latency.percentiles.map(({ percent, ms }) => [`p${percent}`, ms])),
    },
    clientMs: { send: row.sendMs, receive: row.receiveMs },
    serverMs: phases ? { ...phases } : null,
    networkMs: row.networkMs ?? null,
    generatorCpuShares: row.cpuShares,
    schedule: row.schedule ? { ...row.schedule } : null,
  };
}
