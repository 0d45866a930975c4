import { parentPort, workerData } from 'node:worker_threads';
import { parse } from 'yaml';

// A thread of its own reads one file and ends: a large one takes a second, and inferences must not wait for it.
parentPort!.postMessage(parse(workerData as string, { maxAliasCount: 100, logLevel: 'error' }));
