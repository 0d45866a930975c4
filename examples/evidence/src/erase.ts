import type { Erasure__Output } from '@sluice/contracts/gen/sluice/feedback/v1/Erasure';
import type { Sent } from './predict.ts';
import { concurrently, say, waitFor } from './steps.ts';
import type { World } from './world.ts';

/** States of the payloads of some predictions, and how many of them can be read. */
interface Payloads {
  readonly states: readonly string[];
  readonly readable: number;
}

/** Looks for the payloads of a subject in the table: each prediction, with its payload. */
async function payloadsOf({ feedback, signal }: World, sent: readonly Sent[]): Promise<Payloads> {
  const found = await concurrently(sent, 4, async ({ predictionId }) => {
    const { prediction } = await feedback.predictions.getPrediction({ predictionId, withPayload: true }, { signal });
    return prediction!.attempts.flatMap(({ request, response }) => [request!, response!]);
  });
  const all = found.flat();
  return {
    states: [...new Set(all.map(({ state }) => state))].sort(),
    readable: all.filter(({ tensors }) => tensors.length > 0).length,
  };
}

/** Erases a person, and shows that nothing that can be read is left anywhere. @throws Error when something is */
export async function eraseSubject(world: World, sent: readonly Sent[]): Promise<Erasure__Output> {
  const { subject } = sent[0]!;
  const before = await payloadsOf(world, sent);
  say(
    `${subject} has ${sent.length} predictions; ${before.readable} of ${2 * sent.length} requests and responses can be read`,
  );
  if (before.readable !== 2 * sent.length)
    throw new Error(`payloads are ${before.states.join(', ')}: somebody changed what is kept. Run the example again.`);
  const erasure = await orderErasure(world, subject);
  say(`${subject} is erased: order ${erasure.erasureId}`);
  const after = await payloadsOf(world, sent);
  if (after.readable > 0 || after.states.join() !== 'erased')
    throw new Error(`${after.readable} payloads can still be read; their states are ${after.states.join(', ')}`);
  say(`  table: ${sent.length} predictions are there, all ${2 * sent.length} payloads are erased`);
  say(`  spool: ${await checkSpools(world, erasure)}`);
  say(`  dead letters: ${await checkDeadLetters(world, sent)}`);
  return erasure;
}

/** Orders it, and waits until nothing is pending. */
async function orderErasure({ feedback, run, signal }: World, subject: string): Promise<Erasure__Output> {
  const request = { subject, reason: 'the example of evidence', requestId: `${run}-erasure` };
  const ordered = (await feedback.privacy.eraseSubject(request, { signal })).erasure!;
  const { erasureId } = ordered;
  say(`the key of ${subject} is destroyed`);
  return waitFor({
    ...{ timeoutMs: 60_000, signal },
    hint: `The key is destroyed all the same. \`sluice erase show ${erasureId}\` looks again; \`sluice erase --help\` says what to do about what stays.`,
    look: async () => {
      const erasure = (await feedback.privacy.getErasure({ erasureId }, { signal })).erasure!;
      return erasure.state === 'ERASURE_STATE_DONE' ? { found: erasure } : { missing: pendingOf(erasure) };
    },
  });
}

/** What an order waits for. */
function pendingOf({ pending }: Erasure__Output): string {
  const spools = (pending?.spools ?? []).map(({ routerId }) => `the spool of ${routerId}`);
  const parts = [
    ...spools,
    ...(Number(pending?.unreadableDeadLetters) > 0
      ? [`${pending!.unreadableDeadLetters} unreadable dead letters`]
      : []),
    ...(Number(pending?.waitingFeedback) > 0 ? [`${pending!.waitingFeedback} texts of feedback`] : []),
    ...(pending?.document ? ['the artifact store'] : []),
  ];
  return parts.length === 0 ? 'the order to be noted as done' : parts.join(' and ');
}

/** Routers say up to which order their spool has nothing from before it. */
async function checkSpools({ feedback, signal }: World, { number }: Erasure__Output): Promise<string> {
  const names: string[] = [];
  let pageToken = '';
  do {
    const page = await feedback.privacy.listSpools({ pageToken }, { signal });
    for (const { routerId, erasuresApplied, forgottenAt } of page.spools) {
      if (forgottenAt) continue;
      if (Number(erasuresApplied) < Number(number))
        throw new Error(`the spool of ${routerId} may still have something from before the erasure`);
      names.push(routerId);
    }
    pageToken = page.nextPageToken;
  } while (pageToken !== '');
  return `nothing from before the erasure is in that of ${names.join(', ')}`;
}

async function checkDeadLetters({ feedback, signal }: World, sent: readonly Sent[]): Promise<string> {
  const ids = new Set(sent.map(({ predictionId }) => predictionId));
  let [count, pageToken] = [0, ''];
  do {
    const page = await feedback.deadLetters.listDeadLetters({ pageToken, pageSize: 1000 }, { signal });
    for (const { predictionId } of page.deadLetters) {
      if (ids.has(predictionId)) throw new Error(`prediction ${predictionId} of the subject is a dead letter`);
      count += 1;
    }
    pageToken = page.nextPageToken;
  } while (pageToken !== '');
  return `none of the subject among ${count}`;
}
