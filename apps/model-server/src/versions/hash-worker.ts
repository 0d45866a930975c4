import { createHash } from 'node:crypto';
import { closeSync, openSync, readSync } from 'node:fs';
import { parentPort } from 'node:worker_threads';
import type { HashAnswer, HashQuestion } from './file-hashes.ts';

// Nothing else runs in this thread: it may as well wait for the disk.
const buffer = new Uint8Array(1024 * 1024);

function digestOf(file: string): string {
  const hash = createHash('sha256');
  const handle = openSync(file, 'r');
  try {
    for (let read; (read = readSync(handle, buffer)) > 0;) hash.update(buffer.subarray(0, read));
  } finally {
    closeSync(handle);
  }
  return hash.digest('hex');
}

function answer({ id, file }: HashQuestion): HashAnswer {
  try {
    return { id, digest: digestOf(file) };
  } catch (error) {
    const { message, code } = error as NodeJS.ErrnoException;
    // What a message carries of an error is its text: the code goes beside it.
    return { id, failure: { message, code } };
  }
}

const port = parentPort!;
port.on('message', (question: HashQuestion) => port.postMessage(answer(question)));
