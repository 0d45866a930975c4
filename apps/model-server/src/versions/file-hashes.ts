import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { Worker } from 'node:worker_threads';

/** SHA-256 of files, for one load. */
export interface FileHashes {
  /**
   * The digest of what is in a file now, as hexadecimal digits.
   * @throws whatever reading it throws, with its `code`; the signal's reason
   */
  digest(file: string, signal: AbortSignal): Promise<string>;
  /** Ends what is under way. */
  close(): Promise<void>;
}

export interface HashQuestion {
  readonly id: number;
  readonly file: string;
}

export type HashAnswer =
  | { readonly id: number; readonly digest: string }
  | { readonly id: number; readonly failure: { readonly message: string; readonly code: string | undefined } };

/** Up to so many bytes hashing takes less than a millisecond, and a thread for it costs more than it saves. */
const mostInPlace = 1024 * 1024;

const workerFile = new URL(`./hash-worker${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url);

/**
 * How the files of a version are hashed: in a thread beside the one that serves, but for versions that are tiny.
 * @param bytes of all files together
 */
export function hashesFor(bytes: number): FileHashes {
  return bytes > mostInPlace ? new HashThread() : inPlace;
}

const inPlace: FileHashes = {
  digest: async (file, signal) =>
    createHash('sha256')
      .update(await readFile(file, { signal }))
      .digest('hex'),
  close: async () => undefined,
};

/** A thread that hashes files one after the other. It starts with the first one. */
export class HashThread implements FileHashes {
  readonly #waiting = new Map<number, PromiseWithResolvers<string>>();
  #worker: Worker | undefined;
  #last = 0;

  async digest(file: string, signal: AbortSignal): Promise<string> {
    signal.throwIfAborted();
    this.#worker ??= this.#start();
    const id = ++this.#last;
    const waiting = Promise.withResolvers<string>();
    this.#waiting.set(id, waiting);
    const abort = (): void => waiting.reject(signal.reason as Error);
    signal.addEventListener('abort', abort);
    this.#worker.postMessage({ id, file } satisfies HashQuestion);
    try {
      return await waiting.promise;
    } finally {
      this.#waiting.delete(id);
      signal.removeEventListener('abort', abort);
    }
  }

  async close(): Promise<void> {
    await this.#worker?.terminate();
  }

  #start(): Worker {
    const worker = new Worker(workerFile, { name: 'hashes' });
    worker.on('message', (answer: HashAnswer) => this.#answered(answer));
    let cause: unknown;
    worker.on('error', (error) => (cause = error));
    worker.on('exit', () => {
      this.#worker = undefined;
      const error = new Error('the thread that hashes files ended', { cause });
      for (const waiting of this.#waiting.values()) waiting.reject(error);
    });
    return worker;
  }

  #answered(answer: HashAnswer): void {
    const waiting = this.#waiting.get(answer.id);
    if ('digest' in answer) waiting?.resolve(answer.digest);
    else waiting?.reject(Object.assign(new Error(answer.failure.message), { code: answer.failure.code }));
  }
}
