// `npx nx bench model-server`: what it costs to record a request of a version, and what a scrape of 200 versions costs.
// Figures for a person to read; no test depends on them.
import process from 'node:process';
import { BatchScheduler } from '@sluice/batching/scheduler';
import { systemClock } from '@sluice/service-kit/clock';
import { createMetrics } from '@sluice/telemetry/metrics';
import { registerEngineMetrics } from '../src/engine-metrics.ts';
import { VersionStats } from '../src/serving/version-stats.ts';
import type { ServedVersion } from '../src/versions/served-version.ts';

const print = (what: string, figures: string): void => void process.stdout.write(`${what.padEnd(62)} ${figures}\n`);

/** Durations as they come, none like the one before: so many that no branch is learnt by heart. */
const inputs = 1 << 14;
let seed = 1;
const random = (): number => (seed = (seed * 48_271) % 2_147_483_647) / 2_147_483_647;
const spread = (lowest: number, highest: number): number => lowest * (highest / lowest) ** random();
const requests = Array.from({ length: inputs }, () => {
  const timing = { inputUs: spread(1, 50), inferUs: spread(20, 5_000), outputUs: spread(1, 50) };
  const queueMs = spread(0.005, 20);
  const endedAtMs = queueMs + (timing.inputUs + timing.inferUs + timing.outputUs) / 1000 + 0.01;
  return { job: { rows: 1 + Math.floor(random() * 4), run: { beganAtMs: 1_000 + queueMs, timing } }, endedAtMs };
});

const versions = Array.from({ length: 8 }, () => new VersionStats(128));

/** Nanoseconds of `each`, of many rounds: where others share the machine the least is the nearest. */
function rounds(each: (index: number) => void): { readonly least: number; readonly median: number } {
  const found: number[] = [];
  for (let round = 0; round < 200; round++) {
    const start = process.hrtime.bigint();
    for (let index = 0; index < inputs; index++) each(index);
    found.push(Number(process.hrtime.bigint() - start) / inputs);
  }
  found.sort((one, other) => one - other);
  return { least: found[0]!, median: found[100]! };
}

const ns = ({ least, median }: { least: number; median: number }): string =>
  `${least.toFixed(0)} ns least, ${median.toFixed(0)} ns median`;

const answer = (index: number): void => {
  const { job, endedAtMs } = requests[index]!;
  versions[index & 7]!.succeeded(job, 1_000, 1_000 + endedAtMs);
};
const batch = (index: number): void => {
  const { job } = requests[index]!;
  versions[index & 7]!.batchRan(job.rows, job.run.timing);
};
print('an answer: five phases and its counts', ns(rounds(answer)));
print('a batch: its size and the times of that size', ns(rounds(batch)));
const both = (index: number): void => {
  answer(index);
  batch(index);
};
print('a request that runs alone: both', ns(rounds(both)));
print('a request that fails', ns(rounds((index) => versions[index & 7]!.failed('BACKEND', 0, index))));
print(
  'and the clocks that an answer reads, for comparison',
  ns(rounds(() => (performance.now(), performance.now(), Date.now()))),
);

/** As `registerEngineMetrics` sees a version that is loaded and has two priority levels. */
function placedVersion(stats: VersionStats, version: number): ServedVersion {
  const scheduler = BatchScheduler.create(
    { name: `digits ${version}`, maxBatchSize: 128, priorityLevels: 2, defaultPriorityLevel: 1 },
    { clock: systemClock, run: () => undefined, onDefect: (thrown) => void process.stderr.write(String(thrown)) },
  );
  const loaded = {
    ...{ stats, state: 'ready', loadMs: 250, serving: { priorityLevels: 2 } },
    assignment: { model: 'team/digits', version },
    engine: { queue: () => scheduler.stats() },
  };
  return loaded as unknown as ServedVersion;
}

/**
 * CPU time of this thread in milliseconds: what others do on the machine is no part of it. The kernel counts it in steps that
 * are too coarse for the rounds above.
 */
function cpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

const metrics = createMetrics({ service: 'model-server', instanceId: 'model-server-abcdef' });
const placed = Array.from({ length: 200 }, (_, index) => placedVersion(versions[index & 7]!, index + 1));
registerEngineMetrics(metrics, () => placed, { strikes: [], unreported: [] });
const [took, stalls]: [number[], number[]] = [[], []];
let lines = 0;
for (let scrape = 0; scrape < 40; scrape++) {
  const started = cpuMs();
  let [longest, last, writing] = [0, started, true];
  const turn = (): void => {
    const now = cpuMs();
    longest = Math.max(longest, now - last);
    last = now;
    if (writing) setImmediate(turn);
  };
  setImmediate(turn);
  const bytes = Buffer.from(await metrics.text());
  turn();
  writing = false;
  took.push(last - started);
  stalls.push(longest);
  lines = bytes.toString().split('\n').length;
}
const ms = (of: number[]): string => {
  of.sort((one, other) => one - other);
  return `${of[0]!.toFixed(1)} ms least, ${of[20]!.toFixed(1)} ms median`;
};
print(`a scrape of ${placed.length} versions, ${lines} lines, CPU time`, ms(took));
print('the longest time that one holds up the event loop, CPU time', ms(stalls));
