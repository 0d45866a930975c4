import type { Timestamp } from '@sluice/contracts/gen/google/protobuf/Timestamp';
import { madeAtMs, versions } from './predict.ts';
import type { Sent } from './predict.ts';
import { say, waitFor } from './steps.ts';
import { model } from './world.ts';
import type { World } from './world.ts';

const instant = (ms: number): Timestamp => ({ seconds: Math.floor(ms / 1000), nanos: (ms % 1000) * 1_000_000 });

/**
 * Waits until every label of this run is joined, and says how accurate each version was: `cnn 0.9816 (586 of 597)`. The figures are feedback's, of what
 * was asked for by version in the time of this run.
 *
 * @throws Error when labels are not there in time, or when there are more than this run's
 */
export async function showAccuracy(world: World, sent: readonly Sent[]): Promise<void> {
  const times = sent.map(({ predictionId }) => madeAtMs(predictionId));
  const [from, to] = [instant(Math.min(...times)), instant(Math.max(...times) + 1)];
  for (const name of versions) {
    const own = sent.filter((each) => each.name === name);
    const numbers = new Set(own.map(({ version }) => version));
    if (numbers.size > 1)
      throw new Error(`${name} was moved from one version to another meanwhile. Run the example again.`);
    say(await waitFor({ ...waiting(world.signal), look: async () => lookAt(world, { name, own, from, to }) }));
  }
}

const waiting = (signal: AbortSignal) => ({
  hint: 'Does feedback run? Its log, and `sluice stats digits`, say what is there.',
  timeoutMs: 60_000,
  signal,
});

interface Asked {
  readonly name: string;
  readonly own: readonly Sent[];
  readonly from: Timestamp;
  readonly to: Timestamp;
}

/** The line of a version, or what is not there yet. */
async function lookAt({ feedback, signal }: World, { name, own, from, to }: Asked) {
  const { groups } = await feedback.predictions.getStatistics(
    // The arm '' is of requests that named their version.
    { model, versions: [own[0]!.version], arm: '', from, to, grouping: 'STATISTICS_GROUPING_VERSION' },
    { signal },
  );
  const quality = groups[0]?.quality;
  const scored = Number(quality?.scored ?? 0);
  const unreadable = Number(quality?.notCaptured ?? 0) + Number(quality?.notDecodable ?? 0);
  if (unreadable > 0)
    throw new Error(
      `${unreadable} answers of ${name} were not captured: somebody changed what is kept of ${model}. Run the example again.`,
    );
  if (scored > own.length)
    throw new Error(
      `${scored} labelled predictions of ${name} in the time of this run, which sent ${own.length}: somebody else sends and labels, too. Run the example again when nobody does.`,
    );
  if (scored < own.length) return { missing: `the labels of ${name}: ${scored} of ${own.length} are joined` };
  return { found: `${name} ${quality!.accuracy!.toFixed(4)} (${quality!.correct} of ${scored})` };
}
