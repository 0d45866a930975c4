import { isUtf8 } from 'node:buffer';
import { invalidArgument } from '@sluice/domain/errors';

/** Holds bytes that come in pieces to UTF-8, and names the line that is not. */
export class Utf8Check {
  #lines: number;
  /** The bytes of a character whose end is in the next piece. */
  #rest: Uint8Array = new Uint8Array(0);

  /** @param lines that come before the first piece */
  constructor(lines: number) {
    this.#lines = lines;
  }

  /** @throws SluiceError invalid-argument */
  add(piece: Uint8Array): void {
    const bytes = this.#rest.length === 0 ? piece : Buffer.concat([this.#rest, piece]);
    const whole = bytes.length - unfinished(bytes);
    const checked = bytes.subarray(0, whole);
    if (!isUtf8(checked)) throw this.#failure(checked);
    this.#lines += lineFeeds(checked);
    this.#rest = bytes.slice(whole);
  }

  /** @throws SluiceError invalid-argument when the last character has no end */
  end(): void {
    if (this.#rest.length > 0) throw this.#failure(this.#rest);
  }

  #failure(bytes: Uint8Array) {
    let line = this.#lines + 1;
    for (let from = 0, to = bytes.indexOf(10); to >= 0; from = to + 1, to = bytes.indexOf(10, from)) {
      if (!isUtf8(bytes.subarray(from, to))) break;
      line += 1;
    }
    return invalidArgument(`line ${line}: is not UTF-8`);
  }
}

/** How many bytes at the end begin a character and do not end it. */
function unfinished(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back += 1) {
    const byte = bytes[bytes.length - back]!;
    if (byte < 0x80) return 0;
    if (byte >= 0xc0) return back < (byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2) ? back : 0;
  }
  return 0;
}

function lineFeeds(bytes: Uint8Array): number {
  let count = 0;
  for (let at = bytes.indexOf(10); at >= 0; at = bytes.indexOf(10, at + 1)) count += 1;
  return count;
}
