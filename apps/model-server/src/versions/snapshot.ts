import path from 'node:path';
import { SluiceError } from '@sluice/domain/errors';
import { readFileIfAny, writeFileAtomic } from '@sluice/service-kit/atomic-file';
import type { Placement } from './assignment.ts';

/** Changes when the file's meaning does: a file of another format is not read. */
const format = 1;

/** The last placement on disk, from which a runtime starts while the registry is away. */
export class SnapshotFile {
  readonly #file: string;

  constructor(stateDir: string) {
    this.#file = path.join(stateDir, 'placement.json');
  }

  /** @throws the file system's error; the old snapshot is then untouched */
  async write(placement: Placement): Promise<void> {
    await writeFileAtomic(this.#file, JSON.stringify({ format, ...placement }));
  }

  /**
   * @returns undefined when there is none
   * @throws SluiceError data-loss when it is not what this version wrote
   */
  async read(): Promise<Placement | undefined> {
    const bytes = await readFileIfAny(this.#file);
    if (!bytes) return undefined;
    let value: Partial<Placement> & { format?: number };
    try {
      value = JSON.parse(Buffer.from(bytes).toString('utf8')) as typeof value;
    } catch (error) {
      throw new SluiceError('data-loss', `${this.#file} is not JSON: delete it, the registry sends a new one`, {
        cause: error,
      });
    }
    if (value.format !== format || !Array.isArray(value.assignments) || typeof value.revision !== 'number') {
      throw new SluiceError('data-loss', `${this.#file} has another format: delete it, the registry sends a new one`);
    }
    return { revision: value.revision, assignments: value.assignments };
  }
}
