import { execFileSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from '@sluice/testkit/eventually';
import { describe, expect, it } from 'vitest';
import { evidenceSettings } from './evidence-settings.ts';
import { testFeedback } from './feedback.ts';
import { wireModel, wireRoutes } from './routes.ts';
import { onEnd, temporaryFolder, testRegistry, testRouter, testRuntime, whenUp } from './world.ts';
import type { InferOptions, TestRouter } from './world.ts';

const mebi = 2 ** 20;

describe('a router whose disk is full', () => {
  it(
    'refuses durable requests before their model runs, drops and counts the others, and goes on by itself when it is not',
    { timeout: 120_000 },
    async ({ skip }) => {
      const mounted = await temporaryFolder();
      try {
        execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=112m', 'tmpfs', mounted], { stdio: 'pipe' });
      } catch (error) {
        skip(`mounting a tmpfs is not allowed here: ${String(error).split('\n')[0]}`);
        return;
      }
      onEnd(() => execFileSync('umount', ['-l', mounted]));
      await fillAndFree(mounted);
    },
  );
});

async function fillAndFree(mounted: string): Promise<void> {
  const ballast = join(mounted, 'ballast');
  // Beside it there is room for one segment of the spool, and without it for three.
  writeFileSync(ballast, Buffer.alloc(76 * mebi));
  const { router, runtime, feedbackPort } = await setUp(mounted);
  const durable: string[] = [];
  const bestEffort: string[] = [];
  /** Asks the durable model. @returns how it ended */
  const ask = async (bytes: number): Promise<string> => {
    const { outcome, predictionId } = await router.infer(request('durable', bytes));
    if (outcome === 'ok') durable.push(predictionId!);
    return outcome;
  };
  const askOthers = async (count: number, bytes: number): Promise<void> => {
    const all = Array.from({ length: count }, () => router.infer(request('best-effort', bytes)));
    for (const { outcome, predictionId } of await Promise.all(all)) {
      expect(outcome).toBe('ok');
      bestEffort.push(predictionId!);
    }
  };

  // Ever smaller ones, until there is no room for the smallest.
  for (const bytes of [mebi, mebi / 16, mebi / 128, 8]) {
    while ((await ask(bytes)) === 'ok') {
      expect(durable.length).toBeLessThan(200);
      await askOthers(bytes === mebi ? 5 : 0, 8);
    }
  }
  expect(durable.length).toBeGreaterThan(20);
  const before = { durable: durable.length, requests: runtime.seen.requests };
  const refused = await router.infer(request('durable', 8));
  expect(refused).toMatchObject({ outcome: 'resource-exhausted', retryAfterMs: 1000 });
  expect(refused.message).toContain('this router has no room for that now');
  expect(runtime.seen.requests).toBe(before.requests);

  // Nearly all are left out by the probability before they could be dropped.
  const droppedBefore = await dropped(router);
  await eventually(async () => {
    await askOthers(50, mebi / 64);
    expect(await dropped(router)).toBeGreaterThan(droppedBefore);
  });
  const whileFull = bestEffort.length;
  expect(await spoolOf(router)).toMatchObject({ diskFailed: true, keepProbability: 0.01 });
  expect(await ask(8)).toBe('resource-exhausted');

  rmSync(ballast);
  await eventually(async () => expect(await ask(mebi)).toBe('ok'));
  expect(await spoolOf(router)).toMatchObject({ diskFailed: false, keepProbability: 1 });
  await askOthers(1, 8);

  const feedback = await testFeedback(feedbackPort);
  const received = (model: string) => feedback.received.filter(({ context }) => context.model === model);
  // Each that was answered, and none that was refused.
  await eventually(() => expect(received('durable').map(({ predictionId }) => predictionId)).toEqual(durable));
  await eventually(() =>
    expect(received('best-effort').at(-1)).toMatchObject({ predictionId: bestEffort.at(-1), keepProbability: 1 }),
  );
  expect(new Set(received('durable').map(({ keepProbability }) => keepProbability))).toEqual(new Set([1]));
  const weighed = received('best-effort').filter(({ keepProbability }) => keepProbability < 1);
  expect(weighed.length).toBeGreaterThan(0);
  for (const { keepProbability } of weighed) expect(keepProbability).toBeGreaterThanOrEqual(0.01);
  expect(received('best-effort').length).toBeLessThan(whileFull);
}

/** A router whose state lies there, with a model of each durability; requests are kept. */
async function setUp(stateDir: string) {
  const models = ['durable', 'best-effort'] as const;
  const runtime = await testRuntime({ id: 'r1', loaded: models.map((model) => [model, 3, true]) });
  const routes = models.map((name) => {
    const model = wireModel({ model: name, release: 3, placed: [3] });
    const durability = name === 'durable' ? ('DURABILITY_DURABLE' as const) : ('DURABILITY_BEST_EFFORT' as const);
    const capture = {
      ...model.release!.capture!,
      request: true,
      response: false,
      maxPayloadBytes: String(2 * mebi),
      durability,
    };
    return { ...model, release: { ...model.release!, capture } };
  });
  const registry = await testRegistry(wireRoutes(7, routes, { addresses: [runtime.address] }));
  const { settings, feedbackPort } = await evidenceSettings(stateDir);
  const router = await testRouter({ SLUICE_REGISTRY: registry.address, ...settings });
  await whenUp(router, 1);
  return { router, runtime, feedbackPort };
}

/** @param bytes of the input */
const request = (model: string, bytes: number): InferOptions => ({
  model,
  values: Array.from<number>({ length: bytes / 4 }).fill(1),
});

async function dropped(router: TestRouter): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${router.ports['metricsPort']!}/metrics`)).text();
  return Number(/^sluice_router_evidence_dropped_total\{.*\} (\d+)$/m.exec(text)![1]);
}

async function spoolOf(router: TestRouter): Promise<unknown> {
  return ((await router.state()) as unknown as { evidence: { spool: unknown } }).evidence.spool;
}
