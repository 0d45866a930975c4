import { join } from 'node:path';
import type { SpoolEvent } from './contract.ts';
import type { SpoolFile, SpoolFiles } from './files.ts';
import { moveAside } from './inspect-segment.ts';
import { keyName, setAsideName } from './names.ts';
import { scanSegment } from './scan.ts';
import type { Segment } from './segment.ts';

/** So often a segment that the disk does not give is tried before it is set aside; a sender that waits up to 2 s takes half a minute. */
export const readTries = 20;

const pageBytes = 4096;
/** Each may take the disk seconds. */
const mostBadPages = 64;

/**
 * Reads what can be read: what the disk does not give is zeros. After 64 pages that it does not give, all that follows is.
 *
 * @returns how many bytes of `into` the file has
 */
export async function readAround(file: SpoolFile, into: Buffer, at: number): Promise<number> {
  let bad = 0;
  for (let from = 0; from < into.length; from += pageBytes) {
    const page = into.subarray(from, from + pageBytes);
    try {
      if (bad >= mostBadPages) page.fill(0);
      else {
        const read = await file.read(page, at + from);
        if (read < page.length) return from + read;
      }
    } catch {
      page.fill(0);
      bad++;
    }
  }
  return into.length;
}

/**
 * Moves a segment out of the way that the disk does not give, and tells what of it can be read: that is delivered. Its key stays with
 * it, so that the next start tries all of it again.
 */
export async function setUnreadableAside(
  ports: { readonly files: SpoolFiles; readonly onEvent: (event: SpoolEvent) => void },
  folder: string,
  segment: Segment,
  cause: unknown,
): Promise<void> {
  const recovered = await blocksLeft(ports.files, folder, segment);
  segment.isDamaged = true;
  segment.isUnread = true;
  const { sequence } = segment;
  segment.path = await moveAside(segment.path, setAsideName(sequence, recovered), folder, ports);
  segment.keyPath = await moveAside(segment.keyPath, keyName(sequence), folder, ports);
  const reason = `the disk does not give it, after ${readTries} tries: ${cause instanceof Error ? cause.message : String(cause)}`;
  const lost = segment.last - segment.first + 1 - recovered;
  ports.onEvent({ kind: 'set-aside', segment: segment.path, reason, recovered, lost });
}

async function blocksLeft(files: SpoolFiles, folder: string, segment: Segment): Promise<number> {
  try {
    const file = await files.open(join(folder, segment.path));
    try {
      const bytes = Buffer.alloc(segment.end);
      const length = await readAround(file, bytes, 0);
      return scanSegment(bytes.subarray(0, length), segment.key, segment.last + 1).blocks;
    } finally {
      await file.close();
    }
  } catch {
    return 0;
  }
}
