/** Small messages lie together in slabs of so many octets. */
const slabOctets = 64 * 1024;
/** Larger ones have memory of their own. */
export const mostShared = slabOctets / 4;

let slab = Buffer.alloc(0);
let used = 0;

/** Octets that are not there for long, as they can be kept: a copy, unless they lie where such copies do. */
export function kept(from: Buffer, start: number, end: number): Buffer {
  const octets = end - start;
  if (from.buffer === slab.buffer) return from.subarray(start, end);
  if (octets > mostShared) return ownCopy(from, start, end);
  if (used + octets > slab.length) {
    slab = Buffer.allocUnsafeSlow(slabOctets);
    used = 0;
  }
  const at = used;
  used += octets;
  from.copy(slab, at, start, end);
  return slab.subarray(at, used);
}

/** A copy that keeps nothing alive with it. */
export function ownCopy(from: Buffer, start: number, end: number): Buffer {
  const own = Buffer.allocUnsafeSlow(end - start);
  from.copy(own, 0, start, end);
  return own;
}
