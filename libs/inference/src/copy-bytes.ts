/** Of fewer bytes `set` makes less ado. */
const few = 128;

/**
 * Copies all of `from` to `at` of `to`, which has room for it. Where either lies in memory that threads share, V8's `set` goes byte by byte
 * unless both begin at the same place of a word: six times as slow, and a tensor begins anywhere in its message.
 */
export function copyBytes(from: Uint8Array, to: Uint8Array, at: number): void {
  if (from.length < few) {
    to.set(from, at);
    return;
  }
  (Buffer.prototype as Buffer).copy.call(from, to, at);
}
