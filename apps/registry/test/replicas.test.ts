import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RpcError } from '@sluice/rpc/status';
import { eventually } from '@sluice/testkit/eventually';
import { FakeRouter, FakeRuntime } from './fleet.ts';
import type { Replica } from './harness.ts';
import { followMove, linearModel, push, pushApproved, Site, watchOf } from './harness.ts';

let site: Site;
let one: Replica;
let two: Replica;

beforeAll(async () => {
  site = await Site.open();
  one = await site.start();
  two = await site.start();
});
afterAll(async () => {
  await site.close();
});

const outcomes = async (calls: readonly Promise<unknown>[]) => {
  const settled = await Promise.allSettled(calls);
  return {
    won: settled.filter((call) => call.status === 'fulfilled').length,
    lost: settled.flatMap((call) => (call.status === 'rejected' ? [call.reason as RpcError] : [])),
  };
};

describe('two registries on one database', () => {
  it('let one of two conflicting changes win and tell the other the current revision', async () => {
    const versions = [];
    for (const replica of [one, two, one]) versions.push(await pushApproved(replica, 'digits'));
    const runtime = FakeRuntime.start(watchOf(one, two), 'rt-1');
    const routers = [FakeRouter.start(watchOf(one, two), 'router-1'), FakeRouter.start(watchOf(two, one), 'router-2')];
    const clients = [one.as('ann'), two.as('bob')];
    for (let round = 0; round < 5; round += 1) {
      const { model } = await clients[0]!.getModel({ name: 'digits' });
      const current = model!.aliases[0];
      const revision = current?.revision ?? '0';
      const others = versions.filter((version) => String(version) !== current?.version);
      const { won, lost } = await outcomes(
        clients.map((client, index) => {
          const version = others[(index + round) % 2]!;
          return client.moveAlias({ model: 'digits', alias: 'best', version, expectedRevision: revision });
        }),
      );
      expect([won, lost.map(({ kind }) => kind)]).toEqual([1, ['conflict']]);
      const pending = (await clients[1]!.getModel({ name: 'digits' })).model!.aliases[0]!;
      expect(lost[0]!.message).toMatch(/alias best of digits is at revision \d+, not \d+/);
      expect(lost[0]!.message).not.toContain(`at revision ${revision},`);
      if (pending.pending) await followMove(clients[0]!, pending.pending.id);
    }
    const { model } = await clients[0]!.getModel({ name: 'digits' });
    const expected = { best: Number(model!.aliases[0]!.version) };
    await eventually(() => {
      expect(routers.map((router) => router.aliases('digits'))).toEqual([expected, expected]);
      expect(routers[0]!.models.get('digits')).toEqual(routers[1]!.models.get('digits'));
      expect(new Set([runtime.applied, ...routers.map((router) => router.applied)]).size).toBe(1);
    });
    for (const member of [runtime, ...routers]) member.kill();
  });

  it('number versions without gaps or doubles when both make them at once', async () => {
    const pushes = [one, two, one, two].map(async (replica) => push(replica.as('ann'), 'numbers', await linearModel()));
    const numbers = (await Promise.all(pushes)).map(({ version }) => Number(version.number));
    expect(numbers.toSorted()).toEqual([1, 2, 3, 4]);
  });

  it('take 200 changes that come at once in turn, and answer reads meanwhile', async () => {
    const clients = [one.as('ann'), two.as('bob')];
    const made = Array.from({ length: 200 }, (_, index) => clients[index % 2]!.createModel({ name: `many/${index}` }));
    const { model } = await clients[0]!.getModel({ name: 'digits' });
    expect(model?.name).toBe('digits');
    const revisions = (await Promise.all(made)).map((answer) => answer.model!.revision);
    expect(new Set(revisions).size).toBe(200);
  });

  it('make one version of one request id, also when both are asked at once', async () => {
    const files = await linearModel();
    const pushes = [one, two].map((replica) => push(replica.as('ann'), 'once', files, { requestId: 'both' }));
    const made = await Promise.all(pushes);
    expect(made.map(({ version }) => [version.number, version.state])).toEqual([
      ['1', 'VERSION_STATE_READY'],
      ['1', 'VERSION_STATE_READY'],
    ]);
  });

  it('tell watchers of the other one of a change in under a second, every time', async () => {
    const ann = one.as('ann');
    const leaving = new AbortController();
    const { signal } = leaving;
    const routes = two.watch().watchRoutes({ routerId: 'timed' }, { signal });
    const assignments = two.watch().watchAssignments({ runtimeId: 'timed', pool: 'default' }, { signal });
    const streams = [routes, assignments];
    for (const stream of streams) await stream.next();
    /** When a watcher has a revision, by this process's clock. */
    const reached = async (stream: (typeof streams)[number], revision: string): Promise<number> => {
      for (;;) {
        const { value } = await stream.next();
        if (Number(value!.resumeToken) >= Number(revision)) return performance.now();
      }
    };
    const times: number[] = [];
    for (let round = 0; round < 20; round += 1) {
      const request = { model: 'numbers', version: 1 };
      const from = performance.now();
      // From before the change is asked for, so that nothing of the way is left out.
      const { revision } = await (round % 2 === 0 ? ann.pinVersion(request) : ann.unpinVersion(request));
      for (const at of await Promise.all(streams.map((stream) => reached(stream, revision)))) times.push(at - from);
    }
    expect(times).toHaveLength(40);
    // All but the few that a busy machine held up; and none waited for the reader's own pace of two seconds.
    expect(times.toSorted((a, b) => a - b)[Math.floor(times.length * 0.9)]).toBeLessThan(1_000);
    leaving.abort();
  });

  it('have one controller, and another when that one stops', async () => {
    const third = await site.start();
    const leaders = async (replicas: readonly Replica[]) =>
      Promise.all(replicas.map(async (replica) => (await replica.adminState())['runsController']));
    await eventually(async () => expect((await leaders([one, two, third])).filter(Boolean)).toHaveLength(1));
    const runtime = FakeRuntime.start(watchOf(two, third), 'rt-2');
    const version = await pushApproved(two, 'failover');
    const { move } = await two.as('ann').moveAlias({ model: 'failover', alias: 'best', version });
    await one.stop();
    await eventually(async () => expect((await leaders([two, third])).filter(Boolean)).toHaveLength(1));
    const { last } = await followMove(two.as('ann'), move!.id);
    expect(last.move?.state).toBe('ALIAS_MOVE_STATE_EFFECTIVE');
    runtime.kill();
    await third.stop();
  });
});

describe('a watch', () => {
  it('resumes after the registry was restarted, with what changed since and no more', async () => {
    const watch = two.watch();
    const request = { routerId: 'resuming', protocolVersion: 1 };
    const first = await watch.watchRoutes({ ...request, resumeToken: 0 }).next();
    expect(first.value!.snapshot).toBe(true);
    expect(first.value!.models.map(({ model }) => model)).toContain('digits');
    const runtimes = await watch.watchAssignments({ runtimeId: 'resuming', pool: 'default', resumeToken: 0 }).next();
    expect(runtimes.value!.snapshot).toBe(true);
    const ann = two.as('ann');
    await ann.pinVersion({ model: 'numbers', version: 2 });
    await ann.unpinVersion({ model: 'numbers', version: 2 });
    await ann.pinVersion({ model: 'numbers', version: 3 });
    await two.stop();
    two = await site.start();
    const routes = await two
      .watch()
      .watchRoutes({ ...request, resumeToken: first.value!.resumeToken })
      .next();
    const changed = routes.value!.models.map(({ model }) => model);
    expect(routes.value!.snapshot).toBe(false);
    expect(changed).toContain('numbers');
    expect(changed).not.toContain('digits');
    const resumed = await two
      .watch()
      .watchAssignments({ runtimeId: 'resuming', pool: 'default', resumeToken: runtimes.value!.resumeToken })
      .next();
    const { snapshot, assignments, removed } = resumed.value!;
    expect(snapshot).toBe(false);
    // The replica may have been a moment behind at the first look: other models may be there too.
    expect(assignments.filter(({ model }) => model === 'numbers')).toMatchObject([
      { version: '3', heldBy: ['pin'], pinnedOnly: true },
    ]);
    expect(assignments.some(({ model }) => model === 'digits')).toBe(false);
    expect(removed).toContainEqual({ model: 'numbers', version: '2' });
  });

  it('gets everything anew with a token that this database never gave', async () => {
    const { value } = await two.watch().watchRoutes({ routerId: 'r', resumeToken: 1_000_000 }).next();
    expect(value!.snapshot).toBe(true);
    expect(Number(value!.resumeToken)).toBeLessThan(1_000_000);
  });

  it('talks to a watcher that is one version ahead, and not to one that is two', async () => {
    const ahead = await two.watch().watchRoutes({ routerId: 'r', protocolVersion: 3 }).next();
    expect(ahead.value!.protocolVersion).toBe(2);
    const behind = await two.watch().watchRoutes({ routerId: 'r', protocolVersion: 1 }).next();
    expect(behind.value!.protocolVersion).toBe(1);
    await expect(two.watch().watchRoutes({ routerId: 'r', protocolVersion: 4 }).next()).rejects.toMatchObject({
      kind: 'failed-precondition',
    });
  });

  it('tells 100 watchers of a change without waiting for a poll', async () => {
    const client = two.watch();
    const leaving = new AbortController();
    const seen = Array.from({ length: 100 }, async (_, index) => {
      const stream = client.watchRoutes({ routerId: `r-${index}` }, { signal: leaving.signal });
      await stream.next();
      return stream;
    });
    const streams = await Promise.all(seen);
    const before = performance.now();
    const next = streams.map(async (stream) => {
      for (;;) {
        const { value } = await stream.next();
        const models = value!.models.map(({ model }) => model);
        // Runtimes of the tests before may lapse meanwhile.
        if (models.length > 0) return models;
      }
    });
    await two.as('ann').pinVersion({ model: 'numbers', version: 4 });
    expect(new Set((await Promise.all(next)).flat())).toEqual(new Set(['numbers']));
    // Some 100 ms on a quiet machine; the poll, which must not be what did it, takes 2,000.
    expect(performance.now() - before).toBeLessThan(1_900);
    leaving.abort();
  });
});
