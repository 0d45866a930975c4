import type { Digit } from './digits.ts';
import { concurrently } from './steps.ts';
import { model } from './world.ts';
import type { World } from './world.ts';

export const versions = ['cnn', 'mlp'] as const;
export type VersionName = (typeof versions)[number];

/** Requests under way at once. */
const inFlight = 32;
/** People that the digits are of. */
const people = 60;

/** One row that a version answered, and all that is remembered of it. */
export interface Sent {
  readonly name: VersionName;
  /** The number that the name stands for. */
  readonly version: string;
  readonly predictionId: string;
  /** The caller's own. */
  readonly requestId: string;
  readonly subject: string;
  /** The truth, which is not sent. */
  readonly label: string;
}

/** A request with an id of our own and the person that it is about. */
export async function predict(
  { router, signal }: World,
  { pixels }: Digit,
  { version, requestId, subject }: { version: string; requestId: string; subject: string },
) {
  return router.infer(
    { model, version, id: requestId, inputs: [{ name: 'pixels', datatype: 'FP32', shape: [1, 64], data: pixels }] },
    { metadata: { 'sluice-subject': subject, 'sluice-caller': 'example-evidence' }, signal },
  );
}

/** Sends every digit to each version, one by one. */
export async function predictAll(world: World, digits: readonly Digit[]): Promise<Sent[]> {
  const asked = versions.flatMap((name) => digits.map((digit, row) => ({ name, digit, row })));
  return concurrently(asked, inFlight, async ({ name, digit, row }) => {
    const requestId = `${world.run}-${name}-${row}`;
    const subject = `${world.run}-person-${row % people}`;
    const { version, predictionId } = await predict(world, digit, { version: name, requestId, subject });
    return { name, version, predictionId, requestId, subject, label: digit.label };
  });
}

/** When a prediction was made, in milliseconds since 1970: its id begins with it. */
export const madeAtMs = (predictionId: string): number =>
  Number.parseInt(predictionId.replaceAll('-', '').slice(0, 12), 16);
