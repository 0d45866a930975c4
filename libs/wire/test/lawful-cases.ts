import fc from 'fast-check';
import { settingsAck } from './frames.ts';
import type { FrameCase } from './frame-cases.ts';
import { between, callPlan, clientStream } from './fuzz-streams.ts';
import { propertyRuns } from './property-runs.ts';

/** Messages as they are: the other server does not inflate them. */
const plain = callPlan.map((plan) => ({ ...plan, compresses: false }));
/** An acknowledgement too many is a case, and a difference, of its own. */
const other = between.filter((frame) => !frame.equals(settingsAck()));

/** What clients that keep to the protocol send, generated. */
export const lawful: readonly FrameCase[] = fc
  .sample(clientStream(plain, other), { numRuns: 300, seed: propertyRuns.seed ?? 1 })
  .map((frames, at) => ({ name: `generated ${at}`, phases: [Buffer.concat(frames)] }));
