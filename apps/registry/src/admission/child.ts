/**
 * The throw-away process of an admission. Its main thread only passes messages and watches the parent; ONNX Runtime's
 * calls block, so they are made in a worker thread. It gets one job by IPC, has nothing of the parent's environment but
 * the folder of compiled programs, and never ends by itself: the parent kills its process group, and it kills itself when
 * the parent is gone.
 */
import { writeFileSync } from 'node:fs';
import { flushCompileCache } from 'node:module';
import { setPriority } from 'node:os';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import type { AdmissionJob, ChildMessage } from './child-protocol.ts';
import type { Send } from './run-job.ts';

const memoryEveryMs = 50;

function watchFromMainThread(): void {
  const send = (message: ChildMessage) => process.send?.(message);
  const die = (): void => void process.kill(process.pid, 'SIGKILL');
  process.on('disconnect', die);
  try {
    setPriority(10);
    // When the machine runs out of memory, this process is the one to go.
    writeFileSync('/proc/self/oom_score_adj', '1000');
  } catch {
    // Not on this platform, or not allowed; the parent's limits hold anyway.
  }
  if (process.platform !== 'linux') {
    setInterval(() => {
      const peak = process.resourceUsage().maxRSS * 1024;
      send({ type: 'memory', rss: process.memoryUsage.rss(), peak });
    }, memoryEveryMs);
  }
  process.once('message', (job: AdmissionJob) => {
    const worker = new Worker(new URL(import.meta.url), { workerData: job });
    worker.on('message', (message: ChildMessage) => {
      process.send?.(message, undefined, {}, () => worker.postMessage('sent'));
    });
    worker.on('error', (error) => {
      const detail = error instanceof Error ? error.message : String(error);
      send({ type: 'check', check: { name: 'process', passed: false, detail } });
      send({ type: 'done' });
    });
  });
}

if (isMainThread) watchFromMainThread();
else {
  // Not by the main thread, which would load all of it once more.
  const { runJob } = await import('./run-job.ts');
  // Node would do it at the end of the process, and this one is killed.
  flushCompileCache();
  await runJob(workerData as AdmissionJob, sendThroughMainThread());
}

/** Messages go in order, so that each 'sent' of the main thread is for the oldest that has none. */
function sendThroughMainThread(): Send {
  const waiting: (() => void)[] = [];
  parentPort?.on('message', () => waiting.shift()?.());
  return (message) =>
    new Promise((resolve) => {
      waiting.push(resolve);
      parentPort?.postMessage(message);
    });
}
