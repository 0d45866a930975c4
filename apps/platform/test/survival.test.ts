import { readFile, rm } from 'node:fs/promises';
import { env } from 'node:process';
import { createOipClient } from '@sluice/client/oip-client';
import { seeded } from '@sluice/domain/generated-rows';
import { eventually } from '@sluice/testkit/eventually';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { Seen, StreamClient, unaryClient } from './chaos-clients.ts';
import { Load } from './load.ts';
import { itSurvivesPoison } from './poison.ts';
import { RunningPlatform, freeOffset, killStarted, makeHome } from './running-platform.ts';

const isSoak = env['SLUICE_SOAK'] === '1';
const kills = isSoak ? 20 : 2;
const seed = Number(env['SLUICE_PROPERTY_SEED'] ?? Date.now() % 2 ** 31);
const unaryClients = 48;
const streams = { count: 2, inFlight: 8 };
/** What memory may grow by while runtimes die. A heap takes its size in the first hundred thousand requests: few kills say little. */
const growth = isSoak ? { factor: 1.1, bytes: 10e6 } : { factor: 1.1, bytes: 150e6 };

let home: string;
let platform: RunningPlatform;
let router: string;
let runtime1: string;
let runtime2: string;

beforeAll(async () => {
  home = await makeHome('sluice-survival-');
  platform = new RunningPlatform({ home, offset: await freeOffset(3), runtimes: 3 });
  await platform.up();
  router = `127.0.0.1:${platform.ports.router.port}`;
  [runtime1, runtime2] = platform.ports.runtimes.map(({ port }) => `127.0.0.1:${port}`) as [string, string];
});
afterAll(async () => {
  await platform.stop();
  await killStarted();
  await rm(home, { recursive: true, force: true });
});

/** Kills a process of the platform without mercy and waits until it is back and some load has passed since. */
async function killAndWait(name: string, loads: readonly Load[]): Promise<void> {
  const times = platform.text.split(`${name} is back`).length;
  process.kill(await platform.pidOf(name), 'SIGKILL');
  await eventually(() => {
    if (platform.text.split(`${name} is back`).length === times)
      throw new Error(`${name} is not back:\n${platform.text}`);
  }, 30_000);
  const before = loads.map(({ answers }) => answers.length);
  await eventually(() => {
    loads.forEach(({ answers }, index) => {
      if (answers.length < before[index]! + 200) throw new Error('waiting for more answers');
    });
  }, 20_000);
}

/** Waits until a runtime that was started again has answered requests: it has its models, and the router knows. */
async function answersAgain(runtime: 0 | 1): Promise<void> {
  const { metricsPort } = platform.ports.runtimes[runtime]!;
  await eventually(async () => {
    const text = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
    if (!/^sluice_requests_total\{[^}]*ModelInfer[^}]*code="OK"[^}]*\} [1-9]/m.test(text))
      throw new Error(`not yet:\n${text}`);
  }, 20_000);
}

/** Resident bytes; Linux alone tells. */
async function residentOf(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => 'VmRSS: 0 kB');
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)![1]) * 1024;
}

/** Asks a runtime itself for an answer. */
async function asks(runtime: ReturnType<typeof createOipClient>): Promise<void> {
  const data = new Float32Array(64);
  await runtime.infer({
    model: 'digits',
    version: '1',
    inputs: [{ name: 'pixels', datatype: 'FP32', shape: [1, 64], data }],
  });
}

describe('under load, without mercy', { timeout: isSoak ? 900_000 : 180_000 }, () => {
  it('a runtime dies: a client that never retries sees no failure, one after the other', async () => {
    const load = new Load(router, { concurrency: 64, retryForMs: 0 });
    const other = new Load(runtime2, { concurrency: 1, retryForMs: 0 });
    await killAndWait('runtime-1', [load, other]);
    await answersAgain(0);
    await other.stop();
    const first = new Load(runtime1, { concurrency: 1, retryForMs: 0 });
    await killAndWait('runtime-2', [load, first]);
    await answersAgain(1);
    await load.stop();
    await first.stop();
    for (const each of [load, other, first]) expect([...new Set(each.failures)]).toEqual([]);
  });

  it('registry and Postgres die: nobody sees it, through the router or on a runtime’s own port', async () => {
    const loads = [router, runtime1, runtime2].map((to) => new Load(to, { concurrency: 4, retryForMs: 0 }));
    await killAndWait('registry', loads);
    await killAndWait('postgres', loads);
    for (const load of loads) {
      await load.stop();
      expect([...new Set(load.failures)]).toEqual([]);
      expect(load.longestGapMs).toBeLessThan(5000);
    }
  });

  it('a runtime, the registry, Postgres and the router die in turn: a client that retries for 10 s sees no failure', async () => {
    const load = new Load(router, { concurrency: 64, retryForMs: 10_000 });
    const direct = new Load(runtime2, { concurrency: 1, retryForMs: 0 });
    for (const name of ['runtime-1', 'registry', 'postgres', 'router']) await killAndWait(name, [load, direct]);
    await load.stop();
    await direct.stop();
    expect([...new Set(load.failures)]).toEqual([]);
    expect([...new Set(direct.failures)]).toEqual([]);
    expect(new Set(load.answers.map(({ version }) => version))).toEqual(new Set(['3']));
  });

  it('the router restarts while the registry hangs: it serves from its snapshot', async () => {
    const load = new Load(router, { concurrency: 4, retryForMs: 10_000 });
    const registry = await platform.pidOf('registry');
    // Harder than a dead one: its port takes connections and nobody answers.
    process.kill(registry, 'SIGSTOP');
    try {
      await killAndWait('router', [load]);
    } finally {
      process.kill(registry, 'SIGCONT');
    }
    await load.stop();
    expect([...new Set(load.failures)]).toEqual([]);
  });

  it(`64 clients, ${kills} killed runtimes, cancellations and short deadlines: each is answered once, and rightly (seed ${seed})`, async () => {
    const random = { uniform: seeded(seed) };
    const seen = new Seen();
    const first = createOipClient(router);
    await seen.learn(first);
    first.close();

    let runs = true;
    const goesOn = (): boolean => runs;
    const streamClients = Array.from(
      { length: streams.count },
      (_, index) => new StreamClient(router, `stream-${index}`, seen, random),
    );
    onTestFinished(() => streamClients.forEach((client) => client.close()));
    const clients = [
      ...Array.from({ length: unaryClients }, async () => unaryClient(router, seen, random, goesOn)),
      ...streamClients.map(async (client) => client.run(streams.inFlight, goesOn)),
    ];
    const moreAnswers = async (count: number): Promise<void> => {
      const target = seen.ended.answered + count;
      await eventually(() => {
        if (seen.ended.answered < target) throw new Error(`${seen.ended.answered} answers: ${seen.wrongs[0] ?? ''}`);
      }, 30_000);
    };
    await moreAnswers(3000);
    const routerPid = await platform.pidOf('router');
    let before = await residentOf(routerPid);
    for (let kill = 0; kill < kills; kill++) {
      if (kill === Math.floor(kills / 4)) before = await residentOf(routerPid);
      const name = `runtime-${1 + Math.floor(random.uniform() * 2)}`;
      const times = platform.text.split(`${name} is back`).length;
      process.kill(await platform.pidOf(name), 'SIGKILL');
      await moreAnswers(300);
      await eventually(() => {
        if (platform.text.split(`${name} is back`).length === times) throw new Error(`${name} is not back`);
      }, 30_000);
      // Both have everything again, or the next kill would leave none.
      await eventually(async () => {
        const { runtimes } = platform.ports;
        for (const { port } of runtimes) {
          const runtime = createOipClient(`127.0.0.1:${port}`, { retryForMs: 0, timeoutMs: 5_000 });
          try {
            await asks(runtime);
          } finally {
            runtime.close();
          }
        }
      }, 30_000);
      await moreAnswers(300);
    }
    const after = await residentOf(routerPid);
    runs = false;
    await Promise.all(clients);

    expect([...new Set(seen.wrongs)]).toEqual([]);
    // Closed loops: whatever was sent has ended, in exactly one way.
    expect(seen.all).toBe(seen.sent);
    expect(seen.predictionIds.size).toBe(seen.ended.answered);
    expect(seen.ended.cancelled).toBeGreaterThan(0);
    expect(seen.ended.late).toBeGreaterThan(0);
    expect(await platform.pidOf('router')).toBe(routerPid);
    expect(after).toBeLessThanOrEqual(before * growth.factor + growth.bytes);
  });

  itSurvivesPoison(() => platform);
});
