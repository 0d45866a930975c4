import { join } from 'node:path';
import type { SpoolFiles } from './files.ts';
import { setAsideFolder, setAsideName } from './names.ts';
import type { SpoolSettings } from './options.ts';
import type { Segment } from './segment.ts';
import type { SegmentList } from './segment-list.ts';

/** Cuts off what was made ahead and not used, and closes the file. */
export async function trimSegment(segment: Segment): Promise<void> {
  const file = segment.file!;
  if (segment.fileBytes > segment.end) {
    await file.truncate(segment.end);
    // A crash must not bring back what others have room for by then.
    await file.sync();
    segment.fileBytes = segment.end;
  }
  segment.file = undefined;
  await file.close();
}

/**
 * Deletes segments: their keys first, and for good, so that nothing can be read of them whatever becomes of their files. What is
 * left of a damaged one is kept, without its key: it can be looked at, not read.
 */
export async function removeSegments(
  files: SpoolFiles,
  folder: string,
  going: readonly Segment[],
  segments: SegmentList,
): Promise<void> {
  if (going.length === 0) return;
  for (const segment of going) {
    const { file } = segment;
    segment.file = undefined;
    await file?.close();
    await files.remove(join(folder, segment.keyPath));
    segment.keyFileBytes = 0;
    segment.key?.destroy();
  }
  await syncFolders(files, folder, going, 'keyPath');
  for (const segment of going) {
    if (segment.isDamaged) await keepRemains(files, folder, segment);
    else await files.remove(join(folder, segment.path));
  }
  await syncFolders(files, folder, going, 'path');
  for (const segment of going) {
    if (segment.isDamaged) segments.remains.push({ path: segment.path, bytes: segment.fileBytes });
    segments.remove(segment);
  }
}

async function syncFolders(
  files: SpoolFiles,
  folder: string,
  going: readonly Segment[],
  which: 'path' | 'keyPath',
): Promise<void> {
  const isAside = (segment: Segment): boolean => segment[which].startsWith(setAsideFolder);
  if (going.some(isAside)) await files.syncFolder(join(folder, setAsideFolder));
  if (!going.every(isAside)) await files.syncFolder(folder);
}

async function keepRemains(files: SpoolFiles, folder: string, segment: Segment): Promise<void> {
  if (segment.path.startsWith(setAsideFolder)) return;
  const aside = join(setAsideFolder, setAsideName(segment.sequence, segment.last - segment.first + 1));
  await files.rename(join(folder, segment.path), join(folder, aside));
  segment.path = aside;
}

/** Remains take an eighth of the spool at most: the oldest go first. */
export async function trimRemains(files: SpoolFiles, settings: SpoolSettings, { remains }: SegmentList): Promise<void> {
  let bytes = remains.reduce((sum, each) => sum + each.bytes, 0);
  const isTooMuch = bytes > settings.maxBytes / 8;
  while (bytes > settings.maxBytes / 8) {
    const oldest = remains[0]!;
    await files.remove(join(settings.folder, oldest.path));
    remains.shift();
    bytes -= oldest.bytes;
  }
  if (isTooMuch) await files.syncFolder(join(settings.folder, setAsideFolder));
}
