import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CaptureChanges } from '@sluice/contracts/gen/sluice/registry/v1/CaptureChanges';
import type { CapturePolicy__Output } from '@sluice/contracts/gen/sluice/registry/v1/CapturePolicy';
import type { Digit } from './digits.ts';
import { predict, versions } from './predict.ts';
import { say, waitFor } from './steps.ts';
import { model } from './world.ts';
import type { World } from './world.ts';

/** Bytes of the largest message here, with room. */
const enoughBytes = 4096;

/** Has all of requests and responses kept, which the other settings of the model allow. @returns puts it back as it was */
export async function captureAll(world: World): Promise<() => Promise<void>> {
  const { release } = await world.registry.registry.getModel({ name: model });
  if (release?.ownCapture)
    throw new Error(
      `the release of ${model} has a capture policy of its own, which that of the model does not change; \`sluice release show ${model}\` shows it, \`sluice release end ${model}\` ends it`,
    );
  const before = await policyOf(world);
  const changes: CaptureChanges = {
    ...(before.rate < 1 && { rate: 1 }),
    ...(!before.request && { request: true }),
    ...(before.response === false && { response: 'RESPONSE_CAPTURE_SMALL' }),
    ...(isTooSmall(before.maxPayloadBytes) && { maxPayloadBytes: enoughBytes }),
  };
  if (Object.keys(changes).length === 0) {
    say(`all requests and responses of ${model} are kept already`);
    return () => Promise.resolve();
  }
  say(`keeps requests and responses of ${model}: a setting of the model, which is put back at the end`);
  const after = await update(world, changes);
  return async () => {
    if (!isSame(await policyOf(world), after)) {
      say(`somebody else has changed what is kept of ${model} meanwhile: it is left as it is`);
      return;
    }
    await update(world, changesBack(before));
    say(`keeps of ${model} what it kept before`);
  };
}

const isTooSmall = (maxPayloadBytes: string): boolean =>
  maxPayloadBytes !== '0' && Number(maxPayloadBytes) < enoughBytes;

/** The settings that `captureAll` touches, as they were. */
export function changesBack({ rate, request, response, maxPayloadBytes }: CapturePolicy__Output): CaptureChanges {
  return {
    ...{ rate, request: request ?? false },
    response:
      response === undefined ? 'RESPONSE_CAPTURE_SMALL' : response ? 'RESPONSE_CAPTURE_ALL' : 'RESPONSE_CAPTURE_NONE',
    ...(maxPayloadBytes !== '0' && { maxPayloadBytes }),
  };
}

const isSame = (one: CapturePolicy__Output, other: CapturePolicy__Output): boolean =>
  JSON.stringify(changesBack(one)) === JSON.stringify(changesBack(other));

async function policyOf({ registry }: World): Promise<CapturePolicy__Output> {
  const { model: found } = await registry.registry.getModel({ name: model });
  return found!.settings!.capture!;
}

// Without the signal of Ctrl-C: what was changed is put back then, too.
async function update({ registry }: World, capture: CaptureChanges): Promise<CapturePolicy__Output> {
  const { model: changed } = await registry.registry.updateModel({ name: model, capture });
  return changed!.settings!.capture!;
}

/**
 * Waits until routers go by the setting: asks each version until a record has both payloads.
 */
export async function waitForCapture(world: World, digit: Digit): Promise<void> {
  for (const version of versions)
    await waitFor({
      ...{ timeoutMs: 30_000, signal: world.signal },
      hint: `Does feedback run? Its log, and \`sluice predictions ${model}\`, say what comes.`,
      look: async () => {
        const requestId = `${world.run}-probe-${randomUUID()}`;
        const subject = `${world.run}-probe`;
        await predict(world, digit, { version, requestId, subject });
        return (await hasPayloads(world, requestId))
          ? { found: undefined }
          : { missing: `a record of ${version} with its request and response` };
      },
    });
}

/** Whether the record of a prediction comes with both payloads, within two seconds. */
async function hasPayloads({ feedback, signal }: World, requestId: string): Promise<boolean> {
  const until = performance.now() + 2_000;
  do {
    const { predictions } = await feedback.predictions.listPredictions({ model, requestId }, { signal });
    const [found] = predictions;
    if (found) return found.requestState === 'captured' && found.responseState === 'captured';
    await sleep(50, undefined, { signal });
  } while (performance.now() < until);
  return false;
}
