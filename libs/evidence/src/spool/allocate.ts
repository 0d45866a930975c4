import { join } from 'node:path';
import type { SpoolFile, SpoolFiles } from './files.ts';
import { keyName, segmentName } from './names.ts';
import type { SpoolSettings } from './options.ts';
import { Segment } from './segment.ts';
import { SegmentKey, keyBytes } from './segment-key.ts';
import type { SegmentList } from './segment-list.ts';

const slice = Buffer.alloc(2 ** 20);

/**
 * Makes a segment of zeros on disk, with a key beside it, so that writing blocks needs no more room. Slice by slice: a sync of 16 MiB
 * at once would hold up those of the writer.
 *
 * @throws the error of the file system; nothing is left of the segment then, or its remains stand among the others to be deleted
 */
export async function allocate(
  ports: { readonly files: SpoolFiles; readonly randomBytes: (count: number) => Uint8Array },
  settings: SpoolSettings,
  sequence: number,
  segments: SegmentList,
): Promise<Segment> {
  const { files, randomBytes } = ports;
  const { folder, segmentBytes } = settings;
  const paths = { path: segmentName(sequence), keyPath: keyName(sequence) };
  const key = new SegmentKey(Buffer.from(randomBytes(keyBytes)), sequence);
  const wrapped = key.wrapped(settings.key, randomBytes(12));
  const segment = new Segment(sequence, key, paths, [segmentBytes, wrapped.length]);
  segments.others.add(segment);
  try {
    const keyFile = await files.create(join(folder, paths.keyPath));
    try {
      await keyFile.write(wrapped, 0);
      await keyFile.sync();
    } finally {
      await keyFile.close();
    }
    segment.file = await files.create(join(folder, paths.path));
    await fill(segment.file, segmentBytes);
    await files.syncFolder(folder);
    return segment;
  } catch (error) {
    segment.isGone = true;
    await discard(files, folder, segment, segments);
    throw error;
  }
}

async function fill(file: SpoolFile, length: number): Promise<void> {
  for (let at = 0; at < length; at += slice.length) {
    await file.write(slice.subarray(0, Math.min(slice.length, length - at)), at);
    await file.sync();
  }
}

/** What is left of it must not keep the room that there is too little of. */
async function discard(files: SpoolFiles, folder: string, segment: Segment, segments: SegmentList): Promise<void> {
  try {
    const { file } = segment;
    segment.file = undefined;
    await file?.close();
    await files.remove(join(folder, segment.keyPath));
    await files.remove(join(folder, segment.path));
    segments.remove(segment);
  } catch {
    // It stays in the list, and upkeep tries again.
  }
}
