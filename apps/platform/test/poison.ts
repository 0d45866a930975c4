import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { digestFile } from '@sluice/client/files';
import { createOipClient } from '@sluice/client/oip-client';
import { createRegistryClient } from '@sluice/client/registry-client';
import type { RegistryClient } from '@sluice/client/registry-client';
import { adminService } from '@sluice/contracts/services';
import { SluiceError } from '@sluice/domain/errors';
import { createRpcClient } from '@sluice/rpc/client';
import { systemClock } from '@sluice/service-kit/clock';
import { countingModel, endlessTrips } from '@sluice/testkit/counting-model';
import { eventually } from '@sluice/testkit/eventually';
import { expect, it } from 'vitest';
import { Load } from './load.ts';
import type { RunningPlatform } from './running-platform.ts';

const model = 'poison';

interface PoisonState {
  readonly model: string;
  readonly state: string;
  readonly running: { readonly batches: number };
}

/** A version whose requests end whatever runtime runs them: somebody else sees to that. */
class Poison {
  readonly #platform: RunningPlatform;
  readonly #registry: RegistryClient;

  constructor(platform: RunningPlatform) {
    this.#platform = platform;
    this.#registry = createRegistryClient(`127.0.0.1:${platform.ports.registry.port}`, { actor: 'ann' });
  }

  async place(): Promise<void> {
    const { registry } = this.#registry;
    const file = path.join(this.#platform.home, 'poison.onnx');
    await writeFile(file, countingModel());
    await this.#registry.uploadFile(file);
    await registry.createModel({ name: model, settings: { approvalsRequired: 0 } });
    const files = [{ path: 'poison.onnx', ...(await digestFile(file)) }];
    for await (const { version } of registry.createVersion({ model, files }))
      if (version) expect([version.state, version.rejection]).toEqual(['VERSION_STATE_READY', '']);
    await registry.moveAlias({ model, alias: 'champion', version: 1 });
  }

  /** Sends a request through the router; resolves with 'ok' or how it failed. */
  async send(trips: bigint): Promise<string> {
    const client = createOipClient(`127.0.0.1:${this.#platform.ports.router.port}`, {
      timeoutMs: 60_000,
      retryForMs: 0,
    });
    const input = { name: 'trips', datatype: 'INT64' as const, shape: [], data: BigInt64Array.of(trips) };
    try {
      await client.infer({ model, inputs: [input] });
      return 'ok';
    } catch (error) {
      const { kind, message } = SluiceError.from(error);
      return `${kind}: ${message}`;
    } finally {
      client.close();
    }
  }

  async readyEverywhere(): Promise<void> {
    await eventually(async () => {
      for (const { adminPort } of this.#platform.ports.runtimes)
        expect((await poisonOn(adminPort))?.state).toBe('ready');
      // And everything else: whoever is left must have what others ask for.
      for (const { adminPort } of this.#platform.ports.runtimes)
        expect((await versionsOn(adminPort)).filter(({ state }) => state !== 'ready')).toEqual([]);
    }, 30_000);
    await eventually(async () => expect(await this.send(1n)).toBe('ok'), 30_000);
  }

  /**
   * Waits for a runtime that runs the poison, and ends it as the kernel does on a fault. Resolves with its name.
   * @param isOver nobody will run it any more: then it ends none
   */
  async killWhoRunsIt(isOver = (): boolean => false): Promise<string> {
    const name = await eventually(async () => {
      if (isOver()) return '';
      for (const [index, { adminPort }] of this.#platform.ports.runtimes.entries())
        if (((await poisonOn(adminPort))?.running.batches ?? 0) > 0) return `runtime-${index + 1}`;
      throw new Error('no runtime runs it');
    }, 30_000);
    if (name !== '') process.kill(await this.#platform.pidOf(name), 'SIGSEGV');
    return name;
  }

  async quarantines() {
    return (await this.#registry.registry.listLeases({})).quarantined;
  }

  async lift(): Promise<void> {
    await this.#registry.registry.liftQuarantine({ model, version: 1 });
  }

  close(): void {
    this.#registry.close();
  }
}

/** What a runtime says of the version; undefined when it has not heard of it, or is on its way back. */
async function poisonOn(adminPort: number): Promise<PoisonState | undefined> {
  return (await versionsOn(adminPort)).find((version) => version.model === model);
}

/** What a runtime says of its versions; none when it is on its way back. */
async function versionsOn(adminPort: number): Promise<readonly PoisonState[]> {
  const admin = createRpcClient(adminService, `127.0.0.1:${adminPort}`, { clock: systemClock });
  try {
    const { stateJson } = await admin.getState({}, { timeoutMs: 1_000 });
    const { versions } = JSON.parse(stateJson) as { versions: PoisonState[] };
    return versions;
  } catch {
    return [];
  } finally {
    admin.close();
  }
}

/** What a version that ends its runtimes costs three of them, and everybody else. */
export function itSurvivesPoison(platform: () => RunningPlatform): void {
  it('a request that ends its runtime ends two of three, and no other fails; then its version is quarantined', async () => {
    const poison = new Poison(platform());
    // What others of these tests have killed from outside under load is no fault of a version.
    expect(await poison.quarantines()).toEqual([]);
    await poison.place();
    await poison.readyEverywhere();
    const pids = async () => Promise.all([1, 2, 3].map(async (index) => platform().pidOf(`runtime-${index}`)));
    const before = await pids();
    // Earlier tests have ended them, too.
    const comings = (name: string): number => platform().text.split(`${name} is back`).length;
    const earlier = new Map([1, 2, 3].map((index) => [`runtime-${index}`, comings(`runtime-${index}`)]));
    const load = new Load(`127.0.0.1:${platform().ports.router.port}`, { concurrency: 8, retryForMs: 0 });
    const answered = poison.send(endlessTrips);
    const ended = [await poison.killWhoRunsIt(), await poison.killWhoRunsIt()];
    expect(await answered).toBe(
      `internal: model ended its runtime: 2 runtimes were lost while they worked on this request of ${model} version 1`,
    );
    expect(new Set(ended).size).toBe(2);
    const answeredThen = load.answers.length;
    await eventually(() => expect(load.answers.length).toBeGreaterThan(answeredThen + 20));
    for (const name of ended) await eventually(() => expect(comings(name)).toBe(earlier.get(name)! + 1), 30_000);
    const after = await pids();
    expect(after.filter((pid, index) => pid === before[index])).toHaveLength(1);
    await load.stop();
    expect([...new Set(load.failures.map(({ why }) => why))]).toEqual([]);

    // Beside other load its guilt need not be proven: now it is alone.
    await strikesAreTold(platform());
    while ((await poison.quarantines()).length === 0) {
      await poison.readyEverywhere();
      let isAnswered = false;
      const again = poison.send(endlessTrips).finally(() => (isAnswered = true));
      await poison.killWhoRunsIt();
      // The third strike takes it away, perhaps before another runtime has the request.
      const second = await poison.killWhoRunsIt(() => isAnswered);
      if (second === '') expect(await again).not.toBe('ok');
      else expect(await again).toMatch(/^internal: model ended its runtime/);
      await strikesAreTold(platform());
    }
    expect(await poison.quarantines()).toMatchObject([
      {
        model,
        version: '1',
        reason: expect.stringMatching(/^it ended its runtime [34] times: crashed runtime-/) as string,
      },
    ]);
    await eventually(async () => {
      expect(await poison.send(1n)).toMatch(
        /^failed-precondition: poison version 1 is quarantined: .*sluice quarantine lift poison 1/,
      );
    });
    await poison.lift();
    await eventually(async () => expect(await poison.send(1n)).toBe('ok'), 30_000);
    poison.close();
  });
}

/** Waits until every runtime has said to the registry what it knows of. */
async function strikesAreTold(platform: RunningPlatform): Promise<void> {
  await eventually(async () => {
    for (const { metricsPort } of platform.ports.runtimes) {
      const text = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
      expect(text).toMatch(/^sluice_watchdog_unreported_strikes(\{[^}]*\})? 0$/m);
    }
  }, 30_000);
}
