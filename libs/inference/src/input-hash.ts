import { createHash, hash } from 'node:crypto';
import { wireType, WireReader } from './wire-reader.ts';

/** Larger requests are not hashed: that would hold up everything else. */
const mostBytes = 256 * 1024;

/**
 * SHA-256 of a request's inputs: of its fields `inputs` and `raw_input_contents`, tags and all, as they came and in their order.
 * What else is in the request, and where, changes nothing.
 *
 * @param request a ModelInferRequest that was scanned before
 * @returns 32 characters, an octet each (latin1); undefined for what is no message, and for one of more than 256 KiB
 */
export function hashInputs(request: Uint8Array): string | undefined {
  if (request.length > mostBytes) return undefined;
  let ranges: number[];
  try {
    ranges = inputRanges(request);
  } catch {
    return undefined;
  }
  // Most clients write all inputs behind all else: then it is one piece, and one call.
  if (ranges.length === 2) return hash('sha256', request.subarray(ranges[0], ranges[1]), 'latin1');
  const digest = createHash('sha256');
  for (let each = 0; each < ranges.length; each += 2) digest.update(request.subarray(ranges[each], ranges[each + 1]));
  return digest.digest('latin1');
}

/** Start and end by turns of what is hashed; neighbours are one. */
function inputRanges(request: Uint8Array): number[] {
  const reader = new WireReader(request, 'ModelInferRequest');
  const ranges: number[] = [];
  let start = reader.pos;
  while (reader.next()) {
    const isInput = (reader.field === 5 || reader.field === 7) && reader.type === wireType.bytes;
    reader.skip();
    if (isInput) {
      if (ranges.length > 0 && ranges.at(-1) === start) ranges[ranges.length - 1] = reader.pos;
      else ranges.push(start, reader.pos);
    }
    start = reader.pos;
  }
  return ranges;
}
