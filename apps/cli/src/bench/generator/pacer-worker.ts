// A thread that sleeps until a time and then wakes the load thread.
import { workerData } from 'node:worker_threads';
import { asked, ending, machineMs, PacerMemory, wakes } from './pacer-memory.ts';

const { words, due } = new PacerMemory(workerData as SharedArrayBuffer);
let served = 0;
while (Atomics.load(words, ending) === 0) {
  const seen = Atomics.load(words, asked);
  if (seen === served) {
    Atomics.wait(words, asked, seen);
    continue;
  }
  const waitMs = due[0]! - machineMs();
  if (waitMs > 0 && Atomics.wait(words, asked, seen, waitMs) !== 'timed-out') continue;
  served = seen;
  Atomics.add(words, wakes, 1);
  Atomics.notify(words, wakes);
}
