import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { ControlBlock } from './control-block.ts';
import type { FromWorker, ToWorker, WorkerStart } from './messages.ts';

// onnxruntime-node reads FP16 input as empty where this global exists, so it goes before the package is loaded.
Reflect.deleteProperty(globalThis, 'Float16Array');
const { WorkerSession } = await import('./worker-session.ts');

const port = parentPort!;
const { control, settings } = workerData as WorkerStart;
const block = new ControlBlock(control);

function send(message: FromWorker, transfer: readonly ArrayBuffer[] = []): void {
  port.postMessage(message, transfer as ArrayBuffer[]);
}

/** Takes everything that waits on the port; true when the main thread asked to close. */
function readPort(session: InstanceType<typeof WorkerSession>): boolean {
  for (;;) {
    const received = receiveMessageOnPort(port) as { message: ToWorker } | undefined;
    if (!received) return false;
    const message = received.message;
    switch (message.kind) {
      case 'plan':
        session.setPlan(message.plan);
        break;
      case 'forget-plan':
        session.forgetPlan(message.id);
        break;
      case 'buffer':
        session.setBuffer(message.id, message.memory);
        break;
      case 'forget-buffer':
        session.forgetBuffer(message.id);
        break;
      case 'close':
        return true;
    }
  }
}

async function runBatch(session: InstanceType<typeof WorkerSession>, batch: number): Promise<void> {
  const slot = block.slotOf(batch);
  try {
    const ran = await session.run(block.command(slot));
    block.recordTiming(slot, ran.inputUs, ran.inferUs, ran.outputUs);
    if (ran.open) send({ kind: 'results', batch, outputs: ran.open }, ran.transfer);
    else block.finish(batch, slot);
  } catch (error) {
    send({ kind: 'batch-failed', batch, message: String(error instanceof Error ? error.message : error) });
  }
}

async function serve(session: InstanceType<typeof WorkerSession>): Promise<void> {
  let done = 0;
  for (;;) {
    const rings = block.rings();
    let closing = readPort(session);
    while (done < block.lastSubmitted()) {
      closing = readPort(session) || closing;
      done += 1;
      await runBatch(session, done);
    }
    if (closing) break;
    block.sleep(rings);
  }
  await session.release();
  send({ kind: 'closed' });
}

let session: InstanceType<typeof WorkerSession> | undefined;
try {
  session = await WorkerSession.create(settings);
} catch (error) {
  send({ kind: 'load-failed', message: String(error instanceof Error ? error.message : error) });
}
if (session) {
  send({ kind: 'loaded', inputs: session.inputs, outputs: session.outputs });
  await serve(session);
}
