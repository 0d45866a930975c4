/**
 * Runtimes in the order in which they are to have what a key names: rendezvous hashing. Every router comes to the same
 * order, and a runtime that joins or leaves moves only the keys that it gains or had.
 *
 * @returns the owner first
 */
export function byRendezvous<Runtime extends { readonly address: string }>(
  runtimes: readonly Runtime[],
  key: string,
): Runtime[] {
  if (runtimes.length < 2) return [...runtimes];
  const seed = hash(key);
  return runtimes
    .map((runtime) => ({ runtime, score: mix(seed ^ hash(runtime.address)) }))
    .sort((one, other) => other.score - one.score || (one.runtime.address < other.runtime.address ? -1 : 1))
    .map(({ runtime }) => runtime);
}

/** FNV-1a over UTF-16 units, mixed. Not for what an enemy chooses: who spreads badly harms himself alone. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) value = Math.imul(value ^ text.charCodeAt(index), 0x01000193);
  return mix(value);
}

/** Spreads every bit of 32 over all of them. */
export function mix(value: number): number {
  let bits = value;
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return (bits ^ (bits >>> 16)) >>> 0;
}
