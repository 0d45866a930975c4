// The thread that runs sessions: reads its port, runs batches that were handed over in shared memory, and sleeps until its
// bell rings. `worker-host.ts` is its other side.
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { ControlBlock, Doorbell, nextNumber } from './control-block.ts';
import type { Envelope, FromWorker, ToWorker, WorkerStart } from './messages.ts';
import { ThreadMark, type Doing } from './thread-mark.ts';

// onnxruntime-node reads FP16 input as empty where this global exists, so it goes before the package is loaded.
Reflect.deleteProperty(globalThis, 'Float16Array');
const { WorkerSession } = await import('./worker-session.ts');

/** A session of this thread. */
interface Open {
  readonly id: number;
  readonly session: InstanceType<typeof WorkerSession>;
  readonly block: ControlBlock;
  /** The version's number in the crash file. */
  readonly crashNumber: number;
  /** The number of the last batch that ran. */
  done: number;
  /** Batches are those of the warm-up until it serves. */
  doing: Doing;
  closing: boolean;
}

const port = parentPort!;
const start = workerData as WorkerStart;
const bell = new Doorbell(start.bell);
const mark = new ThreadMark(start.mark);
const sessions = new Map<number, Open>();

function send(session: number, message: FromWorker, transfer: readonly ArrayBuffer[] = []): void {
  port.postMessage({ session, message } satisfies Envelope<FromWorker>, transfer as ArrayBuffer[]);
}

const textOf = (error: unknown): string => String(error instanceof Error ? error.message : error);

async function open(id: number, message: Extract<ToWorker, { kind: 'open' }>): Promise<void> {
  const { crashNumber = 0 } = message.settings;
  mark.begins(crashNumber, 'loading');
  try {
    const begun = performance.now();
    const session = await WorkerSession.create(message.settings);
    const openMs = performance.now() - begun;
    const block = new ControlBlock(message.control);
    const done = block.lastSubmitted();
    sessions.set(id, { id, session, block, crashNumber, done, doing: 'loading', closing: false });
    send(id, { kind: 'loaded', inputs: session.inputs, outputs: session.outputs, openMs });
  } catch (error) {
    send(id, { kind: 'load-failed', message: textOf(error) });
  }
}

function tell(entry: Open, message: ToWorker): void {
  switch (message.kind) {
    case 'plan':
      entry.session.setPlan(message.plan);
      break;
    case 'forget-plan':
      entry.session.forgetPlan(message.id);
      break;
    case 'buffer':
      entry.session.setBuffer(message.id, message.memory);
      break;
    case 'forget-buffer':
      entry.session.forgetBuffer(message.id);
      break;
    case 'serves':
      entry.doing = 'running';
      break;
    case 'close':
      entry.closing = true;
      break;
    case 'open':
      break;
  }
}

/** Takes everything that waits on the port. */
async function readPort(): Promise<void> {
  for (;;) {
    const received = receiveMessageOnPort(port);
    if (!received) return;
    const { session, message } = received.message as Envelope<ToWorker>;
    const entry = sessions.get(session);
    if (message.kind === 'open') await open(session, message);
    else if (entry) tell(entry, message);
  }
}

async function runBatch({ id, session, block, crashNumber, doing }: Open, batch: number): Promise<void> {
  const slot = block.slotOf(batch);
  const command = block.begin(slot);
  if (!command) {
    block.finish(batch, slot);
    return;
  }
  mark.begins(crashNumber, doing);
  const began = performance.now();
  try {
    const ran = await session.run(command);
    block.recordTiming(slot, ran.inputUs, ran.inferUs, ran.outputUs);
    if (ran.open) send(id, { kind: 'results', batch, outputs: ran.open }, ran.transfer);
    else block.finish(batch, slot);
  } catch (error) {
    block.recordTiming(slot, 0, (performance.now() - began) * 1000, 0);
    send(id, { kind: 'batch-failed', batch, message: textOf(error) });
  }
}

const isIdle = ({ block, done }: Open): boolean => done === block.lastSubmitted();

/**
 * Runs one batch of each session that has one, so that none waits for more than one batch of each other, and closes those
 * that are to close and have nothing left: no matter how busy the others are.
 */
async function runNext(): Promise<boolean> {
  let ran = false;
  for (const entry of sessions.values()) {
    if (!isIdle(entry)) {
      bell.runs(entry.id);
      // What a batch needs was posted before it was handed over.
      await readPort();
      entry.done = nextNumber(entry.done);
      await runBatch(entry, entry.done);
      bell.runs(0);
      ran = true;
    }
    if (entry.closing && isIdle(entry)) await close(entry);
  }
  return ran;
}

async function close(entry: Open): Promise<void> {
  sessions.delete(entry.id);
  mark.begins(entry.crashNumber, entry.doing);
  await entry.session.release();
  send(entry.id, { kind: 'closed' });
}

/** The session whose batch is next: what waits on the port now was posted for it. */
function nextSession(): number {
  for (const entry of sessions.values()) if (!isIdle(entry)) return entry.id;
  return 0;
}

for (;;) {
  const rings = bell.rings();
  bell.runs(nextSession());
  await readPort();
  while (await runNext());
  // Somebody who has rung meanwhile most likely has a batch of the same version.
  if (bell.rings() === rings) mark.rests();
  bell.sleep(rings);
}
