import { open } from 'node:fs/promises';
import { usageError } from '../exit-codes.ts';

/**
 * Makes sure that files can be written, before there is something to write: makes those that are not there, and leaves the
 * others as they are.
 * @throws CliError usage naming the first one that cannot be written
 */
export async function checkWritable(paths: readonly string[]): Promise<void> {
  for (const path of paths) {
    try {
      const file = await open(path, 'a');
      await file.close();
    } catch (error) {
      throw usageError(`cannot write ${path}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
}
