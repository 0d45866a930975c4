import { open, rm } from 'node:fs/promises';
import path from 'node:path';
import { median } from '../statistics.ts';

/** Syncs of one figure. */
const looks = 60;

/**
 * What it takes to write so many bytes and have them on disk, in milliseconds: the median of some writes behind each other into room that is
 * there, each followed by an fdatasync, as the spool does it, on the file system of `folder`.
 */
export async function syncMs(folder: string, bytes: number): Promise<number> {
  const file = path.join(folder, 'sync-time');
  const handle = await open(file, 'w');
  try {
    const room = Buffer.alloc(looks * bytes);
    await handle.write(room);
    await handle.datasync();
    const content = Buffer.alloc(bytes, 1);
    const times: number[] = [];
    for (let look = 0; look < looks; look++) {
      const begun = performance.now();
      await handle.write(content, 0, bytes, look * bytes);
      await handle.datasync();
      times.push(performance.now() - begun);
    }
    return median(times);
  } finally {
    await handle.close();
    await rm(file, { force: true });
  }
}
