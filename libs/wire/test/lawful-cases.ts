import fc from 'fast-check';
import { defaultWindow, frameTypes } from '../src/http2/frame-types.ts';
import { settingIds } from '../src/http2/settings.ts';
import { settingsAck } from './frames.ts';
import type { FrameCase } from './frame-cases.ts';
import { between, callPlan, clientStream } from './fuzz-streams.ts';
import { propertyRuns } from './property-runs.ts';

/** The other server neither inflates messages nor knows of deadlines. */
const plain = callPlan.map((plan) => ({ ...plan, compresses: false, timeout: '' }));
/**
 * An acknowledgement too many is a case, and a difference, of its own. A window that shrinks does so before an answer of a server that takes its time,
 * and behind that of one that does not.
 */
const other = between.filter((frame) => !frame.equals(settingsAck()) && !isSmallWindow(frame));

function isSmallWindow(octets: Buffer): boolean {
  return (
    octets[3] === frameTypes.SETTINGS &&
    octets.readUInt16BE(9) === settingIds.INITIAL_WINDOW_SIZE &&
    octets.readUInt32BE(11) < defaultWindow
  );
}

/** What clients that keep to the protocol send, generated. */
export const lawful: readonly FrameCase[] = fc
  .sample(clientStream(plain, other), { numRuns: 300, seed: propertyRuns.seed ?? 1 })
  .map((frames, at) => ({ name: `generated ${at}`, phases: [Buffer.concat(frames)] }));
