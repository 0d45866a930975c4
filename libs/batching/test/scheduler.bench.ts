// `npx nx bench batching`: what the scheduler itself costs a request, from enqueue to answer, with a runner that does
// nothing. Figures for a person to read; no test depends on them.
import process from 'node:process';
import type { SluiceError } from '@sluice/domain/errors';
import type { Batch, BatchRequest, Ticket } from '../src/contract.ts';
import type { SchedulerOptions } from '../src/options.ts';
import { BatchScheduler } from '../src/scheduler.ts';

class Request implements BatchRequest<undefined> {
  ticket: Ticket | undefined = undefined;
  readonly rows: number;
  readonly bucket = 'a';
  readonly deadlineMs: number;
  readonly priority: number;

  constructor(rows: number, deadlineMs: number, priority: number) {
    this.rows = rows;
    this.deadlineMs = deadlineMs;
    this.priority = priority;
  }

  rowsDone(): void {
    work.rows++;
  }

  succeed(): void {
    work.answers++;
  }

  fail(error: SluiceError): void {
    throw error;
  }
}

/** Something to do, so that no callback is optimised away. */
const work = { rows: 0, answers: 0 };

const clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  schedule: (ms: number, fn: () => void) => {
    // eslint-disable-next-line no-restricted-globals -- a real clock, to pay for real timers
    const timer = setTimeout(fn, ms);
    timer.unref();
    return { cancel: () => clearTimeout(timer) };
  },
};

/** Keeps `waiting` requests in the scheduler: whenever a batch ends, as many come as it had. Nanoseconds per request. */
function cost(options: Partial<SchedulerOptions>, waiting: number, rows: number, withDeadline: boolean): number {
  const running: Batch<Request, undefined>[] = [];
  const scheduler = BatchScheduler.create<Request, undefined>(
    { name: 'bench', ...options },
    { clock, run: (batch) => running.push(batch), onDefect: (thrown) => process.stderr.write(String(thrown)) },
  );
  const levels = options.priorityLevels ?? 0;
  let made = 0;
  const add = (): void => {
    const deadlineMs = withDeadline ? clock.monotonic() + 30_000 : Infinity;
    const refused = scheduler.enqueue(new Request(rows, deadlineMs, made++ % (levels + 1)));
    if (refused) throw refused;
  };
  for (let i = 0; i < waiting; i++) add();
  let done = 0;
  const start = performance.now();
  const count = 1_000_000;
  while (done < count) {
    const batch = running.shift()!;
    batch.free();
    batch.complete(undefined, batch.paddedRows);
    done += batch.parts.length;
    for (let i = 0; i < batch.parts.length; i++) add();
  }
  return ((performance.now() - start) * 1e6) / done;
}

const cases: [string, Partial<SchedulerOptions>, number, number, boolean][] = [
  ['64 waiting, batches of 64, no deadline', { maxBatchSize: 64 }, 128, 1, false],
  ['64 waiting, batches of 64, deadlines', { maxBatchSize: 64 }, 128, 1, true],
  ['1,000 waiting, batches of 64, deadlines', { maxBatchSize: 64 }, 1064, 1, true],
  [
    '1,000 waiting, batches of 64, deadlines, delay',
    { maxBatchSize: 64, maxQueueDelayMicroseconds: 1000 },
    1064,
    1,
    true,
  ],
  ['1,000 waiting, preferred 16 of 64', { maxBatchSize: 64, preferredBatchSize: [16] }, 1064, 1, true],
  ['one request per run', { maxBatchSize: 0 }, 64, 1, true],
  ['1,000 waiting, 3 levels', { maxBatchSize: 64, priorityLevels: 3, defaultPriorityLevel: 2 }, 1064, 1, true],
  [
    '1,000 waiting, delayed',
    { maxBatchSize: 64, timeoutAction: 'DELAY', defaultTimeoutMicroseconds: 200 },
    1064,
    1,
    true,
  ],
  ['1,000 waiting, answers in order', { maxBatchSize: 64, instances: 2, preserveOrdering: true }, 1128, 1, true],
];
for (const [name, options, waiting, rows, withDeadline] of cases) {
  cost(options, waiting, rows, withDeadline);
  const runs = [1, 2, 3].map(() => cost(options, waiting, rows, withDeadline)).toSorted((a, b) => a - b);
  process.stdout.write(`${name.padEnd(50)} ${Math.round(runs[1]!)} ns/request\n`);
}
process.stdout.write(`${work.answers} answers\n`);
