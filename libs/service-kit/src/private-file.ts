import { open } from 'node:fs/promises';
import { failedPrecondition, SluiceError } from '@sluice/domain/errors';

/** Far more than any key has. */
const mostBytes = 64 * 1024;

/**
 * Reads a file of a secret, which its owner alone may read.
 *
 * @param what it is, as people are told: `audit key`
 * @param howToMake the end of each error: how to make one
 * @throws SluiceError failed-precondition when the file is missing, is none, or may be read by other users
 */
export async function readPrivateFile(file: string, what: string, howToMake: string): Promise<string> {
  const handle = await open(file, 'r').catch((cause: unknown) => {
    const why = (cause as NodeJS.ErrnoException).code === 'ENOENT' ? 'does not exist' : 'cannot be read';
    throw new SluiceError('failed-precondition', `${what} file ${file} ${why}: ${howToMake}`, { cause });
  });
  try {
    const stats = await handle.stat();
    if (!stats.isFile() || stats.size > mostBytes)
      throw failedPrecondition(`${what} file ${file} is not a file of a key: ${howToMake}`);
    if (process.platform !== 'win32' && (stats.mode & 0o077) !== 0)
      throw failedPrecondition(
        `${what} file ${file} has mode ${(stats.mode & 0o777).toString(8)}, so other users may read it: run chmod 600 on it, and rotate the key if they may have`,
      );
    return await handle.readFile('utf8');
  } finally {
    await handle.close();
  }
}
