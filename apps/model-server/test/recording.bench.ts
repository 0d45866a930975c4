// `npx nx bench model-server`: what it costs to record a request of a version, and what a scrape of 200 versions costs.
// Figures for a person to read; no test depends on them.
import process from 'node:process';
import { histogramSeries, writeFamilies } from '@sluice/telemetry/exposition';
import type { ObservedFamily } from '@sluice/telemetry/exposition';
import { durationBuckets, phases, VersionStats } from '../src/serving/version-stats.ts';

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

/** Nanoseconds of `each`, for each of many rounds: of a machine that others share the least is the nearest. */
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
print('a request that runs alone: both', ns(rounds((index) => (answer(index), batch(index)))));
print('a request that fails', ns(rounds((index) => versions[index & 7]!.failed('BACKEND', 0, index))));
print(
  'and the clocks that an answer reads, for comparison',
  ns(rounds(() => (performance.now(), performance.now(), Date.now()))),
);

const placed = Array.from({ length: 200 }, (_, index) => ({ stats: versions[index & 7]!, version: String(index) }));
const series = histogramSeries(durationBuckets.bounds, 1e-6);
const family: ObservedFamily<(typeof placed)[number]> = {
  name: 'sluice_inference_phase_seconds',
  type: 'histogram',
  help: 'Time of answered requests by what it went into',
  subjects: () => placed,
  samples: ({ stats, version }) =>
    phases.flatMap((phase) => series({ model: 'team/digits', version, phase }, stats.phases[phase])),
};
const defaults = { service: 'model-server', instance: 'model-server-abcdef' };
for (const slice of [4, Infinity]) {
  const took: number[] = [];
  const stalls: number[] = [];
  let lines = 0;
  for (let scrape = 0; scrape < 40; scrape++) {
    let [longest, last, writing] = [0, performance.now(), true];
    const started = last;
    const turn = (): void => {
      longest = Math.max(longest, performance.now() - last);
      last = performance.now();
      if (writing) setImmediate(turn);
    };
    setImmediate(turn);
    const bytes = Buffer.from(await writeFamilies([family as ObservedFamily<unknown>], defaults, slice));
    longest = Math.max(longest, performance.now() - last);
    writing = false;
    took.push(performance.now() - started);
    stalls.push(longest);
    lines = bytes.toString().split('\n').length;
  }
  const figuresOf = (of: number[]): string => {
    of.sort((one, other) => one - other);
    return `${of[0]!.toFixed(1)} least, ${of[20]!.toFixed(1)} median`;
  };
  const how = slice === Infinity ? 'in one go' : `in slices of ${slice} ms`;
  const figures = `${figuresOf(took)} ms; longest stall ${figuresOf(stalls)} ms`;
  print(`phases of 200 versions, ${lines} lines, ${how}`, figures);
}
