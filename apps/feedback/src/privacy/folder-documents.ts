import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SluiceError } from '@sluice/domain/errors';
import { readFileIfAny, writeFileAtomic } from '@sluice/service-kit/atomic-file';
import { decodeDocument, encodeDocument } from './document.ts';
import type { ErasureDocuments, ErasureOrder } from './erasure.ts';

/** Documents of one folder: a start reads no names of those that are older. */
const perFolder = 1_000;
const folderName = /^\d{13}$/;
const fileName = /^(\d{16})\.json$/;

/**
 * Orders in the artifact store: `erasures/<thousands of its number>/<number>.json`. A name either has the whole document or is not
 * there.
 */
export class FolderDocuments implements ErasureDocuments {
  readonly #folder: string;

  /** @param artifactDir folder of the artifact store; all replicas must see the same one */
  constructor(artifactDir: string) {
    this.#folder = join(artifactDir, 'erasures');
  }

  async write(order: ErasureOrder): Promise<ErasureOrder | undefined> {
    const there = await this.read(order.number);
    if (there !== undefined && there.erasureId !== order.erasureId) return there;
    // Written also when it is there: whoever did so may have failed before it was safe.
    await this.replace(order);
    return undefined;
  }

  async replace(order: ErasureOrder): Promise<void> {
    try {
      await writeFileAtomic(this.#pathOf(order.number), encodeDocument(order), 0o600);
    } catch (cause) {
      throw new SluiceError(
        'unavailable',
        `order ${order.number} is on record, but cannot be written to the artifact store yet: it is tried again until it can`,
        { cause },
      );
    }
  }

  async read(number: number): Promise<ErasureOrder | undefined> {
    const path = this.#pathOf(number);
    const bytes = await readFileIfAny(path).catch(cannotRead);
    try {
      return bytes && decodeDocument(bytes, path);
    } catch {
      return undefined;
    }
  }

  async *after(last: number): AsyncGenerator<ErasureOrder, void, undefined> {
    const first = folderOf(last + 1);
    for (const folder of await namesOf(this.#folder)) {
      if (!folderName.test(folder) || folder < first) continue;
      for (const file of await namesOf(join(this.#folder, folder))) {
        const number = Number(fileName.exec(file)?.[1] ?? 0);
        if (number <= last) continue;
        const path = join(this.#folder, folder, file);
        const order = decodeDocument(await readFile(path).catch(cannotRead), path);
        if (order.number !== number) throw new SluiceError('data-loss', `${path} is the document of another number`);
        yield order;
      }
    }
  }

  #pathOf(number: number): string {
    return join(this.#folder, folderOf(number), `${String(number).padStart(16, '0')}.json`);
  }
}

const folderOf = (number: number): string => String(Math.floor(number / perFolder)).padStart(13, '0');

/** Sorted; none where there is no such folder. */
async function namesOf(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).sort();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    return cannotRead(error);
  }
}

function cannotRead(cause: unknown): never {
  throw new SluiceError(
    'unavailable',
    'the orders to erase in the artifact store cannot be read, so none is given: look at the folder erasures there',
    { cause },
  );
}
