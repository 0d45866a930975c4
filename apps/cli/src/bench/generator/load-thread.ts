// A thread that makes load. What it measures stays here until it is asked for.
import { parentPort, workerData } from 'node:worker_threads';
import { systemClock } from '@sluice/service-kit/clock';
import { SeededRandom } from '../seeded-random.ts';
import { Driver } from './driver.ts';
import type { ThreadAnswer, ThreadRequest, ThreadStart, ThreadWindow } from './messages.ts';
import { PacerMemory } from './pacer-memory.ts';
import { RequestBytes } from './request-bytes.ts';
import { SequenceBook } from './sequences.ts';
import { StreamTransport } from './stream-transport.ts';
import { Tally } from './tally.ts';
import { ThreadPacer } from './thread-pacer.ts';
import { UnaryTransport } from './unary-transport.ts';

const port = parentPort!;
const start = workerData as ThreadStart;
const ended = new Int32Array(start.ended);
const tally = new Tally();
const transport = new (start.streaming ? StreamTransport : UnaryTransport)({ ...start, clock: systemClock });
const driver = new Driver({
  clock: systemClock,
  pacer: new ThreadPacer(new PacerMemory(start.pacer), () => systemClock.monotonic()),
  transport,
  requests: new RequestBytes(start.messages),
  tally,
  sequences: start.sequences && {
    book: new SequenceBook(start.sequences, new SeededRandom(start.seed + start.index), start.index, start.of),
    alive: Math.max(1, Math.round(start.sequences.alive / start.of)),
  },
  onEnded: () => {
    Atomics.add(ended, 0, 1);
    left -= 1;
    if (left === 0) doneMs = systemClock.monotonic();
  },
});

/** Requests of a load with a limit that have not ended, and when the last did. */
let left = Number.POSITIVE_INFINITY;
let doneMs: number | undefined;
let begun = mark();

function mark(): { atMs: number; cpuMs: number } {
  const { user, system } = process.threadCpuUsage();
  return { atMs: systemClock.monotonic(), cpuMs: (user + system) / 1000 };
}

/** The window that ends now, or ended with the last request of a load that has one; the next begins. */
function collect(): ThreadWindow {
  const now = mark();
  const window = {
    ...tally.take(),
    seconds: ((doneMs ?? now.atMs) - begun.atMs) / 1000,
    cpuMs: now.cpuMs - begun.cpuMs,
  };
  begun = now;
  return window;
}

async function carryOut(request: ThreadRequest): Promise<ThreadAnswer> {
  switch (request.kind) {
    case 'start':
      doneMs = undefined;
      left = request.limit ?? Number.POSITIVE_INFINITY;
      collect();
      driver.start(request.load, request.limit);
      return {};
    case 'collect':
      return { window: collect() };
    case 'stop':
      await driver.stop();
      return {};
  }
}

port.on('message', (request: ThreadRequest) => {
  void carryOut(request).then((answer) => port.postMessage(answer));
});
