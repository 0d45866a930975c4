import { randomUUID } from 'node:crypto';
import process from 'node:process';
import { RpcError } from '@sluice/client/errors';
import { showAccuracy } from './accuracy.ts';
import { verifyAudit } from './audit.ts';
import { captureAll, waitForCapture } from './capture.ts';
import { readDigits } from './digits.ts';
import type { Digit } from './digits.ts';
import { eraseSubject } from './erase.ts';
import { labelAll } from './label.ts';
import { UsageError, readOptions, usage } from './options.ts';
import { predictAll } from './predict.ts';
import { say } from './steps.ts';
import { closeWorld, openWorld } from './world.ts';
import type { World } from './world.ts';

/** From predictions to truth, to figures, to an erasure, to the audit log. */
async function journey(world: World, digits: readonly Digit[]): Promise<void> {
  await waitForCapture(world, digits[0]!);
  const sent = await predictAll(world, digits);
  say(`sent ${digits.length} digits to cnn and to mlp: ${sent.length} predictions, request ids ${world.run}-…`);
  const { joined, waiting } = await labelAll(world, sent);
  say(`labelled them in another order: ${joined} joined at once, ${waiting} wait for their evidence`);
  await showAccuracy(world, sent);
  const { subject } = sent[0]!;
  const { erasureId } = await eraseSubject(
    world,
    sent.filter((each) => each.subject === subject),
  );
  say('the counts stay:');
  await showAccuracy(world, sent);
  await verifyAudit(world, erasureId);
}

const interrupted = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interrupted.abort());

async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2));
  if (options === undefined) {
    process.stdout.write(usage);
    return;
  }
  const digits = await readDigits(options.file);
  const world = openWorld(options, `evidence-${randomUUID().slice(0, 8)}`, interrupted.signal);
  try {
    const putBack = await captureAll(world);
    try {
      await journey(world, digits);
    } finally {
      await putBack();
    }
  } finally {
    closeWorld(world);
  }
}

/** What went wrong, and what to do. */
function explain(error: unknown): string {
  if (interrupted.signal.aborted) return 'stopped before the end';
  if (error instanceof UsageError) return `${error.message}\n\n${usage}`;
  if (!(error instanceof RpcError)) return error instanceof Error ? error.message : String(error);
  const isAway = error.origin === 'unsent' || error.origin === 'lost';
  const hint = isAway ? '\nDoes `npm start` run? With another --port-offset say the same here.' : '';
  return `${error.kind}: ${error.message}${hint}`;
}

main().catch((error: unknown) => {
  process.stderr.write(`${explain(error)}\n`);
  process.exitCode = interrupted.signal.aborted ? 130 : error instanceof UsageError ? 2 : 1;
});
