import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

const workerFile = new URL(`./yaml-worker${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url);

/**
 * Reads YAML without holding up the event loop.
 *
 * @throws the parser's error, or the signal's reason
 */
export async function readYaml(text: string, signal: AbortSignal): Promise<unknown> {
  try {
    // What loads have written is JSON.
    return JSON.parse(text);
  } catch {
    const worker = new Worker(workerFile, { workerData: text, name: 'yaml' });
    try {
      const [value] = (await once(worker, 'message', { signal })) as [unknown];
      return value;
    } catch (error) {
      signal.throwIfAborted();
      throw error;
    } finally {
      await worker.terminate();
    }
  }
}
