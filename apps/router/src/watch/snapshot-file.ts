import { createHash } from 'node:crypto';
import { watchService } from '@sluice/contracts/services';
import { readFileIfAny, writeFileAtomic } from '@sluice/service-kit/atomic-file';
import type { WireRoutes } from './decode-routes.ts';

const codec = watchService.definition['WatchRoutes']!;
const digestBytes = 32;

/** Where routes survive a restart with the registry away: a SHA-256 and then one message of the watch's contract. */
export class SnapshotFile {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  /**
   * The routes that were written last; undefined when there are none.
   *
   * @throws Error when the file cannot be read or its bytes are not those that were written
   */
  async read(): Promise<WireRoutes | undefined> {
    const bytes = await readFileIfAny(this.path);
    if (!bytes) return undefined;
    const body = Buffer.from(bytes.subarray(digestBytes));
    if (bytes.length < digestBytes || !digest(body).equals(bytes.subarray(0, digestBytes))) {
      throw new Error(`${this.path} is damaged`);
    }
    return codec.responseDeserialize(body) as WireRoutes;
  }

  /** Replaces the file; a reader sees the old routes or these. */
  async write(routes: WireRoutes): Promise<void> {
    const body = codec.responseSerialize(routes);
    await writeFileAtomic(this.path, Buffer.concat([digest(body), body]));
  }
}

function digest(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest();
}
