import { armRoles } from '@sluice/domain/release';
import { contextFrame, frameHeader, maxTextBytes } from './layout.ts';
import type { EvidenceContext } from './record.ts';

/** A context as it lies in blocks, made once for each arm. */
export class EncodedContext {
  readonly context: EvidenceContext;
  /** Its frame, header and all. */
  readonly frame: Uint8Array;
  /** The block that it stands in last, and its number there: for the writer, which would have to look it up otherwise. */
  block: object | undefined;
  index = 0;

  constructor(context: EvidenceContext) {
    this.context = context;
    this.frame = encode(context);
  }
}

/** A text as records have it: what is over their bound is cut off, at the end of a character. */
function cut(text: string): Uint8Array {
  const bytes = Buffer.alloc(maxTextBytes);
  return bytes.subarray(0, bytes.write(text));
}

function encode(context: EvidenceContext): Uint8Array {
  const { model, versionDigest, releaseId, seedId, arm, servedArm, retentionClass } = context;
  const texts = [model, versionDigest, releaseId, seedId, arm, servedArm, retentionClass].map(cut);
  const length = 25 + texts.reduce((sum, text) => sum + 2 + text.length, 0);
  const frame = Buffer.alloc(frameHeader + length);
  frame[0] = contextFrame;
  frame.writeUInt32LE(length, 1);
  let pos = frameHeader;
  pos = frame.writeUInt8(context.role === undefined ? 0 : armRoles.indexOf(context.role) + 1, pos);
  for (const number of [context.version, context.policyVersion, context.propensity])
    pos = frame.writeDoubleLE(number, pos);
  for (const text of texts) {
    pos = frame.writeUInt16LE(text.length, pos);
    frame.set(text, pos);
    pos += text.length;
  }
  return frame;
}
