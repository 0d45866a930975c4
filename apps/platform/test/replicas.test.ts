import { rm } from 'node:fs/promises';
import { createRegistryClient } from '@sluice/client/registry-client';
import type { RegistryClient } from '@sluice/client/registry-client';
import type { RpcError } from '@sluice/client/errors';
import { adminService } from '@sluice/contracts/services';
import { createRpcClient } from '@sluice/rpc/client';
import { systemClock } from '@sluice/service-kit/clock';
import { eventually } from '@sluice/testkit/eventually';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { host } from '../src/ports.ts';
import { Load } from './load.ts';
import { RunningPlatform, freeOffset, killStarted, makeHome } from './running-platform.ts';
import { SecondPair } from './second-pair.ts';
import { SequenceClient, pushAccumulator } from './sequences.ts';

let home: string;
let platform: RunningPlatform;
let second: SecondPair;
let clients: RegistryClient[];
let loads: Load[] = [];

beforeAll(async () => {
  home = await makeHome('sluice-replicas-');
  platform = new RunningPlatform({ home, offset: await freeOffset() });
  await platform.up();
  second = await SecondPair.start(platform);
  clients = [platform, second].map(({ ports }, index) =>
    createRegistryClient(`${host}:${ports.registry.port}`, { actor: `person-${index + 1}`, retryForMs: 10_000 }),
  );
});
afterEach(async () => {
  await Promise.all(loads.map((load) => load.stop()));
  loads = [];
});
afterAll(async () => {
  for (const client of clients) client.close();
  await second.stop();
  await platform.stop();
  await killStarted();
  await rm(home, { recursive: true, force: true });
});

const startLoads = (options: { concurrency: number; retryForMs: number }): Load[] => {
  loads = [platform, second].map(({ ports }) => new Load(`${host}:${ports.router.port}`, options));
  return loads;
};

/** Follows a move to its end, which is when every router with a live lease has applied it. */
async function follow(client: RegistryClient, moveId: string) {
  for await (const progress of client.registry.watchAliasMove({ moveId })) if (progress.done) return progress;
  throw new Error('the move ended without its last message');
}

/** What a router shows of its state. */
async function routerState(adminPort: number): Promise<{ revision: string; models: unknown[] }> {
  const client = createRpcClient(adminService, `${host}:${adminPort}`, { clock: systemClock });
  try {
    const { stateJson } = await client.getState({});
    return JSON.parse(stateJson) as { revision: string; models: unknown[] };
  } finally {
    client.close();
  }
}

const championOf = async (client: RegistryClient) => {
  const { model } = await client.registry.getModel({ name: 'digits' });
  return model!.aliases.find(({ alias }) => alias === 'champion')!;
};

/** Waits until each load has had that many answers more. */
async function more(count: number): Promise<void> {
  const before = loads.map(({ answers }) => answers.length);
  await eventually(() => {
    loads.forEach(({ answers }, index) => {
      if (answers.length < before[index]! + count) throw new Error('waiting for more answers');
    });
  }, 20_000);
}

describe('two registries and two routers on one database, under load', { timeout: 120_000 }, () => {
  it('of two changes that conflict one wins, the other learns the revision, and both routers follow the winner', async () => {
    startLoads({ concurrency: 32, retryForMs: 0 });
    await more(50);
    for (let round = 0; round < 6; round++) {
      const { version: current, revision } = await championOf(clients[round % 2]!);
      const others = [1, 2, 3].filter((version) => version !== Number(current));
      const calls = await Promise.allSettled(
        clients.map((client, index) =>
          client.registry.moveAlias({
            model: 'digits',
            alias: 'champion',
            version: others[(index + round) % 2]!,
            expectedRevision: revision,
          }),
        ),
      );
      const won = calls.filter((call) => call.status === 'fulfilled').map(({ value }) => value.move!);
      const lost = calls.filter((call) => call.status === 'rejected').map(({ reason }) => reason as RpcError);
      expect([won.length, lost.map(({ kind }) => kind)]).toEqual([1, ['conflict']]);
      const known = /champion of digits is at revision (\d+), not (\d+)/.exec(lost[0]!.message);
      expect(known?.[2]).toBe(revision);
      expect(Number(known?.[1])).toBeGreaterThan(Number(revision));

      const progress = await follow(clients[(round + 1) % 2]!, won[0]!.id);
      const returned = performance.now();
      expect(progress.move?.state).toBe('ALIAS_MOVE_STATE_EFFECTIVE');
      expect(progress.routers.map(({ applied }) => applied)).toEqual([true, true]);
      await more(200);
      for (const { answers } of loads) {
        const late = answers.filter(({ sentAt }) => sentAt >= returned);
        expect(new Set(late.map(({ version }) => version))).toEqual(new Set([won[0]!.toVersion]));
      }
    }
    for (const load of loads) expect([...new Set(load.failures)]).toEqual([]);
    const states = await eventually(async () => {
      const both = await Promise.all([platform, second].map(({ ports }) => routerState(ports.router.adminPort)));
      if (both[0]!.revision !== both[1]!.revision) throw new Error('not at one revision yet');
      return both;
    }, 10_000);
    expect(states[0]!.models.length).toBe(2);
    expect(states[0]!.models).toEqual(states[1]!.models);
  });

  /** Requests a move at the second registry, and follows it at the first to its end at every router, under load. */
  async function moveThrough(trouble: () => Promise<void>): Promise<void> {
    startLoads({ concurrency: 32, retryForMs: 0 });
    await more(50);
    const { version: current } = await championOf(clients[1]!);
    const version = Number(current) === 1 ? 2 : 1;
    const { move } = await clients[1]!.registry.moveAlias({ model: 'digits', alias: 'champion', version });
    await trouble();
    const progress = await eventually(async () => follow(clients[0]!, move!.id), 30_000);
    const returned = performance.now();
    expect(progress.move?.state).toBe('ALIAS_MOVE_STATE_EFFECTIVE');
    expect(progress.routers.map(({ applied }) => applied)).toEqual([true, true]);
    await more(200);
    for (const { answers, failures } of loads) {
      expect([...new Set(failures)]).toEqual([]);
      const late = answers.filter(({ sentAt }) => sentAt >= returned);
      expect(new Set(late.map((answer) => answer.version))).toEqual(new Set([String(version)]));
    }
  }

  it('a move goes on when Postgres is killed in the middle of it', async () => {
    const times = platform.text.split('postgres is back').length;
    await moveThrough(async () => void process.kill(await platform.pidOf('postgres'), 'SIGKILL'));
    await eventually(() => expect(platform.text.split('postgres is back').length).toBeGreaterThan(times), 30_000);
  });

  it('a move goes on when the registry that took it is killed and does not come back', async () => {
    await moveThrough(async () => second.killRegistry());
  });
});

describe('sequences through two routers', { timeout: 120_000 }, () => {
  it('stay where they began while an alias moves, and end with the runtime that is killed', async () => {
    const registry = clients[0]!;
    const move = async (version: number) => {
      const moved = await registry.registry.moveAlias({ model: 'accumulator', alias: 'live', version });
      const progress = await follow(registry, moved.move!.id);
      expect(progress.move?.state).toBe('ALIAS_MOVE_STATE_EFFECTIVE');
    };
    for (const version of [1, 2]) expect(await pushAccumulator(registry, home, version)).toBe(version);
    const routers = [platform, second].map(({ ports }) => new SequenceClient(`${host}:${ports.router.port}`));
    const [one, two] = routers as [SequenceClient, SequenceClient];
    const ids = Array.from({ length: 12 }, (_, index) => index + 1);
    try {
      await move(1);
      for (const id of ids) expect(await one.step(id, 'start')).toBe('1 of version 1');
      await move(2);
      for (const id of ids) expect(await two.step(id)).toBe('2 of version 1');
      for (const id of ids) expect(await one.step(id)).toBe('3 of version 1');
      expect(await two.step(100, 'start')).toBe('1 of version 2');
      process.kill(await platform.pidOf('runtime-1'), 'SIGKILL');
      const after = await eventually(async () => {
        const outcomes = await Promise.all(ids.map((id) => two.step(id)));
        // A link that is being made again may have come back with what it had.
        if (outcomes.some((outcome) => outcome.startsWith('unavailable'))) throw new Error(outcomes.join());
        return outcomes;
      }, 20_000);
      const lost = ids.filter((_, index) => after[index]!.startsWith('failed-precondition'));
      expect(lost.length).toBeGreaterThan(0);
      expect(lost.length).toBeLessThan(ids.length);
      for (const [index, id] of ids.entries()) {
        if (!lost.includes(id)) continue;
        expect(after[index]).toMatch(/sequence lost: .*; send sequence_start again/);
        expect(await two.step(id, 'start')).toBe('1 of version 2');
        expect(await eventually(() => one.found(id))).toBe('2 of version 2');
      }
    } finally {
      for (const router of routers) router.close();
    }
  });
});
